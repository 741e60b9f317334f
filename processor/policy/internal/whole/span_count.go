package whole

import (
	"errors"
	"fmt"
	"math"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// SpanCountConfig matches traces with at least MinSpans spans and at most MaxSpans.
type SpanCountConfig struct {
	MinSpans int `mapstructure:"min_spans"`
	// MaxSpans is the upper bound; 0 is none.
	MaxSpans int `mapstructure:"max_spans"`
}

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *SpanCountConfig) Compile(*ask.Builder) (rule.Node, error) {
	var errs []error
	if cfg.MinSpans < 0 {
		errs = append(errs, fmt.Errorf("min_spans: %d must not be negative", cfg.MinSpans))
	}
	if cfg.MaxSpans < 0 {
		errs = append(errs, fmt.Errorf("max_spans: %d must not be negative; 0 is no upper bound", cfg.MaxSpans))
	} else if cfg.MaxSpans != 0 && cfg.MaxSpans < cfg.MinSpans {
		errs = append(errs, fmt.Errorf("max_spans: %d must not be less than min_spans (%d)", cfg.MaxSpans, cfg.MinSpans))
	}
	size := spanCount{least: cfg.MinSpans, most: cfg.MaxSpans}
	n := rule.Node{Rule: size, Not: rule.Monotone}
	if size.most == 0 {
		size.most = math.MaxInt
		n = rule.Node{Rule: size, Not: rule.Bounded}
	}
	return n, errors.Join(errs...)
}

// spanCount matches traces by their number of spans, both bounds included.
type spanCount struct{ least, most int }

func (s spanCount) Match(t *rule.Trace) (uint64, bool) {
	return 0, s.least <= t.Spans && t.Spans <= s.most
}
