package link

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func linked(nodes ...Node) *Forest {
	f := &Forest{Nodes: slices.Clone(nodes)}
	f.Collapse(func(same []Node) []Node {
		slices.SortStableFunc(same, func(a, b Node) int { return ComparePreferred(&a, &b) })
		return same[:1]
	})
	f.Link()
	f.Group(nil)
	return f
}

// tree returns each node's parent, by span.
func (f *Forest) tree() map[int32]int32 {
	tree := map[int32]int32{}
	for i, p := range f.Parents {
		tree[f.Nodes[i].Of] = None
		if p >= 0 {
			tree[f.Nodes[i].Of] = f.Nodes[p].Of
		}
	}
	return tree
}

func TestParents(t *testing.T) {
	const server, client, internal = wire.KindServer, wire.KindClient, wire.KindInternal
	shared := []Node{ // both ends of a call in Zipkin's model, and a span of each side
		{ID: 1, Start: 1, Kind: client, Resource: 1, Service: 1, Of: 0},
		{ID: 1, Start: 2, Kind: server, Resource: 2, Service: 2, Of: 1},
	}
	for name, c := range map[string]struct {
		nodes []Node
		want  map[int32]int32
		flags map[int32]trace.Flags
	}{
		"none":       {nil, map[int32]int32{}, nil},
		"root":       {[]Node{{ID: 1, Start: 1, End: 2}}, map[int32]int32{0: None}, nil},
		"below":      {[]Node{{ID: 1, Start: 1, End: 9}, {ID: 2, Parent: 1, Start: 2, End: 3, Of: 1}}, map[int32]int32{0: None, 1: 0}, nil},
		"before it":  {[]Node{{ID: 1, Start: 5, End: 9}, {ID: 2, Parent: 1, Start: 2, End: 3, Of: 1}}, map[int32]int32{0: None, 1: 0}, nil},
		"missing":    {[]Node{{ID: 2, Parent: 1, Start: 2, End: 3}}, map[int32]int32{0: None}, map[int32]trace.Flags{0: trace.FlagOrphan}},
		"its own":    {[]Node{{ID: 2, Parent: 2, Start: 2, End: 3}}, map[int32]int32{0: None}, map[int32]trace.Flags{0: trace.FlagOwnParent}},
		"without ID": {[]Node{{Start: 1, End: 2}, {ID: 2, Start: 2, End: 3, Of: 1}}, map[int32]int32{0: None, 1: None}, nil},
		"circle": {
			[]Node{{ID: 1, Parent: 2, Start: 5, End: 9}, {ID: 2, Parent: 1, Start: 2, End: 3, Of: 1}}, map[int32]int32{0: 1, 1: None},
			map[int32]trace.Flags{1: trace.FlagCycle},
		},
		"shared ID": {shared, map[int32]int32{0: None, 1: 0}, map[int32]trace.Flags{0: trace.FlagSharedID, 1: trace.FlagSharedID}},
		"below a shared ID, of the server's process": {
			append(slices.Clone(shared), Node{ID: 3, Parent: 1, Start: 3, Kind: internal, Resource: 2, Service: 2, Of: 2}),
			map[int32]int32{0: None, 1: 0, 2: 1}, nil,
		},
		"below a shared ID, of the client's process": {
			append(slices.Clone(shared), Node{ID: 3, Parent: 1, Start: 3, Kind: internal, Resource: 1, Service: 1, Of: 2}),
			map[int32]int32{0: None, 1: 0, 2: 0}, nil,
		},
		"below a shared ID, of another": {
			append(slices.Clone(shared), Node{ID: 3, Parent: 1, Start: 3, Kind: server, Resource: 3, Service: 3, Of: 2}),
			map[int32]int32{0: None, 1: 0, 2: 0}, nil, // called from the client's side
		},
	} {
		f := linked(c.nodes...)
		require.Equal(t, c.want, f.tree(), name)
		for i := range f.Nodes {
			if want, ok := c.flags[f.Nodes[i].Of]; ok {
				require.Equal(t, want, f.Nodes[i].Flags&^(trace.FlagUnfinished|trace.FlagInverted), name)
			}
		}
	}
}

