package trace

import "github.com/slowburn/slowburn/internal/wire"

// Trace is a reconstructed trace. Whoever has it may read it concurrently, as long as the bytes are valid that it was made of.
type Trace struct {
	ID wire.TraceID
	// Policy is the sampling policy that kept the trace, as its marks, scopes or spans say; "" where none does.
	Policy string
	// Spans is the forest in preorder: a span, its first child and all below, its second child. Siblings are in the
	// order of their corrected starts.
	Spans []Span
	// Roots are the indexes of the spans without a parent, in order.
	Roots []int
	// Primary is the index of the root that stands for the trace: the earliest of kind SERVER, CONSUMER or INTERNAL,
	// else the earliest. It is synthetic only where Provisional. -1 without spans.
	Primary int
	// Provisional says that no span of the trace is a root, so the primary root is synthetic: the real one may be late.
	Provisional bool
	// Start and End are the corrected range of the trace, in Unix nanoseconds, of the spans whose times can be trusted.
	Start, End uint64
	// Resources are the distinct resources by their attributes; Span.Resource is an index into it.
	Resources []*Resource
	// Clocks are the clocks that the spans were timed by; Span.Clock is an index into it.
	Clocks []Clock
	// Clock is the worst status among the clocks, and ClockResidual if any span had to be moved on its own.
	Clock ClockStatus
	// Orphans counts the spans whose parent is missing.
	Orphans int
	// Identical are the indexes of the spans that are copies of another and so stand for nothing in Spans. They count as
	// Origin does.
	Identical []int
	// Warnings say, in sentences, what was dropped or could not be done.
	Warnings []string
}

// Uncertainty is how far the corrected times may be off, in nanoseconds, and false where nothing bounds it. A span that
// was not moved is as good as its own clock: 0.
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

// Entry is the index of the first real span at or below the primary root: what people would call the trace by. -1
// without spans.
func (t *Trace) Entry() int {
	for i := t.Primary; i >= 0 && i < len(t.Spans); i++ {
		if !t.Spans[i].Synthetic {
			return i
		}
	}
	return -1
}
