package policy

import "github.com/slowburn/slowburn/processor/policy/internal/rule"

// DropConfig drops traces that all its sub-policies match, whatever other policies say. With a probabilistic sub-policy
// it drops that share of them.
type DropConfig struct {
	SubPolicies []Config `mapstructure:"drop_sub_policy"`
}

func (cfg *DropConfig) subs() []sub { return subsOf("drop_sub_policy", cfg.SubPolicies) }

func (cfg *DropConfig) compile(c *compiler, k *kind) (rule.Node, error) {
	parts, err := c.compileAll(k, "drop_sub_policy", cfg.SubPolicies)
	return c.all(parts), err
}
