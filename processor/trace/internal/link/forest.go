package link

import (
	"cmp"
	"math"
	"slices"

	"github.com/slowburn/slowburn/processor/trace"
)

// None is the parent of a node that has none.
const None = -1

// Forest holds a trace's spans and their structure.
type Forest struct {
	Nodes []Node
	// Parents are indexes of Nodes, None for a node without a parent. FlagOrphan marks nodes whose parent is missing.
	Parents []int32
	// Latest is the latest plausible time of a span of the trace, in Unix nanoseconds. See judgeTimes.
	Latest uint64

	byID     []entry // nodes with an ID, sorted by ID and then by node
	repeated bool    // two nodes have the same ID
	indexed  bool    // byID is up to date
	children []int32 // of Group: grouped by parent
	ends     []int32 // of Group, by node: the end of its children in children; before that, scratch of arrange
	order    []int32
	moved    []Node
}

// entry is a node under its ID.
type entry struct {
	id   uint64
	node int32
}

// Reset empties the forest and keeps its memory.
func (f *Forest) Reset() { f.Nodes, f.Parents, f.indexed = f.Nodes[:0], f.Parents[:0], false }

// Collapse calls choose with the nodes of each repeated span, and keeps those that it returns. Call it before
// Link.
func (f *Forest) Collapse(choose func(same []Node) []Node) {
	f.index()
	if f.indexed = !f.repeated; f.indexed {
		return
	}
	slices.SortStableFunc(f.Nodes, func(a, b Node) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Kind, b.Kind))
	})
	kept := f.Nodes[:0]
	for i := 0; i < len(f.Nodes); {
		n := 1
		for i+n < len(f.Nodes) && sameSpan(&f.Nodes[i], &f.Nodes[i+n]) {
			n++
		}
		if n == 1 {
			kept = append(kept, f.Nodes[i])
		} else {
			kept = append(kept, choose(f.Nodes[i:i+n])...)
		}
		i += n
	}
	f.Nodes = kept
}

// Link finds each node's parent.
func (f *Forest) Link() {
	f.judgeTimes()
	f.arrange()
	f.Parents = sized(f.Parents, len(f.Nodes))
	for i := range f.Nodes {
		f.Parents[i] = f.parentOf(int32(i))
	}
	f.cutCycles()
}

// arrange sorts the nodes canonically, and indexes them by ID.
func (f *Forest) arrange() {
	sorted := true
	f.order = sized(f.order, len(f.Nodes))
	for i := range f.order {
		f.order[i] = int32(i)
		sorted = sorted && (i == 0 || compareCanonical(&f.Nodes[i-1], &f.Nodes[i]) <= 0)
	}
	if !sorted {
		slices.SortStableFunc(f.order, func(i, j int32) int { return compareCanonical(&f.Nodes[i], &f.Nodes[j]) })
		f.moved = sized(f.moved, len(f.Nodes))
		for to, from := range f.order {
			f.moved[to] = f.Nodes[from]
		}
		f.Nodes, f.moved = f.moved, f.Nodes
	}
	switch {
	case !f.indexed:
		f.index()
	case !sorted:
		now := sized(f.ends, len(f.Nodes)) // by former index of a node
		for to, from := range f.order {
			now[from] = int32(to)
		}
		for i := range f.byID {
			f.byID[i].node = now[f.byID[i].node]
		}
		f.ends = now
	}
}

// index rebuilds byID.
func (f *Forest) index() {
	f.byID = f.byID[:0]
	for i := range f.Nodes {
		f.byID = append(f.byID, entry{f.Nodes[i].ID, int32(i)})
	}
	slices.SortFunc(f.byID, func(a, b entry) int {
		if a.id != b.id {
			return cmp.Compare(a.id, b.id)
		}
		return cmp.Compare(a.node, b.node)
	})
	f.repeated = false
	for i := 1; i < len(f.byID); i++ {
		f.repeated = f.repeated || f.byID[i].id == f.byID[i-1].id
	}
}

// maxTwins is the largest number of spans with one ID that are compared. A call has two ends, so more than a few come
// from a broken generator of IDs, and must not make the search quadratic.
const maxTwins = 32

// with returns the first nodes with the ID, in canonical order.
func (f *Forest) with(id uint64) []entry {
	if id == 0 {
		return nil
	}
	lo, hi := 0, len(f.byID)
	for lo < hi {
		if mid := (lo + hi) / 2; f.byID[mid].id < id {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	n := lo
	for n < len(f.byID) && n < lo+maxTwins && f.byID[n].id == id {
		n++
	}
	return f.byID[lo:n]
}

// First returns the first node with the ID in canonical order, None if there is none.
func (f *Forest) First(id uint64) int32 {
	if found := f.with(id); len(found) > 0 {
		return found[0].node
	}
	return None
}

// farFuture is how much later than the median start a start may be, in nanoseconds, before it counts as garbage and
// not as a clock that is off. A wrong unit is more likely than a trace of a year.
const farFuture = uint64(365 * 24 * 3600 * 1e9)

// judgeTimes flags spans with impossible times. The far future is judged against the other spans and not against today: the
// same spans give the same trace at any time.
func (f *Forest) judgeTimes() {
	f.Latest = f.latest()
	for i := range f.Nodes {
		n := &f.Nodes[i]
		switch {
		case n.Start == 0:
			n.Flags |= trace.FlagNoStart
		case n.Start > f.Latest:
			n.Flags |= trace.FlagFarFuture
		}
		switch {
		case n.End == 0:
			n.Flags |= trace.FlagUnfinished
		case n.End < n.Start:
			n.Flags |= trace.FlagInverted
		}
	}
}

// latest returns farFuture after the median start. If all times lie closer together than that, none is later, and the
// median is not computed.
func (f *Forest) latest() uint64 {
	first, last := uint64(math.MaxUint64), uint64(0)
	for i := range f.Nodes {
		n := &f.Nodes[i]
		if n.Start != 0 {
			first = min(first, n.Start)
		}
		last = max(last, n.Start, n.End)
	}
	if first == math.MaxUint64 || last <= first || last-first <= farFuture {
		return math.MaxUint64
	}
	starts := make([]uint64, 0, len(f.Nodes))
	for i := range f.Nodes {
		if s := f.Nodes[i].Start; s != 0 {
			starts = append(starts, s)
		}
	}
	slices.Sort(starts)
	if median := starts[(len(starts)-1)/2]; median < math.MaxUint64-farFuture {
		return median + farFuture
	}
	return math.MaxUint64
}

func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, max(n, 2*cap(s)))
	}
	return s[:n]
}
