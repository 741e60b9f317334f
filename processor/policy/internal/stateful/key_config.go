package stateful

import (
	"errors"
	"fmt"
	"time"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
)

// KeyConfig says by which key a policy distinguishes traces.
type KeyConfig struct {
	// Key lists fields of the root span: name, attributes of the span or its resource, and status (whether any span of
	// the trace has an error).
	Key []string `mapstructure:"key"`
	// MaxKeys is the number of keys that are distinguished; all others count as one. 0 means 10000.
	MaxKeys int `mapstructure:"max_keys"`
}

const (
	defaultMaxKeys = 10_000
	mostKeys       = 1_000_000 // 100 MB or so
)

// keyed returns the key, with these default fields, and the largest number of keys.
func (cfg *KeyConfig) keyed(b *ask.Builder, fields ...string) (*traceKey, int, error) {
	if len(cfg.Key) > 0 {
		fields = cfg.Key
	}
	maxKeys, err1 := maxKeysOf(cfg.MaxKeys)
	k, err2 := newKey(b, fields, maxKeys)
	return k, maxKeys, errors.Join(err1, err2)
}

func maxKeysOf(n int) (int, error) {
	if n < 0 || n > mostKeys {
		return 0, fmt.Errorf("max_keys: %d must be between 1 and %d, or 0 for %d", n, mostKeys, defaultMaxKeys)
	}
	if n == 0 {
		n = defaultMaxKeys
	}
	return n, nil
}

const (
	defaultPeriod = 15 * time.Minute
	mostPeriod    = 30 * 24 * time.Hour
)

func periodOf(period time.Duration) (int64, error) {
	if period < 0 || period > mostPeriod {
		return 0, fmt.Errorf("period: %s must be between 1ns and %s, or 0 for %s", period, mostPeriod, defaultPeriod)
	}
	if period == 0 {
		period = defaultPeriod
	}
	return int64(period), nil
}
