package assemble

import (
	"encoding/binary"
	"slices"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

// step is a node on the walk through the forest.
type step struct {
	node  int32
	depth int
}

// layOut creates the spans of the trace in preorder of the forest, siblings in canonical order.
func (b *Batch) layOut() {
	t, f := b.trace, &b.forest
	n := len(f.Nodes)
	roots := f.Group(nil)
	t.Spans = b.room.spans.take(n)[:0]
	t.Roots = b.room.numbers.take(len(roots))[:0]
	edges := b.room.numbers.take(n - len(roots)) // one array holds all lists of children
	b.nodes = b.nodes[:0]
	b.numbers = slices.Grow(b.numbers[:0], n)[:n]
	b.push(roots, 0)
	for len(b.stack) > 0 {
		top := b.stack[len(b.stack)-1]
		b.stack = b.stack[:len(b.stack)-1]
		i := len(t.Spans)
		b.numbers[top.node] = i
		b.nodes = append(b.nodes, top.node)
		t.Spans = t.Spans[:i+1]
		s := &t.Spans[i]
		b.fill(s, top.node)
		children := f.Children(top.node)
		s.Depth = top.depth
		s.Children, edges = edges[:0:len(children)], edges[len(children):]
		if p := f.Parents[top.node]; p >= 0 {
			s.Parent = b.numbers[p] // parents precede their children
			of := &t.Spans[s.Parent].Children
			*of = append(*of, i)
		} else {
			s.Parent = -1
			t.Roots = append(t.Roots, i)
		}
		b.push(children, top.depth+1)
	}
}

// push pushes nodes on the stack in reverse, so that the first one is next.
func (b *Batch) push(nodes []int32, depth int) {
	for k := len(nodes) - 1; k >= 0; k-- {
		b.stack = append(b.stack, step{nodes[k], depth})
	}
}

// fill sets the fields of a node's span.
func (b *Batch) fill(s *trace.Span, node int32) {
	n := &b.forest.Nodes[node]
	s.Flags, s.Clock = n.Flags, -1
	if n.Of < 0 {
		binary.BigEndian.PutUint64(s.ID[:], n.ID)
		s.Source, s.Synthetic, s.Resource = -1, true, -1
		return
	}
	in := &b.spans[n.Of]
	s.Data = trace.Data{
		Body: in.Body.Of(b.kept.Bytes), Name: in.Name.Of(b.kept.Bytes), TraceState: in.TraceState.Of(b.kept.Bytes),
		Status: in.Status, Flags: in.Flags,
	}
	s.Source, s.ID, s.ParentID, s.Kind = int(n.Of), in.ID, in.ParentID, in.Kind
	s.Scope, s.Resource = b.headers.scopes[in.Scope], int(n.Resource)
	s.Service = b.trace.Resources[s.Resource].Service
	s.Start, s.End = n.Start, n.End
	if n.Flags&trace.FlagMerged != 0 {
		m := b.copies.merged[n.Of]
		s.Data.Body, s.Others = m.body, m.others
	}
}

// linked reports whether a span has links.
func (b *Batch) linked(s *trace.Span) bool {
	return !s.Synthetic && (s.Flags&trace.FlagMerged != 0 || b.spans[s.Source].Linked)
}

// isAncestor reports whether the span a is d, or above it, in constant time.
func (b *Batch) isAncestor(a, d int) bool {
	spans := b.trace.Spans
	if len(b.last) == 0 {
		b.last = slices.Grow(b.last, len(spans))[:len(spans)]
		for i := len(spans) - 1; i >= 0; i-- {
			b.last[i] = i
			if c := spans[i].Children; len(c) > 0 {
				b.last[i] = b.last[c[len(c)-1]]
			}
		}
	}
	return a <= d && d <= b.last[a]
}

// spanOf returns the index of the span with the ID, -1 if there is none.
func (b *Batch) spanOf(id wire.SpanID) int {
	node := b.forest.First(number(id))
	if node < 0 {
		return -1
	}
	return b.numbers[node]
}
