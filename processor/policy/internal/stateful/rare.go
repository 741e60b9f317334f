package stateful

import (
	"errors"
	"fmt"
	"time"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/rates"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// RareConfig samples the first traces of each key in a period.
type RareConfig struct {
	// Traces is the number of traces per key; 0 means 1.
	Traces int `mapstructure:"traces"`
	// Period begins with the first trace of a key, and again with the first after it has ended; 0 means 15
	// minutes.
	Period time.Duration `mapstructure:"period"`
	// KeyConfig's key is service.name and name by default.
	KeyConfig `mapstructure:",squash"`
}

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *RareConfig) Compile(b *ask.Builder) (rule.Node, error) {
	var errs []error
	if cfg.Traces < 0 {
		errs = append(errs, fmt.Errorf("traces: %d must not be negative", cfg.Traces))
	}
	period, err1 := periodOf(cfg.Period)
	key, maxKeys, err2 := cfg.keyed(b, rule.ServiceName, fieldName)
	if err := errors.Join(append(errs, err1, err2)...); err != nil {
		return rule.Node{}, err
	}
	return rule.Node{Rule: &rare{key: key, traces: max(1, cfg.Traces), seen: rates.NewPeriods(period, maxKeys)}}, nil
}

// rare matches traces while their key's count in the period is below a limit.
type rare struct {
	key    *traceKey
	traces int
	seen   *rates.Periods
}

func (r *rare) Match(t *rule.Trace) (uint64, bool) {
	return 0, r.seen.Count(r.key.of(t), t.Now) < r.traces
}

func (r *rare) Count(t *rule.Trace, sampled bool) {
	if sampled {
		r.seen.Add(r.key.of(t), t.Now)
	}
}

func (r *rare) Key(t *rule.Trace) (string, bool) {
	if !r.seen.Own(r.key.of(t)) {
		return "", false
	}
	return r.key.text(t), true
}

func (r *rare) Inherit(from rule.Rule) { r.seen = from.(*rare).seen.Clone() }
