package clocks

// group is a set of clocks that bounds connect, and those bounds by indexes into clocks.
type group struct {
	clocks []int
	bounds []bound
}

// split splits n clocks by connection. Groups and their clocks are in the order of the clocks.
func split(n int, bounds []bound) []group {
	root := make([]int, n)
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
	for _, x := range bounds {
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
	for _, x := range bounds {
		g := &groups[of[x.a]]
		x.a, x.b = place[x.a], place[x.b]
		g.bounds = append(g.bounds, x)
	}
	return groups
}
