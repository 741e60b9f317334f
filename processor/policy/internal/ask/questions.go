package ask

import (
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Questions are the questions that the policies of a set ask about single spans. Its methods may be called
// concurrently.
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

// spanQuestion has a bit that is set once its predicate has held for a span.
type spanQuestion struct {
	bit       int
	predicate SpanPredicate
}

// Observer sees each span of a trace, for facts that a bit cannot hold. It may write to its words from
// Builder.Word, but neither the order of spans nor seeing one twice may matter.
type Observer interface {
	Observe(words []uint64, v *rule.SpanView)
}

// Observe sets the bits of the questions that a span of a trace answers, its resource aside. It skips questions with
// a set bit. It also stores the attributes that conditions read in values, unless that is nil.
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

// Resource sets the bits of the questions that a resource answers. resource is the body of a ResourceSpans or
// its header.
func (q *Questions) Resource(bits []uint64, resource []byte) {
	for i := range q.groups {
		if k := &q.groups[i]; k.bits.Open(bits) {
			k.walkResource(bits, resource)
		}
	}
}
