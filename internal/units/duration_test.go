package units

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "300ms": 300 * time.Millisecond, "5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "1.5h": 90 * time.Minute,
		"7d": 7 * day, "1w": 7 * day, "4w2d": 30 * day, "1y": 365 * day, "1.5d": 36 * time.Hour, " 2s ": 2 * time.Second, "10µs": 10 * time.Microsecond,
		"10us": 10 * time.Microsecond, "3ns": 3, "-5m": -5 * time.Minute, "1m1ms": time.Minute + time.Millisecond, ".5s": 500 * time.Millisecond,
		"123456789012345678ns": 123456789012345678,
	} {
		got, err := ParseDuration(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "-", "300", "5", "s", "5 m", "5x", "1..5h", "1h30", "NaNs", "1e3s", "soon", "--5m", "5M"} {
		_, err := ParseDuration(text)
		require.ErrorContains(t, err, "is no duration: write it like 5m, 1h30m or 30d", text)
	}
	_, err := ParseDuration("300y")
	require.ErrorContains(t, err, "is too long")
}

func FuzzDuration(f *testing.F) {
	for _, text := range []string{"1h30m", "1.5h", "0", "-3d", "1w2d3h4m5s6ms", "9223372036854775807ns", "99999999999999999999d", "."} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDuration(text)
		if err != nil {
			return
		}
		again, err := ParseDuration(FormatDuration(d))
		require.NoError(t, err)
		require.Equal(t, d.Truncate(time.Millisecond), again)
		if std, err := time.ParseDuration(text); err == nil {
			require.InDelta(t, std, d, float64(d.Abs())/1e12+1, "as package time has it")
		}
	})
}
