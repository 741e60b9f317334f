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

// Open reports whether a condition on spans is left that has not held.
func (s *Set) Open(bits []uint64) bool { return s.spanBits.Open(bits) }

// Begin returns a context for a span. The caller puts the values of attributes into it, at their places, and calls End.
func (s *Set) Begin(v *rule.SpanView) *Context { return s.contexts.get(v, s.values) }

// Values is where the values of attributes go.
func (c *Context) Values() []wire.Value { return c.values }

// End sets the bits of the conditions that hold, and takes back the context.
func (s *Set) End(bits []uint64, c *Context) {
	evaluate(s.spans, bits, c)
	s.contexts.put(c)
}

// OpenResource reports whether a condition on resources is left that has not held.
func (s *Set) OpenResource(bits []uint64) bool { return s.resourceBits.Open(bits) }

// Resource sets the bits of the conditions that hold for a resource. resource is the body of a ResourceSpans or its header.
func (s *Set) Resource(bits []uint64, resource []byte) {
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