func TestCollapseKeepsMostInformative(t *testing.T) {
	unfinished, short, long := Node{ID: 1, Start: 1}, Node{ID: 1, Start: 1, End: 5, Of: 1}, Node{ID: 1, Start: 1, End: 9, Of: 2}
	other := Node{ID: 1, Start: 1, End: 9, Resource: 7, Of: 3}
	for _, nodes := range [][]Node{{unfinished, short, long, other}, {other, long, short, unfinished}} {
		f := linked(nodes...)
		require.Len(t, f.Nodes, 2)
		require.Equal(t, int32(2), f.Nodes[0].Of)
		require.Equal(t, int32(3), f.Nodes[1].Of)
	}
}

// A time is nonsensical relative to the other spans: a year beyond their median.
func TestLatest(t *testing.T) {
	const now = uint64(1e18)
	for name, c := range map[string]struct {
		starts []uint64
		want   uint64
	}{
		"together":         {[]uint64{now, now + 5}, 1<<64 - 1},
		"none":             {[]uint64{0, 0}, 1<<64 - 1},
		"one far ahead":    {[]uint64{now, now + 5, 1 << 63}, now + 5 + farFuture},
		"at the end":       {[]uint64{1<<64 - 5, 1<<64 - 5, 7}, 1<<64 - 1},
		"to the last":      {[]uint64{now, now + farFuture}, 1<<64 - 1},
		"beyond the last":  {[]uint64{now, now + farFuture + 1}, now + farFuture},
		"without a start":  {[]uint64{0, now, now, 1 << 63}, now + farFuture},
		"most far ahead":   {[]uint64{7, now, now + 1}, now + farFuture},
		"two, one garbage": {[]uint64{1 << 63, now}, now + farFuture},
	} {
		var f Forest
		for _, s := range c.starts {
			f.Nodes = append(f.Nodes, Node{Start: s})
		}
		require.Equal(t, c.want, f.latest(), name)
	}
}

// In any order, with reused memory, nodes get the same order and the same parents.
func TestAnyOrder(t *testing.T) {
	used := &Forest{}
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 9))
		var nodes []Node
		for i := range 1 + rng.IntN(30) {
			nodes = append(nodes, Node{
				ID: rng.Uint64N(20), Parent: rng.Uint64N(20), Start: rng.Uint64N(30), End: rng.Uint64N(30), Kind: rng.Int32N(6),
				Resource: rng.Uint64N(4), Clock: rng.Uint64N(3), Service: rng.Uint64N(3), Of: int32(i),
			})
		}
		slices.SortFunc(nodes, func(a, b Node) int { return compareCanonical(&a, &b) })
		nodes = slices.CompactFunc(nodes, func(a, b Node) bool { return sameSpan(&a, &b) })
		link := func(f *Forest) {
			f.Reset()
			f.Nodes = append(f.Nodes, nodes...)
			f.Collapse(func(same []Node) []Node {
				best := slices.MinFunc(same, func(a, b Node) int {
					if c := ComparePreferred(&a, &b); c != 0 {
						return c
					}
					return int(a.Of - b.Of)
				})
				return append(same[:0], best)
			})
			f.Link()
			f.Group(nil)
		}
		want := &Forest{}
		link(want)
		children := 0
		for i := range want.Nodes {
			for _, c := range want.Children(int32(i)) {
				require.Equal(t, int32(i), want.Parents[c])
				children++
			}
			at, steps := int32(i), 0
			for ; at >= 0; at = want.Parents[at] {
				steps++
				require.LessOrEqual(t, steps, len(want.Nodes), "no circle is left")
			}
		}
		require.LessOrEqual(t, children, len(want.Nodes))
		rng.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
		link(used)
		require.Equal(t, want.Nodes, used.Nodes, "seed %d", seed)
		require.Equal(t, want.Parents, used.Parents, "seed %d", seed)
	}
}
