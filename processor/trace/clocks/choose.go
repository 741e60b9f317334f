package clocks

import (
	"math"
	"slices"
)

// choose chooses a correction for every clock, with the reference at 0. It uses c up.
func choose(c *closure, ref int, order []int) []int64 {
	offset := make([]int64, c.n)
	fix := func(i int, value int64) {
		offset[i] = value
		c.insert(i, ref, value)
		c.insert(ref, i, -value)
	}
	var rest []int
	for _, i := range order {
		if lo, hi := c.interval(i, ref); lo <= 0 && 0 <= hi {
			fix(i, 0)
		} else {
			rest = append(rest, i)
		}
	}
	for len(rest) > 0 {
		next, narrowest := 0, uint64(math.MaxUint64)
		for k, i := range rest {
			lo, hi := c.interval(i, ref)
			if width := uint64(hi) - uint64(lo); width < narrowest {
				next, narrowest = k, width
			}
		}
		i := rest[next]
		lo, hi := c.interval(i, ref)
		fix(i, middle(lo, hi))
		rest = slices.Delete(rest, next, next+1)
	}
	return offset
}

// middle returns the middle of an interval without 0, or, if one end is open, the end nearest to 0.
func middle(lo, hi int64) int64 {
	switch {
	case lo == math.MinInt64:
		return hi
	case hi == math.MaxInt64:
		return lo
	default:
		return lo + (hi-lo)/2
	}
}
