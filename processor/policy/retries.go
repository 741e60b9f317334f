package policy

// RetriesConfig is for traces in which calls that failed are repeated.
type RetriesConfig struct {
	// Min is how many repetitions there must be; 0 means 1.
	Min int `mapstructure:"min"`
}

func (cfg *RetriesConfig) compile(c *compiler) (rule, error) {
	least, err := c.least("min", cfg.Min)
	return retries(least), err
}

type retries int

func (least retries) match(t *Trace) (uint64, bool) {
	k := t.skeleton()
	return 0, k != nil && k.Retries() >= int(least)
}
