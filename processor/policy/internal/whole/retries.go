package whole

import (
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// RetriesConfig matches traces in which failed calls are repeated.
type RetriesConfig struct {
	// Min is the least number of repetitions; 0 means 1.
	Min int `mapstructure:"min"`
}

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *RetriesConfig) Compile(*ask.Builder) (rule.Node, error) {
	least, err := atLeast("min", cfg.Min)
	return rule.Node{Rule: retries(least)}, err
}

type retries int

func (least retries) Match(t *rule.Trace) (uint64, bool) {
	k := t.Linked()
	return 0, k != nil && k.Retries() >= int(least)
}
