package stateful

import (
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// RateLimitingConfig samples traces of up to SpansPerSecond spans in all.
type RateLimitingConfig struct {
	SpansPerSecond int64 `mapstructure:"spans_per_second"`
	// BurstCapacity is the number of unused spans that are saved for a burst; 0 means those of two seconds.
	BurstCapacity int64 `mapstructure:"burst_capacity"`
}

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *RateLimitingConfig) Compile(b *ask.Builder) (rule.Node, error) {
	return limitOf(b, "spans_per_second", cfg.SpansPerSecond, cfg.BurstCapacity, false)
}
