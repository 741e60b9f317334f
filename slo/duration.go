package slo

import (
	"time"

	"github.com/slowburn/slowburn/internal/units"
)

// Duration is a time.Duration whose text may be in days and weeks, so that 30d can stand in YAML.
type Duration = units.Duration

// ParseDuration reads a duration: 5m, 1h30m, 1.5h, 30d, 4w.
func ParseDuration(s string) (time.Duration, error) { return units.ParseDuration(s) }

// FormatDuration writes a duration such that ParseDuration reads it back: 30d rather than 720h0m0s, 1h30m rather than
// 1h30m0s. What is shorter than a millisecond is cut off.
func FormatDuration(d time.Duration) string { return units.FormatDuration(d) }
