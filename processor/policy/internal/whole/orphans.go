package whole

import (
	"fmt"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// OrphansConfig matches traces whose tree is broken: spans without their parent, or several roots.
type OrphansConfig struct {
	// Min is the least number of spans without their parent and roots beyond the first; 0 means 1.
	Min int `mapstructure:"min"`
}

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *OrphansConfig) Compile(*ask.Builder) (rule.Node, error) {
	least, err := atLeast("min", cfg.Min)
	return rule.Node{Rule: orphans(least)}, err
}

// atLeast returns the least number that a policy requires, by default one.
func atLeast(key string, n int) (int, error) {
	if n < 0 {
		return 0, fmt.Errorf("%s: %d must not be negative", key, n)
	}
	return max(1, n), nil
}

type orphans int

func (least orphans) Match(t *rule.Trace) (uint64, bool) {
	k := t.Linked()
	return 0, k != nil && k.Orphans()+max(0, k.Roots()-1) >= int(least)
}
