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

// Shares are rounded up to 12 significant bits: never less than the share, and short in text.
func TestOfShare(t *testing.T) {
	for share, want := range map[float64]uint64{
		0:                  Never - 1,
		1:                  0,
		3:                  0,
		0.5:                Never / 2,
		1.0 / (1 << 56):    Never - 1,
		4095.0 / (1 << 56): Never - 4095,
		4096.0 / (1 << 56): Never - 4096,
		4097.0 / (1 << 56): Never - 4098,
		4098.0 / (1 << 56): Never - 4098,
		1.0 / 3:            Never - 0xaab<<43,
		1 - 1.0/(1<<20):    0,
		0x7ffffp-20:        Never - 0x800<<44, // the sum carries into a higher bit
	} {
		require.Equal(t, want, OfShare(share), share)
	}
}

func TestShare(t *testing.T) {
	require.Equal(t, 1.0, Share(0))
	require.Zero(t, Share(Never))
	require.Equal(t, 0.25, Share(Never/4*3))
	for _, share := range []float64{1, 0.5, 0.1, 0.003} {
		require.GreaterOrEqual(t, Share(OfShare(share)), share)
		require.InEpsilon(t, share, Share(OfShare(share)), 1.0/2048)
	}
}

func TestOfSaysWhatIsWrong(t *testing.T) {
	_, err := Of(-1)
	require.EqualError(t, err, "must be 0 or more")
	_, err = Of(1e-16)
	require.ErrorContains(t, err, "must be 0 or at least 1.38")
	th, err := Of(100)
	require.NoError(t, err)
	require.Zero(t, th)
	th, err = Of(99.99)
	require.NoError(t, err)
	require.NotZero(t, th)
}
