package trace

// layOut finds the preorder of the forest as it stands, with which ancestors are told in constant time.
func (b *builder) layOut() {
	n := len(b.spans)
	b.preorder, b.rank, b.last = make([]int, 0, n), make([]int, n), make([]int, n)
	children, roots := b.children()
	b.walk(roots, children, func(i, _ int) {
		b.rank[i] = len(b.preorder)
		b.preorder = append(b.preorder, i)
	})
	for i := range b.spans {
		b.last[i] = b.rank[i]
	}
	for k := n - 1; k >= 0; k-- {
		i := b.preorder[k]
		if p := b.spans[i].Parent; p >= 0 {
			b.last[p] = max(b.last[p], b.last[i])
		}
	}
}

// isAncestor says whether the span a is d, or above it.
func (b *builder) isAncestor(a, d int) bool {
	return b.rank[a] <= b.rank[d] && b.rank[d] <= b.last[a]
}

// children are each span's children and the roots, in the order of the spans. One array holds all lists.
func (b *builder) children() (children [][]int, roots []int) {
	count := make([]int, len(b.spans))
	edges := 0
	for i := range b.spans {
		if p := b.spans[i].Parent; p >= 0 {
			count[p]++
			edges++
		}
	}
	all := make([]int, edges)
	children = make([][]int, len(b.spans))
	for i, c := range count {
		children[i], all = all[:0:c], all[c:]
	}
	for i := range b.spans {
		if p := b.spans[i].Parent; p >= 0 {
			children[p] = append(children[p], i)
		} else {
			roots = append(roots, i)
		}
	}
	return children, roots
}

// walk visits the forest in preorder, with each span's depth.
func (b *builder) walk(roots []int, children [][]int, visit func(i, depth int)) {
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
