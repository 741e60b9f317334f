package policy

import (
	"errors"
	"fmt"
)

// RateLimitingConfig is for as many traces as have SpansPerSecond spans in all.
type RateLimitingConfig struct {
	SpansPerSecond int64 `mapstructure:"spans_per_second"`
	// BurstCapacity is how many spans that were not taken are saved for a burst; 0 is those of two seconds.
	BurstCapacity int64 `mapstructure:"burst_capacity"`
}

func (cfg *RateLimitingConfig) compile(c *compiler) (rule, error) {
	return c.limit("spans_per_second", cfg.SpansPerSecond, cfg.BurstCapacity, false)
}

// BytesLimitingConfig is for as many traces as have BytesPerSecond bytes in all, as they came over the wire.
type BytesLimitingConfig struct {
	BytesPerSecond int64 `mapstructure:"bytes_per_second"`
	// BurstCapacity is how many bytes that were not taken are saved for a burst; 0 is those of two seconds.
	BurstCapacity int64 `mapstructure:"burst_capacity"`
}

func (cfg *BytesLimitingConfig) compile(c *compiler) (rule, error) {
	return c.limit("bytes_per_second", cfg.BytesPerSecond, cfg.BurstCapacity, true)
}

// limit returns the rule for a rate, which stands under key.
func (c *compiler) limit(key string, rate, burst int64, bytes bool) (rule, error) {
	var errs []error
	if rate <= 0 {
		errs = append(errs, fmt.Errorf("%s (%d) must be greater than 0", key, rate))
	}
	if burst < 0 {
		errs = append(errs, fmt.Errorf("burst_capacity (%d) must not be negative; 0 is two seconds' worth", burst))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	capacity := float64(burst)
	if burst == 0 {
		capacity = 2 * float64(rate)
	}
	if c.Contrib {
		return &bucket{rate: float64(rate), burst: capacity, bytes: bytes, level: capacity}, nil
	}
	return newLimiter(float64(rate), capacity, bytes), nil
}
