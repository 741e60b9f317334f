package policy

import "errors"

// DropConfig is for traces that are not to be kept whatever other policies say: those that all its sub-policies are for.
// With a probabilistic sub-policy it drops that share of them.
type DropConfig struct {
	SubPolicies []Config `mapstructure:"drop_sub_policy"`
}

func (cfg *DropConfig) compile(c *compiler) (rule, error) {
	rules, err := c.compileAll("drop_sub_policy", cfg.SubPolicies)
	if err != nil {
		return nil, err
	}
	for r := range leaves(all(rules)) {
		switch r.(type) {
		case *diversity, *dynamic, *rare:
			return nil, errors.New("drop_sub_policy cannot have a diversity, dynamic or rare policy: they are for what is to be kept")
		}
	}
	return all(rules).as(c.Options), nil
}
