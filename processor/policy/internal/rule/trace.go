package rule

import (
	"iter"

	"github.com/slowburn/slowburn/internal/wire"
)

// SpanView is a span where its bytes are.
type SpanView struct {
	Span *wire.Span
	// Bytes are those that the ranges of Span are of: of the request, or Body if Span was made by wire.ParseSpan.
	Bytes []byte
	// Body is the Span message.
	Body []byte
	// Resource is the body of the ResourceSpans that the span is in, and Scope of the ScopeSpans, or their headers.
	Resource, Scope []byte
	// Origin is a number that no two spans of a trace have whose resources or scopes differ; 0 where there is none. It tells
	// equal resources apart from others without looking at them.
	Origin uint64
	// Memo remembers what was asked of resources; nil where that is not worth it. See ResourceAttribute.
	Memo *ResourceMemo
	// ResourceKnown says that the caller ORs in what Set.ResourceBits finds of the resource.
	ResourceKnown bool
}

// Name returns the span's name.
func (v *SpanView) Name() []byte { return v.Span.Name.Of(v.Bytes) }

// TraceState returns the span's W3C trace state.
func (v *SpanView) TraceState() []byte { return v.Span.TraceState.Of(v.Bytes) }

// Trace is what a decision is made from.
type Trace struct {
	ID wire.TraceID
	// Bits are what Set.Observe found, Set.Words() of them.
	Bits []uint64
	// Start is the earliest start and End the latest end of its spans, in nanoseconds since the Unix epoch. Leave out
	// spans whose start or end is 0, which says that it is unknown.
	Start, End uint64
	// Spans and Bytes say how large it is.
	Spans, Bytes int
	// Randomness is 56 bits: the explicit rv of its spans, else from the trace ID. See package tracestate.
	Randomness uint64
	// Now is the time of the decision in nanoseconds since some beginning, for policies that have a rate or a period. It
	// never goes back.
	Now int64
	// Skeleton reads the trace's spans, for policies that look at how they hang together. It is nil where they cannot be
	// had, and such policies then match nothing.
	Skeleton func() iter.Seq[SpanView]

	linked   *linked // made of it by Linked, until Release
	unlinked bool    // nothing could be
}

// Duration is from the earliest start to the latest end, in nanoseconds. It is 0 where the end is before the start.
func (t *Trace) Duration() uint64 {
	if t.End < t.Start {
		return 0
	}
	return t.End - t.Start
}

// Cost returns how many bytes it has, or spans, as a limit counts.
func (t *Trace) Cost(bytes bool) float64 {
	if bytes {
		return float64(t.Bytes)
	}
	return float64(t.Spans)
}

// ServiceName is the resource attribute that names a service.
const ServiceName = "service.name"
