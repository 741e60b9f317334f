package slo

import (
	"time"

	"github.com/prometheus/common/model"
)

// ParseDuration reads a duration as Prometheus writes it: 5m, 1h30m, 30d, 4w.
func ParseDuration(s string) (time.Duration, error) {
	d, err := model.ParseDuration(s)
	return time.Duration(d), err
}

// FormatDuration writes a duration as Prometheus does: 30d rather than 720h0m0s.
func FormatDuration(d time.Duration) string { return model.Duration(d).String() }
