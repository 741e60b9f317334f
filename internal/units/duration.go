package units

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration whose text may have days and weeks, but no fraction of a millisecond.
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

// MarshalText writes the duration in a form that UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String returns FormatDuration's text.
func (d Duration) String() string { return FormatDuration(time.Duration(d)) }

// read are the units that ParseDuration reads. A name that is a prefix of another comes after it.
var read = []unit{
	{"ns", time.Nanosecond}, {"us", time.Microsecond}, {"µs", time.Microsecond}, {"μs", time.Microsecond}, {"ms", time.Millisecond},
	{"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour}, {"w", 7 * 24 * time.Hour}, {"y", 365 * 24 * time.Hour},
}

type unit struct {
	name string
	size time.Duration
}

// ParseDuration parses a duration: numbers with units, one after the other, as in 5m, 1h30m, 1.5h, 7d or 1w, or 0. A day has 24 hours,
// a year 365 days.
func ParseDuration(s string) (time.Duration, error) {
	rest := strings.TrimSpace(s)
	if rest == "0" {
		return 0, nil
	}
	negative := strings.HasPrefix(rest, "-")
	rest = strings.TrimPrefix(rest, "-")
	if rest == "" {
		return 0, noDuration(s)
	}
	sum := 0.0
	exact := time.Duration(0)
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789."))
		number := rest[:digits]
		size, name := unitOf(rest[digits:])
		if size == 0 {
			return 0, noDuration(s)
		}
		rest = rest[digits+len(name):]
		n, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return 0, noDuration(s)
		}
		sum += n * float64(size)
		if whole, err := strconv.ParseInt(number, 10, 64); err == nil {
			exact += time.Duration(whole) * size
		} else {
			exact += time.Duration(math.Round(n * float64(size)))
		}
	}
	if sum >= math.MaxInt64 {
		return 0, fmt.Errorf("%q is too long: a duration is at most 292 years", s)
	}
	if negative {
		exact = -exact
	}
	return exact, nil
}

// unitOf returns the unit that a text begins with, 0 if there is none.
func unitOf(text string) (size time.Duration, name string) {
	for _, u := range read {
		if strings.HasPrefix(text, u.name) {
			return u.size, u.name
		}
	}
	return 0, ""
}

func noDuration(s string) error {
	return fmt.Errorf("%q is no duration: write it like 5m, 1h30m or 30d", s)
}

// written are the units that FormatDuration writes. Weeks and years are not among them: people say 28d and 365d.
var written = []unit{
	{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond},
}

// FormatDuration writes a duration in a form that ParseDuration reads: 30d rather than 720h0m0s, 1h30m rather than
// 1h30m0s. It cuts off fractions of a millisecond.
func FormatDuration(d time.Duration) string {
	if d.Truncate(time.Millisecond) == 0 {
		return "0s"
	}
	var b strings.Builder
	if d < 0 {
		b.WriteByte('-')
		d = -d
	}
	for _, u := range written {
		if n := d / u.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.size
		}
	}
	return b.String()
}
