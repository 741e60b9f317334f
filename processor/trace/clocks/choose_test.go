package clocks

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// closed returns the closure of bounds without contradictions.
func closed(t *testing.T, n int, bounds ...bound) *closure {
	t.Helper()
	c := newClosure(n)
	for _, x := range bounds {
		require.True(t, c.insert(x.a, x.b, x.w))
	}
	return c
}

// between bounds the correction of a clock relative to clock 0's.
func between(clock int, lo, hi int64) []bound {
	return []bound{{a: clock, b: 0, w: hi}, {a: 0, b: clock, w: -lo}}
}

func TestChoose(t *testing.T) {
	coupled := func(w int64, bounds ...[]bound) (all []bound) {
		for _, b := range bounds {
			all = append(all, b...)
		}
		return append(all, bound{a: 2, b: 1, w: w})
	}
	for name, c := range map[string]struct {
		bounds []bound
		order  []int
		want   []int64
	}{
		"what may stay stays":         {coupled(100, between(1, -5, 0), between(2, 0, 8)), []int{0, 1, 2}, []int64{0, 0, 0}},
		"the middle":                  {coupled(100, between(1, 10, 20), between(2, -30, -20)), []int{0, 1, 2}, []int64{0, 15, -25}},
		"one that stays moves others": {coupled(3, between(1, 0, 9), between(2, 1, 9)), []int{0, 1, 2}, []int64{0, 0, 2}},

		// Clock 1 can be set within 10, clock 2 within 15. If 2 came first, it would be at 17 and push 1 up to 16.
		"narrowest first": {coupled(5, between(1, 10, 20), between(2, 10, 25)), []int{0, 1, 2}, []int64{0, 15, 15}},
		"narrowest first, which is last in order": {
			coupled(5, between(1, 10, 20), between(2, 10, 25)), []int{2, 1, 0}, []int64{0, 15, 15},
		},
		// Both ranges have width 10, so the order decides.
		"equally narrow":        {coupled(12, between(1, 10, 20), between(2, 20, 30)), []int{0, 1, 2}, []int64{0, 15, 23}},
		"equally narrow, other": {coupled(12, between(1, 10, 20), between(2, 20, 30)), []int{0, 2, 1}, []int64{0, 16, 25}},

		"open above": {[]bound{{a: 0, b: 1, w: -7}, {a: 0, b: 2, w: -9}}, []int{0, 1, 2}, []int64{0, 7, 9}},
		"open below": {[]bound{{a: 1, b: 0, w: -7}, {a: 2, b: 0, w: -9}}, []int{0, 1, 2}, []int64{0, -7, -9}},
	} {
		require.Equal(t, c.want, choose(closed(t, 3, c.bounds...), 0, c.order), name)
	}
}

func TestMiddle(t *testing.T) {
	for _, c := range []struct{ lo, hi, want int64 }{
		{3, 7, 5}, {3, 8, 5}, {-8, -3, -6}, {4, 4, 4},
		{math.MinInt64, -3, -3}, {3, math.MaxInt64, 3},
	} {
		require.Equal(t, c.want, middle(c.lo, c.hi), "%d to %d", c.lo, c.hi)
	}
}
