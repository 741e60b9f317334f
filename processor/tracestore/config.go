package tracestore

import (
	"errors"
	"fmt"
	"time"

	"github.com/slowburn/slowburn/internal/units"
)

// Config is the exporter's configuration.
type Config struct {
	// Directory holds the file traces.db. It is created if necessary.
	Directory string `mapstructure:"directory"`
	// Retention is how long a trace is kept after it was stored.
	Retention time.Duration `mapstructure:"retention"`
	// MaxBytes limits the used part of the file; over it the oldest traces are evicted.
	MaxBytes units.Size `mapstructure:"max_bytes"`
	// MinFreeDisk is the free space of the volume that is left to others, above all the span log: below it the file does not grow, and
	// new traces evict the oldest. 0 is 5 % of the volume, and at most 1 GiB.
	MinFreeDisk units.Size `mapstructure:"min_free_disk"`
}

// minBytes is less than the empty indexes and a few traces need.
const minBytes = 1 << 20

// Validate reports all mistakes in the configuration.
func (c *Config) Validate() error {
	var errs []error
	if c.Directory == "" {
		errs = append(errs, errors.New("directory: is empty; write where traces.db is kept"))
	}
	if c.Retention <= 0 {
		errs = append(errs, fmt.Errorf("retention: %s is not above 0; write how long traces are kept, such as 24h", c.Retention))
	}
	if c.MaxBytes < minBytes {
		errs = append(errs, fmt.Errorf("max_bytes: %s is too few; write at least 1MiB", c.MaxBytes))
	}
	return errors.Join(errs...)
}
