package policy

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// DynamicConfig is for a share of all traces such that a target is met: of traces with a key that is rare more are kept,
// and of those with a common key less. One of SpansPerSecond and SamplingPercentage must be set.
type DynamicConfig struct {
	// SpansPerSecond is how many spans the policy is to keep, over all keys and in the long run.
	SpansPerSecond float64 `mapstructure:"spans_per_second"`
	// SamplingPercentage is the share in percent of all spans that the policy is to keep.
	SamplingPercentage float64 `mapstructure:"sampling_percentage"`
	// AdjustmentInterval is how often the keys' shares are worked out anew; 0 means 15 seconds.
	AdjustmentInterval time.Duration `mapstructure:"adjustment_interval"`
	// Weight, from 0.001 to less than 1, is that of the last interval in the average of a key's rate; 0 means 0.5.
	Weight float64 `mapstructure:"weight"`
	// KeyConfig's key is service.name, name and status by default.
	KeyConfig `mapstructure:",squash"`
}

const (
	defaultAdjustment = 15 * time.Second
	leastAdjustment   = time.Second
	mostAdjustment    = time.Hour
	defaultWeight     = 0.5
	leastWeight       = 0.001 // with less a key's first interval would be forgotten in rounding
)

func (cfg *DynamicConfig) compile(c *compiler) (rule, error) {
	d := &dynamic{interval: cfg.AdjustmentInterval.Seconds(), weight: cfg.Weight}
	if cfg.AdjustmentInterval == 0 {
		d.interval = defaultAdjustment.Seconds()
	}
	if cfg.Weight == 0 {
		d.weight = defaultWeight
	}
	errs := []error{cfg.target(d)}
	if i := cfg.AdjustmentInterval; i != 0 && (i < leastAdjustment || i > mostAdjustment) {
		errs = append(errs, fmt.Errorf("adjustment_interval (%s) must be between %s and %s, or 0 for %s",
			i, leastAdjustment, mostAdjustment, defaultAdjustment))
	}
	if w := cfg.Weight; w != 0 && !(w >= leastWeight && w < 1) {
		errs = append(errs, fmt.Errorf("weight (%g) must be at least %g and less than 1, or 0 for %g", w, leastWeight, defaultWeight))
	}
	var err error
	d.key, d.maxKeys, err = cfg.KeyConfig.compile(c, serviceName, fieldName, fieldStatus)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	d.rates = newRates(d.share)
	return d, nil
}

// target reads what is to be met.
func (cfg *DynamicConfig) target(d *dynamic) error {
	if cfg.SpansPerSecond != 0 && cfg.SamplingPercentage != 0 || cfg.SpansPerSecond == 0 && cfg.SamplingPercentage == 0 {
		return errors.New("set spans_per_second or sampling_percentage, and not both")
	}
	d.perSecond, d.share = cfg.SpansPerSecond, cfg.SamplingPercentage/100
	switch {
	case !(d.perSecond >= 0) || math.IsInf(d.perSecond, 0):
		return fmt.Errorf("spans_per_second (%g) must be greater than 0", d.perSecond)
	case d.share == 0:
		return nil
	case !(d.share <= 1):
		return fmt.Errorf("sampling_percentage (%g) must be greater than 0 and not greater than 100", cfg.SamplingPercentage)
	}
	if _, err := thresholdOf(cfg.SamplingPercentage); err != nil {
		return fmt.Errorf("sampling_percentage (%g) %w", cfg.SamplingPercentage, err)
	}
	return nil
}

// dynamic gives each key a probability of its own, which it changes from time to time. A trace's threshold is that of its
// key, as it follows from the traces before.
type dynamic struct {
	key       *traceKey
	maxKeys   int
	perSecond float64 // the target, if share is 0
	share     float64
	interval  float64 // seconds
	weight    float64
	*rates
}

func (d *dynamic) match(t *Trace) (uint64, bool) {
	if r := d.keys[d.place(d.key.of(t))]; r != nil {
		return r.threshold, true
	}
	return d.fresh, true
}

// place is where a key is counted.
func (d *dynamic) place(key uint64) uint64 {
	if len(d.keys) < d.maxKeys || d.keys[key] != nil {
		return key
	}
	return otherKey
}

func (d *dynamic) count(t *Trace, _ bool) {
	if !d.started {
		d.started, d.began = true, t.Now
	}
	if float64(t.Now-d.began) >= d.interval*1e9 {
		d.adjust(d, t.Now, false)
	}
	place := d.place(d.key.of(t))
	r := d.keys[place]
	if r == nil {
		r = &keyRate{threshold: d.fresh}
		d.keys[place] = r
	}
	spans := float64(max(1, t.Spans))
	stoodFor := d.key.count(t)
	r.arrived += spans
	r.stoodFor += spans * stoodFor
	d.kept += spans * min(1, shareOf(r.threshold)*stoodFor)
	if d.tooMany(d, t.Now) {
		d.adjust(d, t.Now, true)
	}
}

func (d *dynamic) keyOf(t *Trace) (*traceKey, bool) {
	return d.key, d.place(d.key.of(t)) != otherKey
}

func (d *dynamic) inherit(from rule) {
	d.rates = from.(*dynamic).clone()
}
