package policy

import (
	"slices"

	"github.com/slowburn/slowburn/processor/policy/internal/ordered"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

// policy is a compiled policy of a set.
type policy struct {
	rule   rule.Rule // of node
	node   rule.Node
	kind   Type
	name   string
	config Config
}

func newPolicy(cfg *Config, node rule.Node) policy {
	return policy{rule: node.Rule, node: node, kind: cfg.Type, name: cfg.Name, config: *cfg}
}

// ballot holds policies that vote on a trace.
type ballot struct {
	policies       []policy
	drops          []int // policies of type drop
	samplers       []int // the others
	weightlessDrop bool  // a drop policy is weightless, and so are the traces that it spares
	ordered        bool  // samplers are rules: the first that matches decides
}

func newBallot(policies []policy) ballot {
	b := ballot{policies: policies}
	for i := range policies {
		if p := &policies[i]; p.kind == Drop {
			b.drops = append(b.drops, i)
			b.weightlessDrop = b.weightlessDrop || p.node.Traits.Has(rule.Weightless)
		} else {
			b.samplers = append(b.samplers, i)
		}
	}
	return b
}

// newOrderedBallot returns a ballot of rules, and of policies of type drop.
func newOrderedBallot(rules []policy) ballot {
	b := newBallot(rules)
	b.ordered = true
	return b
}

// without returns the ballot without the policies that have the trait. A rule that has it stays and samples nothing, because a
// trace that it matches must not reach the rules after it.
func (b ballot) without(trait rule.Traits) ballot {
	has := func(i int) bool { return b.policies[i].node.Traits.Has(trait) }
	b.drops = slices.DeleteFunc(slices.Clone(b.drops), has)
	if b.ordered {
		b.policies = slices.Clone(b.policies)
		for _, i := range b.samplers {
			if p := &b.policies[i]; has(i) {
				p.rule = p.node.Rule.(*ordered.Rule).WithoutSample()
			}
		}
		return b
	}
	b.samplers = slices.DeleteFunc(slices.Clone(b.samplers), has)
	return b
}

// decide returns the decision about a trace as if it had this randomness, and the first policy that sampled or
// dropped it. Of rules it returns the one that decided, whether it sampled or not.
func (b *ballot) decide(t *Trace, randomness uint64, votes []Vote) (d Decision, first int) {
	// A drop policy with a chance thins the traces, so the weights of the others must grow.
	var least uint64
	clear(votes)
	for _, i := range b.drops {
		if th, ok := b.policies[i].rule.Match(t); ok {
			survivors := threshold.Complement(th)
			if votes != nil {
				votes[i] = Vote{Matched: true, Threshold: survivors}
			}
			if randomness < survivors {
				return Decision{Verdict: Dropped, Policy: i, Sub: None}, i
			}
			least = max(least, survivors)
		}
	}
	if b.ordered {
		if d, first = b.decideInOrder(t, randomness, votes); d.Verdict == Sampled {
			d.Threshold = max(d.Threshold, least)
		}
		return d, first
	}
	d, first = Decision{Policy: None, Sub: None, Threshold: threshold.Never, Weightless: true}, None
	for _, i := range b.samplers {
		p := &b.policies[i]
		th, ok := p.rule.Match(t)
		if !ok {
			continue
		}
		if votes != nil {
			votes[i] = Vote{Matched: true, Threshold: th}
		}
		if th <= randomness {
			if d.Policy == None {
				d.Verdict, d.Policy, first = Sampled, i, i
			}
			if p.node.Traits.Has(rule.Weightless) {
				continue
			}
			if d.Weightless || th < d.Threshold {
				d.Policy, d.Threshold = i, th
			}
			if d.Weightless = false; d.Threshold == 0 && votes == nil {
				break
			}
		}
	}
	switch {
	case d.Policy == None:
		return Decision{Policy: None, Sub: None}, None
	case d.Weightless:
		d.Threshold = 0 // the measured chance had no part in it
	}
	d.Threshold = max(d.Threshold, least)
	d.Weightless = d.Weightless || b.weightlessDrop
	if split := b.policies[d.Policy].node.Split; split != nil {
		d.Sub = split.Sampler(t, randomness)
	}
	return d, first
}

// decideInOrder returns the decision of the first rule that matches a trace, as if the trace had this randomness, and
// the index of that rule.
func (b *ballot) decideInOrder(t *Trace, randomness uint64, votes []Vote) (d Decision, first int) {
	for _, i := range b.samplers {
		th, ok := b.policies[i].rule.Match(t)
		if !ok {
			continue
		}
		if votes != nil {
			votes[i] = Vote{Matched: true, Threshold: th}
		}
		if th <= randomness {
			return Decision{Verdict: Sampled, Policy: i, Sub: None, Threshold: th}, i
		}
		return Decision{Policy: None, Sub: None}, i
	}
	return Decision{Policy: None, Sub: None}, None
}

// settled reports whether no further span can change the decision about a trace. See Set.Settled.
func (b *ballot) settled(t *Trace) bool {
	if b.anyLasting(b.drops, t) {
		return true
	}
	// With drop policies, a further span may still make one of them drop the trace.
	switch {
	case len(b.drops) > 0:
		return false
	case b.ordered:
		return b.settledInOrder(t)
	}
	return b.anyLasting(b.samplers, t)
}

// anyLasting reports whether one of the policies matches the trace and will, whatever spans follow.
func (b *ballot) anyLasting(policies []int, t *Trace) bool {
	for _, i := range policies {
		if p := &b.policies[i]; p.node.Traits.Has(rule.Monotone) {
			if th, ok := p.rule.Match(t); ok && th == 0 {
				return true
			}
		}
	}
	return false
}

// settledInOrder reports whether a rule will sample the trace with threshold 0, whatever spans follow: the first rule that
// lastingly matches it samples all, and so do those before it, which may still match.
func (b *ballot) settledInOrder(t *Trace) bool {
	for _, i := range b.samplers {
		p := &b.policies[i]
		if !p.node.Rule.(*ordered.Rule).SamplesAll() {
			return false
		}
		if _, ok := p.rule.Match(t); ok && p.node.Traits.Has(rule.Monotone) {
			return true
		}
	}
	return false
}
