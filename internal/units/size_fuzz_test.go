package units_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/units"
)

// FuzzSize checks round trips: a written size reads as the same.
func FuzzSize(f *testing.F) {
	for _, s := range []string{"", "512MiB", "1.5 GB", "-1", "1e400", "NaN", "0x1p4KiB", "9223372036854775807", "B"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s, again units.Size
		if s.UnmarshalText([]byte(text)) != nil {
			return
		}
		require.GreaterOrEqual(t, s, units.Size(0))
		written, err := s.MarshalText()
		require.NoError(t, err)
		require.NoError(t, again.UnmarshalText(written))
		require.InDelta(t, float64(s), float64(again), float64(s)/1e12)
		units.About(int64(s))
	})
}
