package policy

import "errors"

// DropConfig is for traces that are not to be kept whatever other policies say: those that all its sub-policies are for.
// With a probabilistic sub-policy it drops that share of them.
type DropConfig struct {
	SubPolicies []Config `mapstructure:"drop_sub_policy"`
}

func (cfg *DropConfig) compile(c *compiler) (rule, error) {
	rules, err := c.compileAll("drop_sub_policy", cfg.SubPolicies)
	if err == nil && countsAny(all(rules)) {
		err = errors.New("drop_sub_policy cannot have a policy with a rate or a period: these count what is kept")
	}
	return all(rules), err
}
