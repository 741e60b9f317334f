package slo

import (
	"time"

	"github.com/slowburn/slowburn/internal/units"
)

// Duration is a time.Duration that YAML may write in days and weeks, such as 30d.
type Duration = units.Duration

// ParseDuration parses a duration: 5m, 1h30m, 1.5h, 30d, 4w.
func ParseDuration(s string) (time.Duration, error) { return units.ParseDuration(s) }

// FormatDuration formats a duration in a form that ParseDuration parses: 30d rather than 720h0m0s, 1h30m rather than 1h30m0s.
// It cuts off fractions of a millisecond.
func FormatDuration(d time.Duration) string { return units.FormatDuration(d) }
