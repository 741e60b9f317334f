package policy

// DropConfig is for traces that are not to be kept whatever other policies say: those that all its sub-policies are for.
// With a probabilistic sub-policy it drops that share of them.
type DropConfig struct {
	SubPolicies []Config `mapstructure:"drop_sub_policy"`
}

func (cfg *DropConfig) compile(c *compiler) (rule, error) {
	rules, err := c.compileAll("drop_sub_policy", cfg.SubPolicies)
	return all(rules), err
}
