package rule

import (
	"iter"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace/skeleton"
)

// SpanView is a span in its encoded form.
type SpanView struct {
	Span *wire.Span
	// Bytes are the bytes that the ranges of Span refer to: the request, or Body if Span was made by
	// wire.ParseSpan.
	Bytes []byte
	// Body is the Span message.
	Body []byte
	// Resource is the body of the span's ResourceSpans, Scope that of its ScopeSpans, or their headers.
	Resource, Scope []byte
	// Origin is equal only for spans of a trace with the same resource and scope; 0 if unknown. It identifies a resource
	// without comparing its bytes.
	Origin uint64
	// Memo remembers attributes of resources; nil if that is not worth it. See ResourceAttribute.
	Memo *ResourceMemo
	// ResourceKnown reports that the caller ORs in the bits of Set.ResourceBits.
	ResourceKnown bool
}

// Name returns the span's name.
func (v *SpanView) Name() []byte { return v.Span.Name.Of(v.Bytes) }

// TraceState returns the span's W3C trace state.
func (v *SpanView) TraceState() []byte { return v.Span.TraceState.Of(v.Bytes) }

// Trace is the evidence for a decision.
type Trace struct {
	ID wire.TraceID
	// Bits are the bits that Set.Observe set, Set.Words() words.
	Bits []uint64
	// Start is the earliest start and End the latest end of its spans, in nanoseconds since the Unix epoch, without
	// spans whose start or end is 0, which means unknown.
	Start, End uint64
	// Spans and Bytes are its size.
	Spans, Bytes int
	// Randomness has 56 bits: the explicit rv of its spans, otherwise from the trace ID. See package
	// tracestate.
	Randomness uint64
	// Now is the time of the decision in nanoseconds since some instant, for policies that have a rate or a period. It
	// never goes back.
	Now int64
	// Skeleton reads the trace's spans, for policies that look at their tree. It is nil if they cannot be read; such
	// policies then match nothing.
	Skeleton func() iter.Seq[SpanView]
	// Facts appends to the Skeleton what was stored of the spans apart, and reports whether it read all that there is. Where it does not,
	// or there is less than of Spans spans, Skeleton is read. It may be nil.
	Facts func(*skeleton.Skeleton) bool

	linked   *linked // built by Linked, until Release
	unlinked bool    // Linked could not build it
}

// Duration is the time from the earliest start to the latest end, in nanoseconds. It is 0 if the end is before the
// start.
func (t *Trace) Duration() uint64 {
	if t.End < t.Start {
		return 0
	}
	return t.End - t.Start
}

// Cost returns the number of its bytes, or of its spans, as limits count them.
func (t *Trace) Cost(bytes bool) float64 {
	if bytes {
		return float64(t.Bytes)
	}
	return float64(t.Spans)
}

// ServiceName is the resource attribute that names a service.
const ServiceName = "service.name"
