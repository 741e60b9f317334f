package stateful

import (
	"github.com/slowburn/slowburn/processor/policy/internal/ask"
	"github.com/slowburn/slowburn/processor/policy/internal/rule"
)

// BytesLimitingConfig samples traces of up to BytesPerSecond bytes in all, in their encoded size.
type BytesLimitingConfig struct {
	BytesPerSecond int64 `mapstructure:"bytes_per_second"`
	// BurstCapacity is the number of unused bytes that are saved for a burst; 0 means those of two seconds.
	BurstCapacity int64 `mapstructure:"burst_capacity"`
}

// Compile validates the section and makes a policy of it. Errors begin with the section's own key.
func (cfg *BytesLimitingConfig) Compile(b *ask.Builder) (rule.Node, error) {
	return limitOf(b, "bytes_per_second", cfg.BytesPerSecond, cfg.BurstCapacity, true)
}
