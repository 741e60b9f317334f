package policy

import "github.com/slowburn/slowburn/internal/wire"

// SpanView is a span where its bytes are.
type SpanView struct {
	Span *wire.Span
	// Bytes are those that the ranges of Span are of: of the request, or Body if Span was made by wire.ParseSpan.
	Bytes []byte
	// Body is the Span message.
	Body []byte
	// Resource is the body of the ResourceSpans that the span is in, and Scope of the ScopeSpans, or their headers.
	Resource, Scope []byte
	// ResourceKnown says that the caller ORs in what ResourceBits finds of the resource.
	ResourceKnown bool
}

// Name is the span's name.
func (v *SpanView) Name() []byte { return v.Span.Name.Of(v.Bytes) }

// TraceState is the span's W3C trace state.
func (v *SpanView) TraceState() []byte { return v.Span.TraceState.Of(v.Bytes) }

// Observe looks at one span of a trace for what policies want to know and sets the bits of what it found. What is
// answered already is not looked for again.
func (s *Set) Observe(bits []uint64, v *SpanView) {
	if code := v.Span.Status; code >= 0 && code < statusCodes && s.status[code] != unasked {
		set(bits, s.status[code])
	}
	var c *spanContext
	if s.conditionBits.open(bits) {
		c = s.contexts.get(v, s.values)
	}
	for i := range s.attributes {
		if a := &s.attributes[i]; a.bits.open(bits) || c != nil && a.wanted {
			a.walk(bits, v.Body, c)
		}
	}
	if c != nil {
		for i := range s.conditions {
			if q := &s.conditions[i]; !isSet(bits, q.bit) && q.holds(c) {
				set(bits, q.bit)
			}
		}
		s.contexts.put(c)
	}
	for i := range s.questions {
		if q := &s.questions[i]; !isSet(bits, q.bit) && q.predicate.holds(v) {
			set(bits, q.bit)
		}
	}
	for _, o := range s.observers {
		o.observe(bits, v)
	}
	if !v.ResourceKnown {
		s.ResourceBits(v.Resource, bits)
	}
}

// spanPredicate is a question about a span as a whole.
type spanPredicate interface{ holds(v *SpanView) bool }

// spanQuestion has a bit, which is set once its predicate held for a span.
type spanQuestion struct {
	bit       int
	predicate spanPredicate
}

// observer looks at each span of a trace for what a bit cannot hold. It may write to the words that it got from
// compiler.word, so that the order of spans, and seeing one twice, does not matter.
type observer interface {
	observe(words []uint64, v *SpanView)
}

// ResourceBits sets the bits of what policies want to know of a resource. resource is the body of a ResourceSpans or its
// header.
func (s *Set) ResourceBits(resource []byte, bits []uint64) {
	for i := range s.attributes {
		if a := &s.attributes[i]; a.bits.open(bits) {
			a.walkResource(bits, resource)
		}
	}
	if s.resourceConditionBits.open(bits) {
		c := s.contexts.ofResource(resource)
		for i := range s.resourceConditions {
			if q := &s.resourceConditions[i]; !isSet(bits, q.bit) && q.holds(c) {
				set(bits, q.bit)
			}
		}
		s.contexts.put(c)
	}
}
