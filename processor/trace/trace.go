package trace

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Trace is a reconstructed trace. Whoever has it may read it concurrently.
type Trace struct {
	ID pcommon.TraceID
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
	Resources []pcommon.Resource
	// Clocks are the clocks that the spans were timed by; Span.Clock is an index into it.
	Clocks []Clock
	// Clock is the worst status among the clocks, and ClockResidual if any span had to be moved on its own.
	Clock ClockStatus
	// Orphans counts the spans whose parent is missing.
	Orphans int
	// Identical are the indexes of the Inputs that are copies of another and so stand for nothing in Spans.
	Identical []int
	// Warnings say, in sentences, what was dropped or could not be done.
	Warnings []string
}

// Span is a node of the forest: a span that arrived, or a synthetic one that stands for one that did not.
type Span struct {
	// Data is the span as it arrived; for FlagMerged, what several added up to. For a synthetic span only its IDs are set.
	Data ptrace.Span
	// Source is the index of the Input that this is; -1 for a synthetic span.
	Source int
	// Others are the indexes of the Inputs that were merged into it.
	Others []int
	// Synthetic says that the span never arrived: the placeholder of a missing parent, or the root above those.
	Synthetic bool
	// Cause is why a synthetic span is missing, as far as the trace tells.
	Cause Cause

	ID       pcommon.SpanID
	ParentID pcommon.SpanID // as it arrived, whatever became of it
	Kind     ptrace.SpanKind
	Scope    pcommon.InstrumentationScope
	Resource int // -1 for a synthetic span
	Service  string

	Parent   int   // index in Trace.Spans; -1 for a root
	Children []int // indexes in Trace.Spans
	Depth    int   // 0 for a root

	// Start and End are the raw times in Unix nanoseconds, as they arrived.
	Start, End uint64
	// CorrectedStart and CorrectedEnd are the times on the trace's common clock. Their difference is Duration.
	CorrectedStart, CorrectedEnd uint64
	// Clock is the index of the clock that timed the span; -1 for a synthetic span.
	Clock int
	// Residual is what was added to this span's times in nanoseconds, beyond its clock's offset, so that it does not
	// start before its parent.
	Residual int64

	Flags Flags
	Links []Link

	shift  int64 // residual of the same-clock ancestors and its own
	farEnd bool  // the end is garbage as a far future start is: it does not stretch the trace
}

// Duration is the span's duration in nanoseconds: 0 where it has not ended or ends before it starts.
func (s *Span) Duration() uint64 { return s.CorrectedEnd - s.CorrectedStart }

// Offset is what was added to the span's raw times, in nanoseconds. 0 for synthetic spans and where the start was taken
// from the parent.
func (s *Span) Offset() int64 {
	if s.Synthetic || s.Flags&badStart != 0 {
		return 0
	}
	return int64(s.CorrectedStart - s.Start)
}

// Uncertainty is how far the corrected times may be off, in nanoseconds, and false where nothing bounds it. A span that
// was not moved is as good as its own clock: 0.
func (t *Trace) Uncertainty(s *Span) (uint64, bool) {
	if s.Clock < 0 || s.Offset() == 0 {
		return 0, true
	}
	if s.Residual != 0 || s.shift != 0 {
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

// isServer and isClient tell the two ends of a call across processes.
func isServer(k ptrace.SpanKind) bool {
	return k == ptrace.SpanKindServer || k == ptrace.SpanKindConsumer
}

func isClient(k ptrace.SpanKind) bool {
	return k == ptrace.SpanKindClient || k == ptrace.SpanKindProducer
}
