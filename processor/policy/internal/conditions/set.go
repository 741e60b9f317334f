package conditions

import (
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Set holds the conditions of a set of policies. Its methods may be called concurrently.
type Set struct {
	spans        []list
	spanBits     rule.BitSet
	resource     []list // those that read only the resource
	resourceBits rule.BitSet
	values       int // number of attributes that conditions read
	contexts     contextPool
	errors       *evaluationErrors
}

// Open reports whether some condition on spans has not held yet.
func (s *Set) Open(bits []uint64) bool { return s.spanBits.Open(bits) }

// Begin returns a context for a span. The caller stores the values of attributes in it, and calls End.
func (s *Set) Begin(v *rule.SpanView) *Context { return s.contexts.get(v, s.values) }

// Values returns the slice for the values of attributes.
func (c *Context) Values() []wire.Value { return c.values }

// End sets the bits of the conditions that hold, and takes back the context.
func (s *Set) End(bits []uint64, c *Context) {
	evaluate(s.spans, bits, c)
	s.contexts.put(c)
}

// OpenResource reports whether some condition on resources has not held yet.
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

// Errors returns the number of failed evaluations so far.
func (s *Set) Errors() uint64 { return s.errors.count.Load() }
