package policy

import (
	"errors"

	"github.com/slowburn/slowburn/processor/trace"
)

// CriticalPathConfig is for traces whose root waited longer than ThresholdMs: for spans themselves, not for what these waited
// for in turn. Service and Name say for whose; without both it is all, which is the root's duration.
type CriticalPathConfig struct {
	// ThresholdMs is in milliseconds and required.
	ThresholdMs *int64 `mapstructure:"threshold_ms"`
	Service     string `mapstructure:"service"`
	Name        string `mapstructure:"name"`
}

func (cfg *CriticalPathConfig) compile(c *compiler) (rule, error) {
	c.skeleton = true
	if cfg.ThresholdMs == nil {
		return nil, errors.New("threshold_ms is required")
	}
	over, err := nanoseconds("threshold_ms", cfg.ThresholdMs)
	if err != nil {
		return nil, err
	}
	service, name := nameHash([]byte(cfg.Service)), nameHash([]byte(cfg.Name))
	return &criticalPath{over: over, is: func(s *trace.SkeletonSpan) bool {
		return (cfg.Service == "" || s.Service == service) && (cfg.Name == "" || s.Name == name)
	}}, nil
}

type criticalPath struct {
	over uint64 // nanoseconds
	is   func(*trace.SkeletonSpan) bool
}

func (p *criticalPath) match(t *Trace) (uint64, bool) {
	k := t.skeleton()
	return 0, k != nil && k.CriticalPath(p.is) > p.over
}
