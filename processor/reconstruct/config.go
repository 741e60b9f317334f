package reconstruct

import (
	"errors"
	"fmt"
)

// Config is the processor's YAML.
type Config struct {
	// MaxSpans is the largest trace that is looked into. Larger ones are passed on as they came, and counted: what they
	// hold in memory while they are looked into is some hundred bytes a span.
	MaxSpans int `mapstructure:"max_spans"`
}

const defaultMaxSpans = 100_000

// Validate says what is wrong with the configuration.
func (c *Config) Validate() error {
	var errs []error
	if c.MaxSpans < 1 {
		errs = append(errs, fmt.Errorf("max_spans: %d is not at least 1; write more, or leave it out for %d", c.MaxSpans, defaultMaxSpans))
	}
	return errors.Join(errs...)
}
