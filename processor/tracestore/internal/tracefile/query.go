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

// ErrCursor refuses a Query's cursor that no Result returned.
var ErrCursor = errors.New("the cursor is not one that a search returned: leave it out to start with the newest")

// Limits of a search.
const (
	DefaultLimit = 20
	MaxLimit     = 200
)

// Query selects traces. A zero value matches all traces; all others must match together.
type Query struct {
	// Service is a service with a span in the trace; Operation is the name of a span, of that service if both are set.
	Service, Operation string
	// MinDuration and MaxDuration bound a duration, both inclusive; Error selects status error. With Service or Operation, one span of
	// it meets these conditions together. Otherwise they are about the trace: its duration, and any span with an error.
	MinDuration, MaxDuration time.Duration
	Error                    bool
	// AnySpan makes these conditions be about the trace even with Service or Operation.
	AnySpan bool
	// Policy is the sampling policy that kept the trace.
	Policy string
	// LinksTo is another trace that a span of the trace links to.
	LinksTo pcommon.TraceID
	// Start and End bound the trace's start, both inclusive.
	Start, End time.Time
	// Limit is the largest number of traces to return: DefaultLimit if 0, at most MaxLimit.
	Limit int
	// Cursor continues after the last trace of an earlier Result of the same query.
	Cursor string
}

// Result is a page of found traces.
type Result struct {
	Traces []digest.Summary
	// NextCursor continues after this page; "" if it is the last one.
	NextCursor string
}

// Possible reports whether any trace can match. The error is ErrCursor.
func (q Query) Possible() (bool, error) {
	_, ok, err := q.first()
	return ok, err
}

// first returns where the search begins: at the cursor or the latest start. It returns false if nothing can
// match.
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

// encodeCursor returns the cursor of a search that continues at the position.
func encodeCursor(p position) string { return base64.RawURLEncoding.EncodeToString(p[:]) }

// unixNano returns a time as in the index: 0 for times before 1970, the largest number for times that do not
// fit.
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

// durations returns the query's bounds in nanoseconds.
func (q Query) durations() (shortest, longest uint64) {
	longest = math.MaxUint64
	if q.MaxDuration > 0 {
		longest = uint64(q.MaxDuration)
	}
	return uint64(max(q.MinDuration, 0)), longest
}

// spans returns the conditions that one span must meet together, and false if there are none.
func (q Query) spans() (digest.SpanQuery, bool) {
	s := digest.SpanQuery{Service: q.Service, Operation: q.Operation, Failed: q.Error}
	s.Shortest, s.Longest = q.durations()
	limited := q.Error || q.MinDuration > 0 || q.MaxDuration > 0
	return s, limited && !q.AnySpan && (q.Service != "" || q.Operation != "")
}

// verdict says whether a trace matches, as far as its header tells. The index has only magnitudes of durations.
func (q Query) verdict(h *digest.Header) digest.Verdict {
	if spans, ok := q.spans(); ok {
		return spans.Header(h)
	}
	if shortest, longest := q.durations(); h.Duration < shortest || h.Duration > longest {
		return digest.Differs
	}
	return digest.Matches
}
