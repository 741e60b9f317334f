package policy

import "fmt"

// OrphansConfig is for traces that do not hang together.
type OrphansConfig struct {
	// Min is how many spans without their parent, and roots beyond the first, there must be; 0 means 1.
	Min int `mapstructure:"min"`
}

func (cfg *OrphansConfig) compile(c *compiler) (rule, error) {
	least, err := c.least("min", cfg.Min)
	return orphans(least), err
}

// least reads how many there must be of what a skeleton is asked for.
func (c *compiler) least(key string, n int) (int, error) {
	c.skeleton = true
	if n < 0 {
		return 0, fmt.Errorf("%s (%d) must not be negative", key, n)
	}
	return max(1, n), nil
}

type orphans int

func (least orphans) match(t *Trace) (uint64, bool) {
	k := t.skeleton()
	return 0, k != nil && k.Orphans()+max(0, k.Roots()-1) >= int(least)
}
