package count

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRecentIsExact holds that a series counts as a histogram does that is given one duration after the other, whatever is
// recent meanwhile: durations of all sizes, also 0 and the longest, with weights between them, and readers at any time.
func TestRecentIsExact(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		c := New(limits, nil, nil)
		s, number := c.tree.call.add()
		var want Histogram
		var entries []byte
		spread := 1 + rng.Float64()*43
		for range 2000 {
			nanos := uint64(math.Exp(rng.Float64() * spread))
			w := one
			switch rng.IntN(40) {
			case 0:
				nanos = []uint64{0, 1, maxRecent - 1, maxRecent, maxRecent + 1, math.MaxUint64}[rng.IntN(6)]
			case 1:
				w = Weight{rng.Uint64N(5), rng.Uint32()}
			case 2:
				c.tree.apply(entries, true)
				entries = entries[:0]
				require.Equal(t, want, *s.durations(), "seed %d", seed)
			}
			want.add(nanos, w)
			entries = appendCall(entries, number, nanos, w)
			if rng.IntN(20) == 0 {
				c.tree.apply(entries, true)
				entries = entries[:0]
			}
		}
		c.tree.apply(entries, true)
		require.Equal(t, want, *s.durations(), "seed %d", seed)
	}
}

// TestLines holds that what one span changes is in as few of the processor's cache lines as it can be.
func TestLines(t *testing.T) {
	const line = 64
	assert.EqualValues(t, line, unsafe.Sizeof(recent{}))
	assert.Zero(t, unsafe.Sizeof(CallSeries{})%line)
	assert.Zero(t, line%unsafe.Sizeof(tally{}))
}
