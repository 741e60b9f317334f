package trace

import "github.com/slowburn/slowburn/internal/wire"

// LinkTarget is the kind of a link's target.
type LinkTarget uint8

// The kinds of targets.
const (
	// LinkTrace: another trace.
	LinkTrace LinkTarget = iota
	// LinkSpan: another span of this trace that is not an ancestor.
	LinkSpan
	// LinkSelf: the span itself.
	LinkSelf
	// LinkAncestor: an ancestor of the span.
	LinkAncestor
	// LinkMissing: a span of this trace that has not arrived.
	LinkMissing
)

var linkTargetNames = [...]string{"trace", "span", "self", "ancestor", "missing"}

func (t LinkTarget) String() string { return linkTargetNames[t] }

// Recorded says, from a link's flags, whether its target was sampled when the link was made.
type Recorded uint8

// The values of Recorded.
const (
	// RecordedUnknown: the SDK did not say.
	RecordedUnknown Recorded = iota
	// RecordedYes: it was sampled; if it is not stored, it was dropped later or has expired.
	RecordedYes
	// RecordedNever: it was not sampled at its head, so it was never sent.
	RecordedNever
)

// Link is a span's link. It is never an edge of the tree.
type Link struct {
	Data   wire.SpanLink
	Target LinkTarget
	// Span is the target's index in Trace.Spans, -1 if it is not in this trace.
	Span     int
	Recorded Recorded
}
