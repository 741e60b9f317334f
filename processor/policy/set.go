package policy

import (
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/conditions"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Set is a list of compiled policies. Its methods may be called concurrently, but for the bits of the same trace one at a
// time.
type Set struct {
	policies []policy
	warnings []string
	skeleton bool // a policy reads it

	words      int
	questions  ask.Questions
	conditions *conditions.Set

	all    ballot
	steady ballot  // without the policies that count, for Revise
	memory *memory // of those that do
}

// Len returns the number of policies. They are numbered in the order of the configuration, from 0.
func (s *Set) Len() int { return len(s.policies) }

// Name returns the policy's name, and that of None is empty.
func (s *Set) Name(policy int) string {
	if policy == None {
		return ""
	}
	return s.policies[policy].name
}

// Type returns the policy's type.
func (s *Set) Type(policy int) Type { return s.policies[policy].kind }

// Subs returns the names of the sub-policies that Decision.Sub numbers: those of a composite policy, and none of others.
func (s *Set) Subs(policy int) []string {
	if split := s.policies[policy].node.Split; split != nil {
		return split.Names()
	}
	return nil
}

// Warnings are what a user should be told of policies that are valid but may not do what they seem to.
func (s *Set) Warnings() []string { return s.warnings }

// NeedsSkeleton reports whether a policy reads Trace.Skeleton.
func (s *Set) NeedsSkeleton() bool { return s.skeleton }

// Words returns how many uint64 hold the bits of a trace; at least 1.
func (s *Set) Words() int { return s.words }

// Errors reports whether the trace has a span whose status is ERROR, which Observe always looks for. It is the strongest
// reason not to lose a trace under pressure, whatever the policies say.
func (s *Set) Errors(bits []uint64) bool { return rule.IsSet(bits, rule.ErrorBit) }

// EvaluationErrors returns how often a condition could not be evaluated so far.
func (s *Set) EvaluationErrors() uint64 { return s.conditions.Errors() }

// Observe looks at one span of a trace for what policies want to know and sets the bits of what it found. What is
// answered already is not looked for again.
func (s *Set) Observe(bits []uint64, v *SpanView) {
	if s.conditions.Open(bits) {
		c := s.conditions.Begin(v)
		s.questions.Observe(bits, v, c.Values())
		s.conditions.End(bits, c)
	} else {
		s.questions.Observe(bits, v, nil)
	}
	if !v.ResourceKnown {
		s.ResourceBits(v.Resource, bits)
	}
}

// ResourceBits sets the bits of what policies want to know of a resource. resource is the body of a ResourceSpans or its
// header.
func (s *Set) ResourceBits(resource []byte, bits []uint64) {
	s.questions.Resource(bits, resource)
	if s.conditions.OpenResource(bits) {
		s.conditions.Resource(bits, resource)
	}
}
