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
// Shadow belongs to no version.
type Shadow struct {
	Version              *version.Version
	Decided              [Verdicts]Amount
	Policies             []ShadowPolicy // by index in the shadow
	OnlyShadow, OnlyReal Amount         // kept by only one of the two
	differences          []Difference   // the latest
	oldest               int            // index of the oldest difference, once there are maxDifferences
}

// ShadowPolicy is the amount that a policy of the shadow would have sampled or dropped, if it was the first
// to do so.
type ShadowPolicy struct{ Sampled, Dropped Amount }

// Difference is a trace about which the policies and their shadow differ.
type Difference struct {
	ID           wire.TraceID
	At           clock.UnixMilli
	Shadow, Real policy.Verdict
}

// maxDifferences is the number of the latest differences that are remembered.
const maxDifferences = 100

// Compare counts a decision, made at an instant, against the shadow's, if it belongs to this version.
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

// Add adds the counts of another shard.
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

// Differences returns the latest differences, the latest first.
func (s *Shadow) Differences() []Difference {
	slices.SortFunc(s.differences, func(a, b Difference) int {
		return cmp.Or(cmp.Compare(b.At, a.At), slices.Compare(a.ID[:], b.ID[:]))
	})
	return s.differences[:min(len(s.differences), maxDifferences)]
}
