package policy

// NotConfig is for traces that its sub-policy does not sample. Over a sub-policy with a chance it samples the share that
// the sub-policy does not.
type NotConfig struct {
	SubPolicy Config `mapstructure:"not_sub_policy"`
}

func (cfg *NotConfig) compile(c *compiler) (rule, error) {
	r, err := c.compileOne("not_sub_policy", &cfg.SubPolicy)
	if err != nil {
		return nil, err
	}
	return negation{r, countsAny(r)}, nil
}

// negation matches what the rule does not. Of a chance it takes the other share, but from the same end: the traces with
// the highest randomness, as every policy does, so that its threshold is a threshold.
type negation struct {
	rule   rule
	counts bool
}

func (n negation) match(t *Trace) (uint64, bool) {
	th, ok := n.rule.match(t)
	switch {
	case !ok:
		return 0, true
	case th == 0 && !n.counts:
		return 0, false
	}
	return complement(th), true // of th 0 what no trace passes, but a rule that counts is told of the trace
}

func (n negation) rules() []rule { return []rule{n.rule} }

// count tells the rule of a trace if that is one for it. Whether the rule samples it is independent of the negation.
func (n negation) count(t *Trace, _ bool) {
	if r, ok := n.rule.(counting); ok {
		if th, ok := r.match(t); ok {
			r.count(t, th <= t.Randomness)
		}
	}
}
