package threshold

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOf(t *testing.T) {
	for percent, want := range map[float64]uint64{
		0:           1 << 56,
		100:         0,
		250:         0,
		math.Inf(1): 0,
		50:          0x80000000000000,
		25:          0xc0000000000000,
		99.609375:   0x01000000000000,
		10:          0xe6666666666666,
		1:           0xfd70a3d70a3d70,
	} {
		got, err := Of(percent)
		require.NoError(t, err)
		require.InDelta(t, float64(want), float64(got), 1<<8, percent)
		require.InDelta(t, math.Min(percent, 100)/100, float64(Never-got)/float64(Never), 1e-15)
	}
	for _, percent := range []float64{-1, math.NaN(), math.Inf(-1), 1e-16} {
		_, err := Of(percent)
		require.Error(t, err)
	}
}

func TestComplement(t *testing.T) {
	require.Equal(t, Never, Complement(0))
	require.Equal(t, uint64(0), Complement(Never))
	require.Equal(t, uint64(0x40000000000000), Complement(0xc0000000000000))
}
