package policy

import (
	"github.com/slowburn/slowburn/processor/policy/internal/contrib"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// AndConfig matches traces that all its sub-policies match.
type AndConfig struct {
	SubPolicies []Config `mapstructure:"and_sub_policy"`
}

func (cfg *AndConfig) subs() []sub { return subsOf("and_sub_policy", cfg.SubPolicies) }

func (cfg *AndConfig) compile(c *compiler, k *kind) (rule.Node, error) {
	parts, err := c.compileAll(k, "and_sub_policy", cfg.SubPolicies)
	return c.all(parts), err
}

// all compiles a policy that matches the traces that all parts match.
func (c *compiler) all(parts []rule.Node) rule.Node {
	if c.contrib {
		return rule.Node{Rule: contrib.NewSequence(parts), Parts: parts}
	}
	return rule.Node{Rule: all(parts), Parts: parts}
}

// all matches the traces that each part matches. All parts use the same randomness, so a trace that passes the
// highest threshold passes the others too.
type all []rule.Node

func (parts all) Match(t *Trace) (threshold uint64, ok bool) {
	for i := range parts {
		th, ok := parts[i].Rule.Match(t)
		if !ok {
			return 0, false
		}
		threshold = max(threshold, th)
	}
	return threshold, true
}

// Count calls Count of the parts for a trace that all match. Each part counts it as sampled only if all parts sampled
// it.
func (parts all) Count(t *Trace, sampled bool) {
	for i := range parts {
		if p := parts[i].Counting(); p != nil {
			p.Count(t, sampled)
		}
	}
}
