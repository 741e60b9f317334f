package contrib

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// The limits that contrib has, of 64 bits of precision.
func TestHashLimit(t *testing.T) {
	for share, want := range map[float64]uint64{
		0: 0, 1: math.MaxUint64, 2.5: math.MaxUint64,
		0.5: 0x7fffffffffffffff, 0.25: 0x3fffffffffffffff, 0.75: 0xbfffffffffffffff, 0.1: 0x19999999999999ff,
	} {
		require.Equal(t, want, hashLimit(share), share)
	}
}
