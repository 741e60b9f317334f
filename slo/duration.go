package slo

import (
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// Duration is a time.Duration whose text is written as Prometheus writes it, so that 30d can stand in YAML.
type Duration time.Duration

// UnmarshalText reads a duration such as 30d.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := ParseDuration(string(text))
	if err != nil {
		return err
	}
	*d = Duration(parsed)
	return nil
}

// MarshalText writes the duration such that UnmarshalText reads it back.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String is FormatDuration.
func (d Duration) String() string { return FormatDuration(time.Duration(d)) }

// ParseDuration reads a duration as Prometheus writes it: 5m, 1h30m, 30d, 4w.
func ParseDuration(s string) (time.Duration, error) {
	d, err := model.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is no duration: write it like 5m, 1h30m or 30d", s)
	}
	return time.Duration(d), nil
}

// units are the units that FormatDuration writes. Weeks and years are not among them: people say 28d and 365d.
var units = []struct {
	name string
	size time.Duration
}{
	{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond},
}

// FormatDuration writes a duration such that ParseDuration reads it back: 30d rather than 720h0m0s, 1h30m rather than
// 1h30m0s. What is shorter than a millisecond is cut off.
func FormatDuration(d time.Duration) string {
	if d.Truncate(time.Millisecond) == 0 {
		return "0s"
	}
	var b strings.Builder
	if d < 0 {
		b.WriteByte('-')
		d = -d
	}
	for _, u := range units {
		if n := d / u.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.size
		}
	}
	return b.String()
}
