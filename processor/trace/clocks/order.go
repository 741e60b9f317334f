package clocks

import (
	"cmp"
	"slices"
)

// inOrder sorts bounds for insertion: hard before soft, the loosest first, so that a contradiction leaves out
// the tightest.
func inOrder(bounds []bound) []bound {
	sorted := thinned(bounds)
	slices.SortFunc(sorted, func(x, y bound) int {
		return cmp.Or(
			cmp.Compare(softness(x), softness(y)), cmp.Compare(y.slack, x.slack), cmp.Compare(y.w, x.w),
			cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	return sorted
}

// maxPooled is the number of bounds from one clock to another that are inserted. Inserting one that is tighter than the
// last takes time quadratic in the clocks, and a loop may make thousands.
const maxPooled = 8

// thinned keeps, of the bounds from one clock to another, the tightest and others spread evenly up to the loosest: if
// the tightest contradicts the rest of the trace, a looser one remains.
func thinned(bounds []bound) []bound {
	pairs := slices.Clone(bounds)
	same := func(x, y bound) bool { return x.a == y.a && x.b == y.b && x.soft == y.soft }
	slices.SortFunc(pairs, func(x, y bound) int {
		return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b), cmp.Compare(softness(x), softness(y)),
			cmp.Compare(x.w, y.w), cmp.Compare(x.slack, y.slack))
	})
	kept := make([]bound, 0, len(pairs))
	for i := 0; i < len(pairs); {
		n := 1
		for i+n < len(pairs) && same(pairs[i], pairs[i+n]) {
			n++
		}
		keep := min(n, maxPooled)
		for k := range keep {
			kept = append(kept, pairs[i+k*(n-1)/max(keep-1, 1)])
		}
		i += n
	}
	return kept
}

func softness(x bound) int {
	if x.soft {
		return 1
	}
	return 0
}
