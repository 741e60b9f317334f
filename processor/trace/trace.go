package trace

import "github.com/slowburn/slowburn/internal/wire"

// Trace is an assembled trace. It may be read concurrently while the bytes of its wire.Kept are valid.
type Trace struct {
	ID wire.TraceID
	// Policy is the sampling policy that kept the trace, from the marks on it, its scopes or its spans; "" if
	// unknown.
	Policy string
	// Spans is the forest in preorder: a span, its first child with all descendants, its second child. Siblings are
	// sorted by corrected start.
	Spans []Span
	// Roots are the indexes of the spans without a parent, in order.
	Roots []int
	// Primary is the index of the root that represents the trace: the earliest of kind SERVER, CONSUMER or INTERNAL,
	// otherwise the earliest. It is synthetic only if Provisional. It is -1 without spans.
	Primary int
	// Provisional reports whether no span of the trace is a root, so that the primary root is synthetic: the real one
	// may be late.
	Provisional bool
	// Start and End are the corrected range of the trace, in Unix nanoseconds, over spans with plausible times.
	Start, End uint64
	// Resources are the distinct resources by attributes; Span.Resource is an index into it.
	Resources []*Resource
	// Clocks are the clocks of the spans; Span.Clock is an index into it.
	Clocks []Clock
	// Clock is the worst status among the clocks, and ClockResidual if any span had to be moved on its own.
	Clock ClockStatus
	// Orphans counts the spans whose parent is missing.
	Orphans int
	// Identical are the indexes of spans that were left out as copies of another. They count as in Origin.
	Identical []int
	// Warnings say, in sentences, what was dropped or could not be corrected.
	Warnings []string
}

// Uncertainty returns the largest error of a span's corrected times in nanoseconds, false if nothing bounds it. It is 0
// for a span that was not moved.
func (t *Trace) Uncertainty(s *Span) (uint64, bool) {
	if s.Clock < 0 || s.Offset() == 0 {
		return 0, true
	}
	if s.Residual != 0 || s.Shift != 0 {
		return 0, false
	}
	u := t.Clocks[s.Clock].Uncertainty
	return uint64(max(u, 0)), u >= 0
}

// Entry returns the index of the first real span at or below the primary root: people name the trace by it. It is
// -1 without spans.
func (t *Trace) Entry() int {
	for i := t.Primary; i >= 0 && i < len(t.Spans); i++ {
		if !t.Spans[i].Synthetic {
			return i
		}
	}
	return -1
}
