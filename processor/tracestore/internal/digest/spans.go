package digest

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/slowburn/slowburn/internal/brief"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

// Extent has the longest spans of a service in a trace, in nanoseconds.
type Extent struct {
	// Longest is the longest duration, LongestFailed the longest of the spans with status error.
	Longest, LongestFailed uint64
}

// add adds a span.
func (e *Extent) add(duration uint64, failed bool) {
	e.Longest = max(e.Longest, duration)
	if failed {
		e.LongestFailed = max(e.LongestFailed, duration)
	}
}

// merge adds the spans of another extent.
func (e *Extent) merge(o Extent) {
	e.Longest, e.LongestFailed = max(e.Longest, o.Longest), max(e.LongestFailed, o.LongestFailed)
}

// SpanQuery selects traces with one span that meets all conditions.
type SpanQuery struct {
	// Service and Operation are the span's; "" stands for any.
	Service, Operation string
	// Failed selects spans with status error.
	Failed bool
	// Shortest and Longest bound the span's duration in nanoseconds, both inclusive.
	Shortest, Longest uint64
}

// Verdict is what is known of a trace without reading its spans.
type Verdict int

// The verdicts: the spans must be read, the trace has such a span, it has none.
const (
	Unknown Verdict = iota
	Matches
	Differs
)

// Streams returns sets of terms: a trace that matches has a term of each set. The terms of operations of any service are the caller's.
func (q *SpanQuery) Streams() (all [][]uint64) {
	if q.Service == "" {
		if q.Failed {
			all = append(all, []uint64{TermError()})
		}
		if q.Shortest > 0 {
			all = append(all, TermsOfDurations(q.Shortest, 1<<63))
		}
		return all
	}
	if q.Failed {
		all = append(all, []uint64{TermFailed(q.Service)})
	}
	if from := classOf(q.Shortest); from > 0 {
		var terms []uint64
		for class := from; class <= maxClass; class++ {
			terms = append(terms, termLongest(q.Service, class))
		}
		all = append(all, terms)
	}
	return all
}

// Header returns what a trace's header tells.
func (q *SpanQuery) Header(h *Header) Verdict {
	s := &h.Meta.Summary
	if q.Operation != "" || q.Service == "" || len(q.Service) > maxNameBytes {
		return Unknown
	}
	at, known := slices.BinarySearchFunc(s.Services, brief.Text(q.Service, maxNameBytes), func(service ServiceSummary, name string) int {
		return strings.Compare(service.Name, name)
	})
	if !known || at >= len(h.Extents) {
		return Unknown // shortened texts change the order
	}
	longest := h.Extents[at].Longest
	if q.Failed {
		longest = h.Extents[at].LongestFailed
	}
	switch {
	case q.Failed && s.Services[at].Errors == 0, longest < q.Shortest:
		return Differs
	case longest <= q.Longest:
		return Matches
	}
	return Unknown
}

// Trace reports whether the trace has such a span.
func (q *SpanQuery) Trace(t *trace.Trace) bool {
	for i := range t.Spans {
		span := &t.Spans[i]
		if !span.Synthetic && q.span(span) {
			return true
		}
	}
	return false
}

func (q *SpanQuery) span(span *trace.Span) bool {
	duration := span.RawDuration()
	return (q.Service == "" || span.Service == q.Service) &&
		(q.Operation == "" || string(span.Data.Name) == q.Operation) &&
		(!q.Failed || span.Data.Status == wire.StatusError) &&
		duration >= q.Shortest && duration <= q.Longest
}

// The index has the longest span of a service as a class: a quarter of the durations of the next. Those below 1 ms have no
// term, and those above 4 h are of one class.
const (
	minClass = 10
	maxClass = 22
)

// classOf returns the class of a duration in nanoseconds, 0 if it has no term.
func classOf(nanoseconds uint64) int {
	class := min(bits.Len64(nanoseconds)/2, maxClass)
	if class < minClass {
		return 0
	}
	return class
}

// TermFailed is the term of the traces with a span of the service that has status error.
func TermFailed(service string) uint64 { return termOf('E', service) }

// termLongest is the term of the traces in which the service's longest span has this class.
func termLongest(service string, class int) uint64 {
	return termOf('D', service, string(rune(class)))
}
