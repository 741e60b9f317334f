package tally

import (
	"cmp"
	"slices"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// Shadow counts what the shadow of one version would have done with the traces that began under that version. The zero
// Shadow is of no version.
type Shadow struct {
	Version              *version.Version
	Decided              [Verdicts]Amount
	Policies             []ShadowPolicy // by index in the shadow
	OnlyShadow, OnlyReal Amount         // what only one of the two would keep
	differences          []Difference   // the latest ones
	oldest               int            // of these, once there are maxDifferences
}

// ShadowPolicy is what a policy of the shadow would have sampled or dropped, of what it is the first to.
type ShadowPolicy struct{ Sampled, Dropped Amount }

// Difference is a trace that only one of the two would keep.
type Difference struct {
	ID           wire.TraceID
	At           clock.UnixMilli
	Shadow, Real policy.Verdict
}

// maxDifferences is how many of the latest traces are kept on which the shadow and the policies differ.
const maxDifferences = 100

// Compare counts a decision that was compared with the shadow's, if it was made by this version. at is when.
func (s *Shadow) Compare(d *decision.Decided, at clock.UnixMilli) {
	if !d.Shadow.Compared || d.Version != s.Version {
		return
	}
	amount, shadow := amountOf(d), d.Shadow
	s.Decided[shadow.Verdict].add(amount)
	if shadow.Policy != policy.None {
		for shadow.Policy >= len(s.Policies) {
			s.Policies = append(s.Policies, ShadowPolicy{})
		}
		if counts := &s.Policies[shadow.Policy]; shadow.Verdict == policy.Sampled {
			counts.Sampled.add(amount)
		} else {
			counts.Dropped.add(amount)
		}
	}
	switch kept := d.ByPolicies() == policy.Sampled; {
	case kept == (shadow.Verdict == policy.Sampled):
		return
	case kept:
		s.OnlyReal.add(amount)
	default:
		s.OnlyShadow.add(amount)
	}
	s.differ(Difference{ID: d.ID, At: at, Shadow: shadow.Verdict, Real: d.ByPolicies()})
}

func (s *Shadow) differ(d Difference) {
	if len(s.differences) < maxDifferences {
		s.differences = append(s.differences, d)
		return
	}
	s.differences[s.oldest] = d
	s.oldest = (s.oldest + 1) % maxDifferences
}

// Add adds another shard's.
func (s *Shadow) Add(o *Shadow) {
	for v := range s.Decided {
		s.Decided[v].add(o.Decided[v])
	}
	for i := range o.Policies {
		if i == len(s.Policies) {
			s.Policies = append(s.Policies, ShadowPolicy{})
		}
		s.Policies[i].Sampled.add(o.Policies[i].Sampled)
		s.Policies[i].Dropped.add(o.Policies[i].Dropped)
	}
	s.OnlyShadow.add(o.OnlyShadow)
	s.OnlyReal.add(o.OnlyReal)
	s.differences = append(s.differences, o.differences...)
}

// Differences are the latest of all that was added up, the latest first.
func (s *Shadow) Differences() []Difference {
	slices.SortFunc(s.differences, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(b.At, a.At), slices.Compare(a.ID[:], b.ID[:]))
	})
	return s.differences[:min(len(s.differences), maxDifferences)]
}
