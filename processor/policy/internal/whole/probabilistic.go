package whole

import (
	"fmt"

	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/contrib"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
	"github.com/slowburn/slowburn/processor/policy/internal/threshold"
)

// ProbabilisticConfig samples a share of all traces, chosen by W3C randomness.
type ProbabilisticConfig struct {
	// SamplingPercentage is the percentage to keep: 0 is none, 100 and more is all.
	SamplingPercentage float64 `mapstructure:"sampling_percentage"`
	// HashSalt has no effect on W3C randomness and is accepted with a warning. With Options.Contrib it is the salt of the
	// hash.
	HashSalt string `mapstructure:"hash_salt"`
}

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *ProbabilisticConfig) Compile(b *ask.Builder) (rule.Node, error) {
	th, err := threshold.Of(cfg.SamplingPercentage)
	if err != nil {
		return rule.Node{}, fmt.Errorf("sampling_percentage: %g %w", cfg.SamplingPercentage, err)
	}
	if b.Contrib {
		return rule.Node{Rule: contrib.NewHashed(cfg.HashSalt, cfg.SamplingPercentage)}, nil
	}
	if cfg.HashSalt != "" {
		b.Warn("probabilistic::hash_salt is ignored: decisions use W3C randomness (rv, else the trace ID), " +
			"so that they can be written to tracestate as weights; remove the key, or set compat: contrib for as long as " +
			"contrib decides about some of the same traces")
	}
	return rule.Node{Rule: chance(th)}, nil
}

// chance is the threshold of every trace.
type chance uint64

func (c chance) Match(*rule.Trace) (uint64, bool) { return uint64(c), true }
