package stateful

import (
	"errors"
	"fmt"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/contrib"
	"github.com/slowburn/slowburn/processor/policy/internal/rates"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// RateLimitingConfig is for as many traces as have SpansPerSecond spans in all.
type RateLimitingConfig struct {
	SpansPerSecond int64 `mapstructure:"spans_per_second"`
	// BurstCapacity is how many spans that were not taken are saved for a burst; 0 is those of two seconds.
	BurstCapacity int64 `mapstructure:"burst_capacity"`
}

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *RateLimitingConfig) Compile(b *ask.Builder) (rule.Node, error) {
	return limitOf(b, "spans_per_second", cfg.SpansPerSecond, cfg.BurstCapacity, false)
}

// BytesLimitingConfig is for as many traces as have BytesPerSecond bytes in all, as they came over the wire.
type BytesLimitingConfig struct {
	BytesPerSecond int64 `mapstructure:"bytes_per_second"`
	// BurstCapacity is how many bytes that were not taken are saved for a burst; 0 is those of two seconds.
	BurstCapacity int64 `mapstructure:"burst_capacity"`
}

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *BytesLimitingConfig) Compile(b *ask.Builder) (rule.Node, error) {
	return limitOf(b, "bytes_per_second", cfg.BytesPerSecond, cfg.BurstCapacity, true)
}

// limitOf makes the policy for a rate, which stands under key.
func limitOf(b *ask.Builder, key string, rate, burst int64, bytes bool) (rule.Node, error) {
	var errs []error
	if rate <= 0 {
		errs = append(errs, fmt.Errorf("%s (%d) must be greater than 0", key, rate))
	}
	if burst < 0 {
		errs = append(errs, fmt.Errorf("burst_capacity (%d) must not be negative; 0 is two seconds' worth", burst))
	}
	if err := errors.Join(errs...); err != nil {
		return rule.Node{}, err
	}
	capacity := float64(burst)
	if burst == 0 {
		capacity = 2 * float64(rate)
	}
	if b.Contrib {
		return rule.Node{Rule: contrib.NewBucket(float64(rate), capacity, bytes)}, nil
	}
	return rule.Node{Rule: NewLimit(float64(rate), capacity, bytes)}, nil
}

// Limit gives every trace a threshold such that what is sampled stays near a rate.
type Limit struct {
	limiter *rates.Limiter
	bytes   bool // or spans
}

// NewLimit returns a limit for a rate per second, of bytes or spans, that lets a burst pass.
func NewLimit(rate, burst float64, bytes bool) *Limit {
	return &Limit{rates.NewLimiter(rate, burst), bytes}
}

// Match implements rule.Rule.
func (l *Limit) Match(t *rule.Trace) (uint64, bool) {
	return l.limiter.Threshold(t.Cost(l.bytes), t.Now), true
}

// Count takes account of a sampled trace.
func (l *Limit) Count(t *rule.Trace, sampled bool) {
	if sampled {
		l.limiter.Take(t.Cost(l.bytes), t.Now)
	}
}

// Inherit implements rule.Stateful.
func (l *Limit) Inherit(from rule.Rule) { l.limiter.Inherit(from.(*Limit).limiter) }
