package clocks

import "math"

// unknown is the bound between two clocks without any. Three times its value does not overflow.
const unknown = int64(1) << 61

// closure holds, for every pair of n clocks, the tightest bound implied by those inserted: d[i*n+j] is the largest
// difference of the corrections of i and j. The bounds are always feasible together.
type closure struct {
	n      int
	d      []int64
	closer []int // memory for insert
}

func newClosure(n int) *closure {
	c := &closure{n: n, d: make([]int64, n*n), closer: make([]int, 0, n)}
	for i := range c.d {
		if i%(n+1) != 0 {
			c.d[i] = unknown
		}
	}
	return c
}

func (c *closure) at(i, j int) int64 { return c.d[i*c.n+j] }

// insert adds the bound θ(a) − θ(b) ≤ w. It reports whether it could: a bound that contradicts those before is not
// added. It takes O(1) if the bound is implied already, else O(n) and a step for each pair of a clock that gets
// closer to b and one that a gets closer to: the bounds before were closed, so no other pair changes.
func (c *closure) insert(a, b int, w int64) bool {
	if back := c.at(b, a); back < unknown && back+w < 0 {
		return false
	}
	if c.at(a, b) <= w {
		return true
	}
	c.closer = c.closer[:0]
	for j := range c.n {
		if bj := c.at(b, j); bj < unknown && w+bj < c.at(a, j) {
			c.closer = append(c.closer, j)
		}
	}
	for i := range c.n {
		ia := c.at(i, a)
		if ia >= unknown || ia+w >= c.at(i, b) {
			continue
		}
		for _, j := range c.closer {
			bj := c.at(b, j)
			if via := max(ia+w+bj, -unknown); via < c.at(i, j) {
				c.d[i*c.n+j] = via
			}
		}
	}
	return true
}

// interval returns the possible corrections of i when that of r is 0; an unbounded end is ±∞.
func (c *closure) interval(i, r int) (lo, hi int64) {
	lo, hi = math.MinInt64, math.MaxInt64
	if d := c.at(r, i); d < unknown {
		lo = -d
	}
	if d := c.at(i, r); d < unknown {
		hi = d
	}
	return lo, hi
}
