package policy

import (
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/conditions"
	"github.com/slowburn/slowburn/processor/policy/internal/ordered"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// Set is a list of compiled policies. Its methods are safe for concurrent use, except that the bits of one trace must
// be used by one call at a time.
type Set struct {
	policies []policy
	warnings []string
	skeleton bool // a policy reads Trace.Skeleton

	words      int
	questions  ask.Questions
	conditions *conditions.Set

	all    ballot
	steady ballot  // without the policies that count, for Revise
	memory *memory // of the policies that count
}

// Len returns the number of policies. They are numbered in the order of the configuration, from 0.
func (s *Set) Len() int { return len(s.policies) }

// Name returns the policy's name, empty for None.
func (s *Set) Name(policy int) string {
	if policy == None {
		return ""
	}
	return s.policies[policy].name
}

// Type returns the policy's type.
func (s *Set) Type(policy int) Type { return s.policies[policy].kind }

// Percentage returns the percentage that a probabilistic policy samples of all traces, or a rule of those that it matches. It returns
// false for others.
func (s *Set) Percentage(policy int) (float64, bool) {
	switch section := s.policies[policy].config.Section.(type) {
	case *ProbabilisticConfig:
		return section.SamplingPercentage, true
	case RuleConfig:
		return ordered.Percentage(section.Sample)
	default:
		return 0, false
	}
}

// Subs returns the names of the sub-policies that Decision.Sub numbers. Only composite policies have any.
func (s *Set) Subs(policy int) []string {
	if split := s.policies[policy].node.Split; split != nil {
		return split.Names()
	}
	return nil
}

// Warnings describes policies that are valid but may not do what they seem to, a sentence each.
func (s *Set) Warnings() []string { return s.warnings }

// NeedsSkeleton reports whether a policy reads Trace.Skeleton.
func (s *Set) NeedsSkeleton() bool { return s.skeleton }

// Words returns how many uint64 hold the bits of a trace; at least 1.
func (s *Set) Words() int { return s.words }

// Errors reports whether the trace has a span with status ERROR, which Observe always looks for. It is the strongest
// reason to keep a trace under pressure, whatever the policies say.
func (s *Set) Errors(bits []uint64) bool { return rule.IsSet(bits, rule.ErrorBit) }

// EvaluationErrors returns the number of failed evaluations of conditions so far.
func (s *Set) EvaluationErrors() uint64 { return s.conditions.Errors() }

// Observe sets the bits of the questions that one span of a trace answers. It skips questions with a set bit.
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

// ResourceBits sets the bits of the questions that a resource answers. resource is the body of a ResourceSpans or its
// header.
func (s *Set) ResourceBits(resource []byte, bits []uint64) {
	s.questions.Resource(bits, resource)
	if s.conditions.OpenResource(bits) {
		s.conditions.Resource(bits, resource)
	}
}

// Decide evaluates all policies for the trace. It writes their votes to votes, unless that is nil; votes must have
// room for Len of them. Policies with a rate or a period count the trace, unless a drop policy drops it.
func (s *Set) Decide(t *Trace, votes []Vote) Decision {
	if s.memory.counts() {
		s.memory.mu.Lock()
		defer s.memory.mu.Unlock()
	}
	defer t.Release()
	d, first := s.all.decide(t, t.Randomness, votes)
	s.memory.take(t, d, first)
	return d
}

// Revise decides again about a trace that Decide did not sample and that got more spans since, and writes votes as
// Decide does. Policies with a rate or a period counted the trace in Decide: they do not vote again, and only learn
// if the trace is kept after all.
func (s *Set) Revise(t *Trace, votes []Vote) Decision {
	defer t.Release()
	d, _ := s.steady.decide(t, t.Randomness, votes)
	if d.Verdict != Sampled || !s.memory.counts() {
		return d
	}
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	d.Weightless = d.Weightless || s.memory.spared(t)
	s.memory.kept(t)
	return d
}

// Certain reports whether the trace, as far as it is known, would be kept with any randomness. Other traces are
// decided first when memory is short.
func (s *Set) Certain(t *Trace) bool {
	if s.memory.counts() {
		s.memory.mu.Lock()
		defer s.memory.mu.Unlock()
	}
	// A shard that is short of memory asks this about many traces; their spans are not read for it.
	skeleton, facts := t.Skeleton, t.Facts
	t.Skeleton, t.Facts = nil, nil
	defer func() { t.Skeleton, t.Facts = skeleton, facts }()
	d, _ := s.all.decide(t, 0, nil) // the lowest randomness passes the fewest thresholds
	return d.Verdict == Sampled
}

// Settled reports whether the decision about an incomplete trace is certain: whatever spans follow and whatever its
// randomness, it will be sampled with threshold 0, or dropped.
//
// A trace that only chance samples so far is not settled, though its randomness is known: a later span may make a policy
// sample it for certain, and the threshold of the chance would then give it too much weight.
func (s *Set) Settled(t *Trace) bool { return s.all.settled(t) }

// Unsettled lists the policies that keep every trace from being settled before it is complete, because they have an upper
// bound or remember other traces. Contrib's processor calls them stateful.
func (s *Set) Unsettled() (names []string) {
	for i := range s.policies {
		if p := &s.policies[i]; p.node.Traits&(rule.Counts|rule.Bounded) != 0 {
			names = append(names, p.name)
		}
	}
	return names
}

// Inherit takes over the counts of old's policies with a rate or a period, if name and configuration are the same.
// old does not change. Call it before the set decides.
func (s *Set) Inherit(old *Set) {
	old.memory.mu.Lock()
	defer old.memory.mu.Unlock()
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	s.memory.inherit(old.memory)
}

// Key returns the trace's key in a policy, in readable form: its values separated by commas, or OtherKey if there
// were too many keys. It is empty if the policy has no key, or the key has not been seen for long.
func (s *Set) Key(policy int, t *Trace) string {
	if policy == None {
		return ""
	}
	s.memory.mu.Lock()
	defer s.memory.mu.Unlock()
	return s.memory.key(policy, t)
}
