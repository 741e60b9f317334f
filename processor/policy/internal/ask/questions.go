package ask

import (
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Questions is what the policies of a set want to know of single spans. Its methods may be called concurrently.
type Questions struct {
	status    [wire.NumStatuses]int
	groups    []keys
	spans     []spanQuestion
	observers []Observer
}

// unasked stands for the bit of a status that no policy asks for.
const unasked = -1

// SpanPredicate is a question about a span as a whole.
type SpanPredicate interface{ Holds(v *rule.SpanView) bool }

// spanQuestion has a bit, which is set once its predicate held for a span.
type spanQuestion struct {
	bit       int
	predicate SpanPredicate
}

// Observer looks at each span of a trace for what a bit cannot hold. It may write to the words that it got from
// Builder.Word, so that the order of spans, and seeing one twice, does not matter.
type Observer interface {
	Observe(words []uint64, v *rule.SpanView)
}

// Observe looks at one span of a trace, but not at its resource, and sets the bits of what it found. What is answered
// already is not looked for again. Unless values is nil it gets the values of the attributes that have a place there.
func (q *Questions) Observe(bits []uint64, v *rule.SpanView, values []wire.Value) {
	if code := v.Span.Status; code >= 0 && code < wire.NumStatuses && q.status[code] != unasked {
		rule.Set(bits, q.status[code])
	}
	for i := range q.groups {
		if k := &q.groups[i]; k.bits.Open(bits) || values != nil && k.wanted {
			k.walk(bits, v.Body, values)
		}
	}
	for i := range q.spans {
		if s := &q.spans[i]; !rule.IsSet(bits, s.bit) && s.predicate.Holds(v) {
			rule.Set(bits, s.bit)
		}
	}
	for _, o := range q.observers {
		o.Observe(bits, v)
	}
}

// Resource sets the bits of what is asked of a resource. resource is the body of a ResourceSpans or its header.
func (q *Questions) Resource(bits []uint64, resource []byte) {
	for i := range q.groups {
		if k := &q.groups[i]; k.bits.Open(bits) {
			k.walkResource(bits, resource)
		}
	}
}
