package policy

import (
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

// NotConfig matches traces that its sub-policy does not sample. Over a sub-policy with a chance it samples the rest:
// for 10 % the other 90 %.
type NotConfig struct {
	SubPolicy Config `mapstructure:"not_sub_policy"`
}

func (cfg *NotConfig) subs() []sub { return []sub{{"not_sub_policy", &cfg.SubPolicy}} }

func (cfg *NotConfig) compile(c *compiler, k *kind) (rule.Node, error) {
	part, err := c.compileOne(k, "not_sub_policy", &cfg.SubPolicy)
	return rule.Node{Rule: negation{part, part.Traits.Has(rule.Counts)}, Parts: []rule.Node{part}}, err
}

// negation matches the traces that the part does not match. For a part with a chance it takes the complementary
// share, but from the same end, the traces with the highest randomness, as every policy does: so its threshold is a
// threshold.
type negation struct {
	part   rule.Node
	counts bool
}

func (n negation) Match(t *Trace) (uint64, bool) {
	th, ok := n.part.Rule.Match(t)
	switch {
	case !ok:
		return 0, true
	case th == 0 && !n.counts:
		return 0, false
	}
	return threshold.Complement(th), true // for th 0 no trace passes it, but a part that counts sees the trace
}

// Count calls Count of the part for a trace that it matches. Whether the part samples the trace does not
// depend on the negation.
func (n negation) Count(t *Trace, _ bool) {
	if p := n.part.Counting(); p != nil {
		if th, ok := p.Match(t); ok {
			p.Count(t, th <= t.Randomness)
		}
	}
}
