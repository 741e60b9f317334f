package trace

import "github.com/slowburn/slowburn/internal/wire"

// LinkTarget says what a link points to.
type LinkTarget uint8

// What a link can point to.
const (
	// LinkTrace: another trace.
	LinkTrace LinkTarget = iota
	// LinkSpan: another span of this trace, which is not above the linking one.
	LinkSpan
	// LinkSelf: the span itself.
	LinkSelf
	// LinkAncestor: a span above it.
	LinkAncestor
	// LinkMissing: a span of this trace that is not here.
	LinkMissing
)

var linkTargetNames = [...]string{"trace", "span", "self", "ancestor", "missing"}

func (t LinkTarget) String() string { return linkTargetNames[t] }

// Recorded says what a link's flags tell about whether its target was sampled when the link was made.
type Recorded uint8

// What a link's flags can tell.
const (
	// RecordedUnknown: the SDK did not say.
	RecordedUnknown Recorded = iota
	// RecordedYes: it was sampled; where it is not stored it was dropped later, or has expired.
	RecordedYes
	// RecordedNever: it was not sampled at its head, so nobody ever had it.
	RecordedNever
)

// Link is a span's link. It is never an edge of the tree.
type Link struct {
	Data   wire.SpanLink
	Target LinkTarget
	// Span is the target's index in Trace.Spans, and -1 where the target is not in this trace.
	Span     int
	Recorded Recorded
}
