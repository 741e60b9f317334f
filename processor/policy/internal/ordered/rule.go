package ordered

import (
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

// Rule matches the traces that its match matches, and samples those of them that its sample samples.
type Rule struct {
	match, sample rule.Node
}

// New returns the policy of a rule.
func New(match, sample rule.Node) rule.Node {
	n := rule.Node{Rule: &Rule{match, sample}, Parts: []rule.Node{match, sample}}
	n.SetTraits(rule.Monotone, false)
	return n
}

// Match implements rule.Rule. A trace that the sample does not match passes no threshold.
func (r *Rule) Match(t *rule.Trace) (uint64, bool) {
	if _, ok := r.match.Rule.Match(t); !ok {
		return 0, false
	}
	if th, ok := r.sample.Rule.Match(t); ok {
		return th, true
	}
	return threshold.Never, true
}

// Count implements rule.Counting: the sample counts the traces that it matches.
func (r *Rule) Count(t *rule.Trace, sampled bool) {
	counting := r.sample.Counting()
	if counting == nil {
		return
	}
	if _, ok := counting.Match(t); ok {
		counting.Count(t, sampled)
	}
}

// WithoutSample returns the rule without its sample: it matches the same traces and samples none.
func (r *Rule) WithoutSample() *Rule { return &Rule{r.match, Never()} }

// SamplesAll reports whether the rule samples each trace that it matches, regardless of earlier traces.
func (r *Rule) SamplesAll() bool { return r.sample.Rule == fixed(0) }

// SamplesNone reports whether the rule samples no trace.
func (r *Rule) SamplesNone() bool { return r.sample.Rule == fixed(threshold.Never) }

// MatchesAll reports whether the rule matches every trace.
func (r *Rule) MatchesAll() bool { return r.match.Rule == fixed(0) }

// fixed matches every trace, with this threshold.
type fixed uint64

func (f fixed) Match(*rule.Trace) (uint64, bool) { return uint64(f), true }

// Share returns the policy for the share of traces that passes a threshold.
func Share(threshold uint64) rule.Node {
	return rule.Node{Rule: fixed(threshold), Traits: rule.Monotone}
}

// Always returns the policy for every trace, and Never the one for none.
func Always() rule.Node { return Share(0) }

// Never returns the policy that samples nothing.
func Never() rule.Node { return Share(threshold.Never) }
