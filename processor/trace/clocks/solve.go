package clocks

import (
	"fmt"
	"math"
	"slices"

	"github.com/slowburn/slowburn/processor/trace"
)

// maxClosure is the largest group of connected clocks that is solved: the closure takes memory quadratic in its size.
// The clocks of a larger group keep offset 0; spans that start before their parents are then moved one by one.
const maxClosure = 128

// broken reports whether a bound does not hold without corrections.
func broken(x bound) bool { return x.w < 0 }

// solve finds the offset of each clock. Only if some bound is broken does it read the clients' attributes, to see which
// gave up waiting.
func (c *corrector) solve() (warnings []string) {
	if !slices.ContainsFunc(c.bounds, broken) {
		return nil
	}
	asked := make(map[int]bool) // by client: a span with many servers is read once
	c.bounds = slices.DeleteFunc(c.bounds, func(x bound) bool {
		if !x.soft {
			return false
		}
		answer, known := asked[x.client]
		if !known {
			answer = gaveUp(c.Spans[x.client].Data.Body)
			asked[x.client] = answer
		}
		return answer
	})
	return solve(c.clocks, c.bounds)
}

// solve finds the offset of each clock, group by group of clocks that bounds connect. A group whose bounds all hold as they
// are is not touched. It returns sentences about the groups that are too large.
func solve(clocks []clock, bounds []bound) (warnings []string) {
	for _, g := range split(len(clocks), bounds) {
		if !slices.ContainsFunc(g.bounds, broken) {
			continue
		}
		if len(g.clocks) > maxClosure {
			warnings = append(warnings, fmt.Sprintf(
				"%d clocks are connected and some disagree: more than %d are not corrected together, only spans that start before their parents are moved",
				len(g.clocks), maxClosure))
			continue
		}
		g.solve(clocks)
	}
	return warnings
}

// solve corrects the clocks of one group: it computes the closure of the bounds, chooses the reference, keeps at 0 the
// offsets that may be 0, and puts the others in the middle of their intervals. Closing again after each choice keeps the
// next ones feasible.
func (g *group) solve(clocks []clock) {
	n := len(g.clocks)
	c := newClosure(n)
	step := make([]bool, n)
	for _, x := range inOrder(g.bounds) {
		if !c.insert(x.a, x.b, x.w) && !x.soft {
			step[x.a], step[x.b] = true, true
		}
	}
	ref := g.reference(clocks, c)
	lo, hi := make([]int64, n), make([]int64, n)
	for i := range n {
		lo[i], hi[i] = c.interval(i, ref)
	}
	offset := choose(c, ref, g.backendFirst(clocks))
	for i, k := range g.clocks {
		found := &clocks[k].Clock
		found.Offset = offset[i]
		if offset[i] != 0 {
			found.Status = trace.ClockBounded
			if lo[i] == math.MinInt64 || hi[i] == math.MaxInt64 {
				found.Status, found.Uncertainty = trace.ClockOneSided, -1
			} else {
				found.Uncertainty = max(offset[i]-lo[i], hi[i]-offset[i])
			}
		}
		if step[i] {
			found.Status, found.Uncertainty = trace.ClockStep, -1
		}
	}
}

// reference returns the clock that the others are corrected to: of the backend's clocks, if there are any, the
// one that agrees with most others, and of equal ones the nearest to the root. The root's own clock may be a
// phone's.
func (g *group) reference(clocks []clock, c *closure) int {
	best, most := 0, -1
	order := g.backendFirst(clocks)
	backends := 0
	for _, i := range order {
		if clocks[g.clocks[i]].backend {
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

// backendFirst returns the group's clocks in order, first those that serve requests, then those that only
// send them.
func (g *group) backendFirst(clocks []clock) []int {
	order := make([]int, 0, len(g.clocks))
	for _, backend := range []bool{true, false} {
		for i, k := range g.clocks {
			if clocks[k].backend == backend {
				order = append(order, i)
			}
		}
	}
	return order
}
