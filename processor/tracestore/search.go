package tracestore

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// ErrCursor says that a Query's cursor is none that a Result gave.
var ErrCursor = errors.New("the cursor is not one that a search returned: leave it out to start with the newest")

// Search implements Reader.
func (s *store) Search(ctx context.Context, q Query) (Result, error) {
	result := Result{Traces: []Summary{}}
	at, ok, err := q.first()
	if err != nil || !ok {
		return result, err
	}
	err = s.view(func(tx *bbolt.Tx) error {
		result = Result{Traces: []Summary{}}
		return s.search(ctx, tx, q, at, &result)
	})
	return result, err
}

func (s *store) search(ctx context.Context, tx *bbolt.Tx, q Query, at position, result *Result) error {
	walk := intersection{streams: q.streams(tx)}
	corrupt := 0
	defer func() { s.telemetry.ExporterTraceStoreCorruptRecords.Add(ctx, int64(corrupt)) }()
	for {
		found, ok, done := walk.next(ctx, at)
		if done || ok && found.start() < q.earliest() {
			return nil
		}
		if !ok {
			if err := ctx.Err(); err != nil {
				return err
			}
			result.NextCursor = encodeCursor(found)
			return nil
		}
		if len(result.Traces) == q.limit() {
			result.NextCursor = encodeCursor(found)
			return nil
		}
		h, here, err := s.lookUp(tx, found.id())
		switch {
		case err != nil:
			corrupt++
		case here && q.matches(h):
			result.Traces = append(result.Traces, h.Meta.Summary)
		}
		if at, ok = found.before(); !ok {
			return nil
		}
	}
}

// lookUp reads the header of a trace, and false where it is not here.
func (s *store) lookUp(tx *bbolt.Tx, id pcommon.TraceID) (header, bool, error) {
	stored := tx.Bucket(bucketIDs).Get(id[:])
	if stored == nil {
		return header{}, false, nil
	}
	h, err := s.codec.header(tx.Bucket(bucketTraces).Get(slices.Concat(stored, id[:])))
	return h, err == nil, err
}

// first is where the search begins: at the cursor or the latest start. False where nothing can match.
func (q Query) first() (position, bool, error) {
	at := newest
	if !q.End.IsZero() {
		if q.End.Before(time.Unix(0, 0)) {
			return at, false, nil
		}
		binary.BigEndian.PutUint64(at[:], unixNano(q.End))
	}
	if q.Cursor == "" {
		return at, true, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err != nil || len(raw) != len(at) {
		return at, false, ErrCursor
	}
	if p := position(raw); p.compare(at) < 0 {
		at = p
	}
	return at, true, nil
}

// encodeCursor is the cursor of a search that goes on with the position.
func encodeCursor(p position) string { return base64.RawURLEncoding.EncodeToString(p[:]) }

// unixNano is a time as the index has it: 0 for all before 1970, the end of time for all after what fits.
func unixNano(t time.Time) uint64 {
	switch {
	case t.Before(time.Unix(0, 0)):
		return 0
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxUint64
	default:
		return uint64(t.UnixNano())
	}
}

func (q Query) earliest() uint64 {
	if q.Start.IsZero() {
		return 0
	}
	return unixNano(q.Start)
}

func (q Query) limit() int {
	if q.Limit <= 0 {
		return DefaultLimit
	}
	return min(q.Limit, MaxLimit)
}

// streams are what the index knows of the query. All of them must hold.
func (q Query) streams(tx *bbolt.Tx) []stream {
	index := tx.Bucket(bucketIndex)
	one := func(term uint64) stream { return posting{index.Cursor(), term} }
	var all []stream
	switch {
	case q.Service != "" && q.Operation != "":
		all = append(all, one(termOperation(q.Service, q.Operation)))
	case q.Service != "":
		all = append(all, one(termService(q.Service)))
	case q.Operation != "":
		all = append(all, operationOfAny(tx, q.Operation, one))
	}
	if q.Error {
		all = append(all, one(termError()))
	}
	if q.Policy != "" {
		all = append(all, one(termPolicy(q.Policy)))
	}
	if !q.LinksTo.IsEmpty() {
		all = append(all, one(termLink(q.LinksTo)))
	}
	if q.MinDuration > 0 || q.MaxDuration > 0 {
		var lengths union
		for _, term := range magnitudes(q.durations()) {
			lengths = append(lengths, one(term))
		}
		all = append(all, lengths)
	}
	if len(all) == 0 {
		all = append(all, one(termAll()))
	}
	return all
}

// operationOfAny is the stream of the traces with a span of that name, in whatever service.
func operationOfAny(tx *bbolt.Tx, name string, one func(uint64) stream) stream {
	any := union{}
	c := tx.Bucket(bucketOperations).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		if op, ok := operationOf(k); ok && op.name == name {
			any = append(any, one(termOperation(op.service, name)))
		}
	}
	return any
}

// durations are the query's bounds in nanoseconds.
func (q Query) durations() (shortest, longest uint64) {
	longest = math.MaxUint64
	if q.MaxDuration > 0 {
		longest = uint64(q.MaxDuration)
	}
	return uint64(max(q.MinDuration, 0)), longest
}

// matches checks what the index knows only roughly.
func (q Query) matches(h header) bool {
	shortest, longest := q.durations()
	return h.Duration >= shortest && h.Duration <= longest
}
