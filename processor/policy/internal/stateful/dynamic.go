package stateful

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/rates"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

// DynamicConfig samples a share of all traces that meets a target: more of traces with a rare key, fewer of those with
// a common one. Either SpansPerSecond or SamplingPercentage must be set.
type DynamicConfig struct {
	// SpansPerSecond is the number of spans to keep, over all keys and in the long run.
	SpansPerSecond float64 `mapstructure:"spans_per_second"`
	// SamplingPercentage is the percentage of all spans to keep.
	SamplingPercentage float64 `mapstructure:"sampling_percentage"`
	// AdjustmentInterval is the time between updates of the keys' shares; 0 means 15 seconds.
	AdjustmentInterval time.Duration `mapstructure:"adjustment_interval"`
	// Weight is the weight of the last interval in the average of a key's rate, from 0.001 to less than 1; 0 means
	// 0.5.
	Weight float64 `mapstructure:"weight"`
	// KeyConfig's key is service.name, name and status by default.
	KeyConfig `mapstructure:",squash"`
}

const (
	defaultAdjustment = 15 * time.Second
	leastAdjustment   = time.Second
	mostAdjustment    = time.Hour
	defaultWeight     = 0.5
	leastWeight       = 0.001 // with less, rounding would lose a key's first interval
)

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *DynamicConfig) Compile(b *ask.Builder) (rule.Node, error) {
	target, err1 := cfg.target()
	key, maxKeys, err2 := cfg.keyed(b, rule.ServiceName, fieldName, fieldStatus)
	if err := errors.Join(err1, cfg.checkAdjustment(), err2); err != nil {
		return rule.Node{}, err
	}
	target.MaxKeys = maxKeys
	target.Interval, target.Weight = cfg.AdjustmentInterval.Seconds(), cfg.Weight
	if cfg.AdjustmentInterval == 0 {
		target.Interval = defaultAdjustment.Seconds()
	}
	if cfg.Weight == 0 {
		target.Weight = defaultWeight
	}
	return rule.Node{Rule: &dynamic{key, rates.NewDynamic(target)}}, nil
}

// target returns the target to meet.
func (cfg *DynamicConfig) target() (target rates.Target, err error) {
	if cfg.SpansPerSecond != 0 && cfg.SamplingPercentage != 0 || cfg.SpansPerSecond == 0 && cfg.SamplingPercentage == 0 {
		return target, errors.New("has not exactly one of spans_per_second and sampling_percentage; write one")
	}
	target.PerSecond, target.Share = cfg.SpansPerSecond, cfg.SamplingPercentage/100
	switch {
	case !(target.PerSecond >= 0) || math.IsInf(target.PerSecond, 0):
		return target, fmt.Errorf("spans_per_second: %g must be greater than 0", target.PerSecond)
	case target.Share == 0:
		return target, nil
	case !(target.Share <= 1):
		return target, fmt.Errorf("sampling_percentage: %g must be greater than 0 and not greater than 100", cfg.SamplingPercentage)
	}
	if _, err := threshold.Of(cfg.SamplingPercentage); err != nil {
		return target, fmt.Errorf("sampling_percentage: %g %w", cfg.SamplingPercentage, err)
	}
	return target, nil
}

func (cfg *DynamicConfig) checkAdjustment() error {
	var errs []error
	if i := cfg.AdjustmentInterval; i != 0 && (i < leastAdjustment || i > mostAdjustment) {
		errs = append(errs, fmt.Errorf("adjustment_interval: %s must be between %s and %s, or 0 for %s",
			i, leastAdjustment, mostAdjustment, defaultAdjustment))
	}
	if w := cfg.Weight; w != 0 && !(w >= leastWeight && w < 1) {
		errs = append(errs, fmt.Errorf("weight: %g must be at least %g and less than 1, or 0 for %g", w, leastWeight, defaultWeight))
	}
	return errors.Join(errs...)
}

// dynamic gives each key a threshold, which follows from earlier traces.
type dynamic struct {
	key   *traceKey
	rates *rates.Dynamic
}

func (d *dynamic) Match(t *rule.Trace) (uint64, bool) { return d.rates.Threshold(d.key.of(t)), true }

func (d *dynamic) Count(t *rule.Trace, _ bool) {
	d.rates.Add(d.key.of(t), t.Now, float64(max(1, t.Spans)), d.key.count(t))
}

func (d *dynamic) Key(t *rule.Trace) (string, bool) {
	if !d.rates.Own(d.key.of(t)) {
		return "", false
	}
	return d.key.text(t), true
}

func (d *dynamic) Inherit(from rule.Rule) { d.rates = from.(*dynamic).rates.Clone() }
