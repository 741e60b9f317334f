package whole

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/contrib"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// LatencyConfig matches traces whose duration, from the earliest start to the latest end, is greater than ThresholdMs
// and at most UpperThresholdMs. At least one of them must be set.
type LatencyConfig struct {
	// ThresholdMs is in milliseconds; the default is 0.
	ThresholdMs *int64 `mapstructure:"threshold_ms"`
	// UpperThresholdMs is in milliseconds; by default, and with 0, there is no upper bound.
	UpperThresholdMs *int64 `mapstructure:"upper_threshold_ms"`
}

// duration is latency, in nanoseconds: over < duration <= upTo.
type duration struct{ over, upTo uint64 }

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *LatencyConfig) Compile(b *ask.Builder) (rule.Node, error) {
	if cfg.ThresholdMs == nil && cfg.UpperThresholdMs == nil {
		return rule.Node{}, errors.New("has no threshold_ms and no upper_threshold_ms; write one or both")
	}
	over, err1 := nanoseconds("threshold_ms", cfg.ThresholdMs)
	upTo, err2 := nanoseconds("upper_threshold_ms", cfg.UpperThresholdMs)
	if err := errors.Join(err1, err2); err != nil {
		return rule.Node{}, err
	}
	n := rule.Node{Not: rule.Monotone}
	if upTo == 0 {
		upTo = math.MaxUint64
		n.Not = rule.Bounded
	}
	if upTo <= over {
		return rule.Node{}, fmt.Errorf("upper_threshold_ms: %d must be greater than threshold_ms (%d)", *cfg.UpperThresholdMs, *cfg.ThresholdMs)
	}
	n.Rule = duration{over, upTo}
	if b.Contrib {
		n.Rule = rule.AnyBit{contrib.Latency(b, millis(cfg.ThresholdMs), millis(cfg.UpperThresholdMs))}
	}
	return n, nil
}

func millis(ms *int64) int64 {
	if ms == nil {
		return 0
	}
	return *ms
}

func nanoseconds(key string, ms *int64) (uint64, error) {
	const most = math.MaxInt64 / int64(time.Millisecond)
	switch {
	case ms == nil:
		return 0, nil
	case *ms < 0 || *ms > most:
		return 0, fmt.Errorf("%s: %d must be between 0 and %d", key, *ms, most)
	}
	return uint64(*ms) * uint64(time.Millisecond), nil
}

func (d duration) Match(t *rule.Trace) (uint64, bool) {
	ns := t.Duration()
	return 0, d.over < ns && ns <= d.upTo
}
