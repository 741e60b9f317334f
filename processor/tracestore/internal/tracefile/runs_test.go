package tracefile

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// A search of a run finds the same as a scan, for evenly spread hashes and for others.
func TestRunSearch(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for name, draw := range map[string]func() uint64{
		"even": rng.Uint64, "low": func() uint64 { return rng.Uint64N(50) }, "high": func() uint64 { return math.MaxUint64 - rng.Uint64N(50) },
	} {
		for _, n := range []int{0, 1, 2, 3, 100, 1000} {
			var of []located
			for i := range n {
				of = append(of, located{draw(), placeOf(uint64(i), i)})
			}
			r := newRun(of)
			require.Equal(t, n, r.len())
			for range 200 {
				h := draw()
				if n > 0 && rng.IntN(2) == 0 {
					h = of[rng.IntN(n)].hash
				}
				want := slices.IndexFunc(of, func(l located) bool { return l.hash >= h })
				if want < 0 {
					want = n
				}
				require.Equal(t, want, r.search(h), "%s: %d of %d", name, h, n)
			}
		}
	}
}

func TestRunsMerge(t *testing.T) {
	of := func(hashes ...uint64) (l []located) {
		for _, h := range hashes {
			l = append(l, located{h, placeOf(h, 1)})
		}
		return l
	}
	require.Equal(t, newRun(of(1, 2, 3, 5, 9)), newRun(of(9, 2)).merged(newRun(of(5, 1, 3))))
	require.Equal(t, newRun(of(1)), newRun(nil).merged(newRun(of(1))))
	require.Empty(t, newRun(nil).merged(nil))
}
