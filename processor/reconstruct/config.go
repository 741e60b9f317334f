package reconstruct

import (
	"errors"
	"fmt"
)

// Config is the processor's configuration.
type Config struct {
	// MaxSpans is the largest number of spans of a trace that is reconstructed. Larger traces are passed on unchanged,
	// and counted: reconstruction takes some hundred bytes of memory per span.
	MaxSpans int `mapstructure:"max_spans"`
}

const defaultMaxSpans = 100_000

// Validate checks the configuration.
func (c *Config) Validate() error {
	var errs []error
	if c.MaxSpans < 1 {
		errs = append(errs, fmt.Errorf("max_spans: %d is not at least 1; write more, or leave it out for %d", c.MaxSpans, defaultMaxSpans))
	}
	return errors.Join(errs...)
}
