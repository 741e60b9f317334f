package conditions

import (
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Set is the conditions of a set of policies. Its methods may be called concurrently.
type Set struct {
	spans        []list
	spanBits     rule.BitSet
	resource     []list // those that a resource answers
	resourceBits rule.BitSet
	values       int // of attributes that conditions read
	contexts     contextPool
	errors       *evaluationErrors
}

// Begin returns a context for a span, nil if no condition is left that has not held. The caller puts the values of
// attributes into it, at their places, and calls End.
func (s *Set) Begin(bits []uint64, v *rule.SpanView) *Context {
	if !s.spanBits.Open(bits) {
		return nil
	}
	return s.contexts.get(v, s.values)
}

// Values is where the values of attributes go, nil if there is no context.
func (c *Context) Values() []wire.Value {
	if c == nil {
		return nil
	}
	return c.values
}

// End sets the bits of the conditions that hold, and takes back the context.
func (s *Set) End(bits []uint64, c *Context) {
	evaluate(s.spans, bits, c)
	s.contexts.put(c)
}

// Resource sets the bits of the conditions that hold for a resource. resource is the body of a ResourceSpans or its header.
func (s *Set) Resource(bits []uint64, resource []byte) {
	if !s.resourceBits.Open(bits) {
		return
	}
	c := s.contexts.ofResource(resource)
	evaluate(s.resource, bits, c)
	s.contexts.put(c)
}

func evaluate(lists []list, bits []uint64, c *Context) {
	for i := range lists {
		if l := &lists[i]; !rule.IsSet(bits, l.bit) && l.holds(c) {
			rule.Set(bits, l.bit)
		}
	}
}

// Errors returns how often a condition could not be evaluated so far.
func (s *Set) Errors() uint64 { return s.errors.count.Load() }
