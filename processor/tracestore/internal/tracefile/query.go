package tracefile

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
)

// ErrCursor says that a Query's cursor is none that a Result gave.
var ErrCursor = errors.New("the cursor is not one that a search returned: leave it out to start with the newest")

// Limits of a search.
const (
	DefaultLimit = 20
	MaxLimit     = 200
)

// Query says which traces to find. Zero values match all; what is set must hold together.
type Query struct {
	// Service is a service that has a span in the trace; Operation the name of a span, of that service if both are set.
	Service, Operation string
	// MinDuration and MaxDuration bound the trace's duration, both inclusive.
	MinDuration, MaxDuration time.Duration
	// Error wants a span with status error.
	Error bool
	// Policy is the sampling policy that kept the trace.
	Policy string
	// LinksTo is another trace that a span of the trace links to.
	LinksTo pcommon.TraceID
	// Start and End bound the trace's start, both inclusive.
	Start, End time.Time
	// Limit is how many traces to return: DefaultLimit if 0, at most MaxLimit.
	Limit int
	// Cursor goes on after the last trace of an earlier Result of the same query.
	Cursor string
}

// Result is a page of found traces.
type Result struct {
	Traces []digest.Summary
	// NextCursor goes on where this page ends; "" where there is no more.
	NextCursor string
}

// Possible reports whether a trace can match at all. The error is ErrCursor.
func (q Query) Possible() (bool, error) {
	_, ok, err := q.first()
	return ok, err
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

// durations are the query's bounds in nanoseconds.
func (q Query) durations() (shortest, longest uint64) {
	longest = math.MaxUint64
	if q.MaxDuration > 0 {
		longest = uint64(q.MaxDuration)
	}
	return uint64(max(q.MinDuration, 0)), longest
}

// matches reports whether a trace fits the durations of the query, which the index knows only by magnitude.
func (q Query) matches(h digest.Header) bool {
	shortest, longest := q.durations()
	return h.Duration >= shortest && h.Duration <= longest
}
