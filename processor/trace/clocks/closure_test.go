package clocks

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// shortest computes the closure by Floyd and Warshall over all bounds at once; false if they contradict each other.
func shortest(n int, bounds []bound) ([]int64, bool) {
	d := newClosure(n).d
	for _, x := range bounds {
		d[x.a*n+x.b] = min(d[x.a*n+x.b], x.w)
	}
	for k := range n {
		for i := range n {
			for j := range n {
				if d[i*n+k] < unknown && d[k*n+j] < unknown {
					d[i*n+j] = min(d[i*n+j], d[i*n+k]+d[k*n+j])
				}
			}
		}
	}
	for i := range n {
		if d[i*n+i] < 0 {
			return nil, false
		}
	}
	return d, true
}

// A closure accepts a bound if and only if it contradicts no earlier one, and contains everything that follows from them.
func TestClosureIsTheTightest(t *testing.T) {
	refused := 0
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		n := 2 + rng.IntN(5)
		c := newClosure(n)
		var taken []bound
		for range rng.IntN(3 * n) {
			x := bound{a: rng.IntN(n), b: rng.IntN(n), w: rng.Int64N(100) - 45}
			if x.a == x.b {
				continue
			}
			before := append([]int64(nil), c.d...)
			_, fits := shortest(n, append(taken, x))
			require.Equal(t, fits, c.insert(x.a, x.b, x.w))
			if !fits {
				refused++
				require.Equal(t, before, c.d, "a bound that is refused changes nothing")
				continue
			}
			taken = append(taken, x)
		}
		want, _ := shortest(n, taken)
		require.Equal(t, want, c.d)
	}
	require.Greater(t, refused, 50, "the test must not be vacuous")
}

func TestInterval(t *testing.T) {
	c := closed(t, 4, append(between(1, 10, 20), bound{a: 2, b: 0, w: -4}, bound{a: 0, b: 3, w: -5})...)
	for clock, want := range [][2]int64{{0, 0}, {10, 20}, {math.MinInt64, -4}, {5, math.MaxInt64}} {
		lo, hi := c.interval(clock, 0)
		require.Equal(t, want, [2]int64{lo, hi}, "clock %d", clock)
	}
}

// A bound that closes a cycle of exactly 0 is no contradiction.
func TestTightCycleIsTaken(t *testing.T) {
	c := closed(t, 2, bound{a: 0, b: 1, w: 7})
	require.False(t, c.insert(1, 0, -8))
	require.True(t, c.insert(1, 0, -7))
}
