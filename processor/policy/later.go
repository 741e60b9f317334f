package policy

import (
	"math"
	"slices"
)

// Settled reports whether the decision about a trace that is not complete is certain already: whatever spans follow and
// whatever its randomness is, it will be sampled with threshold 0, or dropped.
//
// A trace that is only sampled by chance so far is not settled, though its randomness is known: a policy that samples it
// for certain may yet turn up, and the threshold that the chance had would then make too many of it.
func (s *Set) Settled(t *Trace) bool {
	for _, i := range s.drops {
		if r := s.policies[i].rule; lasts(r) {
			if th, ok := r.match(t); ok && th == 0 {
				return true
			}
		}
	}
	if len(s.drops) > 0 {
		return false // a span that makes one of them drop the trace may follow
	}
	for _, i := range s.samplers {
		if r := s.policies[i].rule; lasts(r) {
			if th, ok := r.match(t); ok && th == 0 {
				return true
			}
		}
	}
	return false
}

// lasts reports whether the rule, once it matches a trace, goes on to match it with the same threshold whatever spans
// follow.
func lasts(r rule) bool {
	switch r := r.(type) {
	case always, anyBit, chance, hashed:
		return true
	case duration:
		return !r.bounded()
	case spanCount:
		return !r.bounded()
	case latencySeen:
		return !r.bounded()
	case sequence:
		return lasts(r.all)
	case all:
		return !slices.ContainsFunc(r, func(r rule) bool { return !lasts(r) })
	default:
		return false
	}
}

// Unsettled lists the policies by which no trace can be settled before it is complete, because they have an upper bound or
// remember other traces. They are those that contrib's processor calls stateful.
func (s *Set) Unsettled() (names []string) {
	for i := range s.policies {
		if p := &s.policies[i]; countsAny(p.rule) || boundsAny(p.rule) {
			names = append(names, p.name)
		}
	}
	return names
}

// boundsAny reports whether the rule, or one that it is made of, has an upper bound.
func boundsAny(r rule) bool {
	switch r := r.(type) {
	case interface{ bounded() bool }:
		return r.bounded()
	case interface{ rules() []rule }:
		return slices.ContainsFunc(r.rules(), boundsAny)
	default:
		return false
	}
}

func (d duration) bounded() bool { return d.upTo != math.MaxUint64 }

func (s spanCount) bounded() bool { return s.most != math.MaxInt }

// Revise decides about a trace that Decide did not sample and of which more is known since, and writes votes as Decide
// does. Policies that have a rate or a period said what they had to say, and took account of the trace then: they do not
// vote now, and are only told that it is kept after all.
func (s *Set) Revise(t *Trace, votes []Vote) Decision {
	defer t.release()
	d := s.steady.decide(t, t.Randomness, votes)
	if d.Verdict != Sampled || len(s.counting) == 0 {
		return d
	}
	s.state.Lock()
	defer s.state.Unlock()
	d.Weightless = d.Weightless || s.sparedByLimit(t)
	for _, c := range s.keepers {
		c.kept(t)
	}
	return d
}

// sparedByLimit reports whether a drop policy with a limit is for the trace. It dropped others like it by their randomness, at a
// threshold that is not known any more.
func (s *Set) sparedByLimit(t *Trace) bool {
	return slices.ContainsFunc(s.counting, func(i int) bool {
		p := &s.policies[i]
		if p.kind != Drop {
			return false
		}
		_, ok := p.rule.match(t)
		return ok
	})
}

// withoutCounting is the set as far as its policies know nothing of other traces.
func (s *Set) withoutCounting() *Set {
	counts := func(i int) bool { return slices.Contains(s.counting, i) }
	return &Set{
		policies:       s.policies,
		drops:          slices.DeleteFunc(slices.Clone(s.drops), counts),
		weightlessDrop: s.weightlessDrop,
		samplers:       slices.DeleteFunc(slices.Clone(s.samplers), counts),
	}
}
