package policy

// AndConfig is for traces that all its sub-policies are for.
type AndConfig struct {
	SubPolicies []Config `mapstructure:"and_sub_policy"`
}

func (cfg *AndConfig) compile(c *compiler) (rule, error) {
	rules, err := c.compileAll("and_sub_policy", cfg.SubPolicies)
	return all(rules).as(c.Options), err
}

// all matches what each of the rules matches. Their chances are one and the same randomness, so that whoever passes the
// highest threshold passes the others.
type all []rule

func (rules all) match(t *Trace) (threshold uint64, ok bool) {
	for _, r := range rules {
		th, ok := r.match(t)
		if !ok {
			return 0, false
		}
		threshold = max(threshold, th)
	}
	return threshold, true
}

func (rules all) rules() []rule { return rules }

// count tells the rules of a trace that those before them are for. A rule counts a trace as sampled only if all sampled
// it.
func (rules all) count(t *Trace, sampled bool) {
	for _, r := range rules {
		if c, ok := r.(counting); ok {
			c.count(t, sampled)
		}
	}
}
