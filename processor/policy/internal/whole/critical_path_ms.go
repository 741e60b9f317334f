package whole

import (
	"errors"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/trace/skeleton"
)

// CriticalPathConfig matches traces whose root waited longer than ThresholdMs for spans of Service and Name,
// without the time that those waited in turn. Without both it is the root's duration.
type CriticalPathConfig struct {
	// ThresholdMs is in milliseconds and required.
	ThresholdMs *int64 `mapstructure:"threshold_ms"`
	Service     string `mapstructure:"service"`
	Name        string `mapstructure:"name"`
}

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *CriticalPathConfig) Compile(*ask.Builder) (rule.Node, error) {
	if cfg.ThresholdMs == nil {
		return rule.Node{}, errors.New("threshold_ms is required")
	}
	over, err := nanoseconds("threshold_ms", cfg.ThresholdMs)
	if err != nil {
		return rule.Node{}, err
	}
	service, name := rule.NameHash([]byte(cfg.Service)), rule.NameHash([]byte(cfg.Name))
	return rule.Node{Rule: &criticalPath{over: over, is: func(s *skeleton.Span) bool {
		return (cfg.Service == "" || s.Service == service) && (cfg.Name == "" || s.Name == name)
	}}}, nil
}

type criticalPath struct {
	over uint64 // nanoseconds
	is   func(*skeleton.Span) bool
}

func (p *criticalPath) Match(t *rule.Trace) (uint64, bool) {
	k := t.Linked()
	return 0, k != nil && k.CriticalPath(p.is) > p.over
}
