package trace

import (
	"math"
	"slices"
)

// maxClosure is the largest group of connected clocks that is solved: the closure takes the square of it in memory. The
// clocks of a larger group keep offset 0; spans that start before their parents are then moved one by one.
const maxClosure = 128

// solveClocks finds each clock's correction, group by group of clocks that bounds connect. A group whose bounds all hold
// as they are is not touched.
func (b *builder) solveClocks() {
	broken := func(x bound) bool { return x.w < 0 }
	if !slices.ContainsFunc(b.bounds, broken) {
		return
	}
	for _, g := range b.groups() {
		if !slices.ContainsFunc(g.bounds, broken) {
			continue
		}
		if len(g.clocks) > maxClosure {
			b.warn("%d clocks are connected and some disagree: more than %d are not corrected together, only spans that start before their parents are moved",
				len(g.clocks), maxClosure)
			continue
		}
		b.solve(g)
	}
}

// group is a set of clocks that bounds connect, and those bounds by indexes into clocks.
type group struct {
	clocks []int
	bounds []bound
}

// groups splits the clocks by connection. Groups and their clocks are in the order of the clocks.
func (b *builder) groups() []group {
	root := make([]int, len(b.clocks))
	for i := range root {
		root[i] = i
	}
	find := func(i int) int {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for _, x := range b.bounds {
		lo, hi := find(x.a), find(x.b)
		root[max(lo, hi)] = min(lo, hi)
	}
	var groups []group
	of, place := make([]int, len(root)), make([]int, len(root)) // a clock's group, and its index there
	for i := range root {
		r := find(i)
		if r == i {
			of[i] = len(groups)
			groups = append(groups, group{})
		}
		g := &groups[of[r]]
		of[i], place[i] = of[r], len(g.clocks)
		g.clocks = append(g.clocks, i)
	}
	for _, x := range b.bounds {
		g := &groups[of[x.a]]
		x.a, x.b = place[x.a], place[x.b]
		g.bounds = append(g.bounds, x)
	}
	return groups
}

// solve corrects the clocks of one group: it closes over the bounds, chooses the reference, keeps at 0 what may stay
// there, and puts the rest in the middle of what is possible. Re-closing after each choice keeps the next ones feasible.
func (b *builder) solve(g group) {
	n := len(g.clocks)
	c := newClosure(n)
	step := make([]bool, n)
	for _, x := range inOrder(g.bounds) {
		if !c.insert(x.a, x.b, x.w) && !x.soft {
			step[x.a], step[x.b] = true, true
		}
	}
	ref := b.reference(g, c)
	lo, hi := make([]int64, n), make([]int64, n)
	for i := range n {
		lo[i], hi[i] = c.interval(i, ref)
	}
	offset := choose(c, ref, b.backendFirst(g))
	for i, k := range g.clocks {
		found := &b.clocks[k].Clock
		found.Offset = offset[i]
		if offset[i] != 0 {
			found.Status = ClockBounded
			if lo[i] == math.MinInt64 || hi[i] == math.MaxInt64 {
				found.Status, found.Uncertainty = ClockOneSided, -1
			} else {
				found.Uncertainty = max(offset[i]-lo[i], hi[i]-offset[i])
			}
		}
		if step[i] {
			found.Status, found.Uncertainty = ClockStep, -1
		}
	}
}

// reference is the clock that the others are corrected to: of those of the backend, the one that agrees with most
// others. Not the root's, which may be a phone's; where all agree equally, the one nearest to it.
func (b *builder) reference(g group, c *closure) int {
	best, most := 0, -1
	order := b.backendFirst(g)
	backends := 0
	for _, i := range order {
		if b.clocks[g.clocks[i]].backend {
			backends++
		}
	}
	if backends > 0 {
		order = order[:backends]
	}
	for _, r := range order {
		votes := 0
		for _, i := range order {
			if lo, hi := c.interval(i, r); lo <= 0 && 0 <= hi {
				votes++
			}
		}
		if votes > most {
			best, most = r, votes
		}
	}
	return best
}

// backendFirst is the group's clocks in order, those that serve requests before those that only send them.
func (b *builder) backendFirst(g group) []int {
	order := make([]int, 0, len(g.clocks))
	for _, backend := range []bool{true, false} {
		for i, k := range g.clocks {
			if b.clocks[k].backend == backend {
				order = append(order, i)
			}
		}
	}
	return order
}

// choose picks a correction for every clock, with the reference at 0. c is spent.
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
		fix(i, within(lo, hi))
		rest = slices.Delete(rest, next, next+1)
	}
	return offset
}

// within is the middle of an interval without 0 or, where one end is open, the end nearest to 0.
func within(lo, hi int64) int64 {
	switch {
	case lo == math.MinInt64:
		return hi
	case hi == math.MaxInt64:
		return lo
	default:
		return lo + (hi-lo)/2
	}
}
