package assemble

import "github.com/slowburn/slowburn/processor/trace"

// layout is the preorder of a forest.
type layout struct {
	preorder []int // indexes of spans, parents before children
	rank     []int // position of each span in preorder
	last     []int // position in preorder of the last span below each
}

// layOut finds the preorder of the forest as it stands.
func layOut(spans []trace.Span) layout {
	n := len(spans)
	l := layout{make([]int, 0, n), make([]int, n), make([]int, n)}
	children, roots := childrenOf(spans)
	walk(roots, children, func(i, _ int) {
		l.rank[i] = len(l.preorder)
		l.preorder = append(l.preorder, i)
	})
	for i := range spans {
		l.last[i] = l.rank[i]
	}
	for k := n - 1; k >= 0; k-- {
		i := l.preorder[k]
		if p := spans[i].Parent; p >= 0 {
			l.last[p] = max(l.last[p], l.last[i])
		}
	}
	return l
}

// isAncestor reports whether the span a is d, or above it, in constant time.
func (l *layout) isAncestor(a, d int) bool {
	return l.rank[a] <= l.rank[d] && l.rank[d] <= l.last[a]
}

// childrenOf are each span's children and the roots, in the order of the spans. One array holds all lists.
func childrenOf(spans []trace.Span) (children [][]int, roots []int) {
	count := make([]int, len(spans))
	edges := 0
	for i := range spans {
		if p := spans[i].Parent; p >= 0 {
			count[p]++
			edges++
		}
	}
	all := make([]int, edges)
	children = make([][]int, len(spans))
	for i, c := range count {
		children[i], all = all[:0:c], all[c:]
	}
	for i := range spans {
		if p := spans[i].Parent; p >= 0 {
			children[p] = append(children[p], i)
		} else {
			roots = append(roots, i)
		}
	}
	return children, roots
}

// walk visits the forest in preorder, with each span's depth.
func walk(roots []int, children [][]int, visit func(i, depth int)) {
	type step struct{ span, depth int }
	var stack []step
	push := func(spans []int, depth int) {
		for k := len(spans) - 1; k >= 0; k-- {
			stack = append(stack, step{spans[k], depth})
		}
	}
	push(roots, 0)
	for len(stack) > 0 {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		visit(top.span, top.depth)
		push(children[top.span], top.depth+1)
	}
}
