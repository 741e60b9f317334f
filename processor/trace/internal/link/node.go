package link

import (
	"cmp"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

// Node has the fields of a span that determine its place in the trace.
type Node struct {
	// ID and Parent are the bytes of the IDs as big-endian numbers. 0 is none.
	ID, Parent uint64
	// Start and End are raw, in Unix nanoseconds. 0 is none.
	Start, End uint64
	// Resource, Clock and Service are numbers of the span's resource, clock and service, equal for equal ones. Of
	// different resources the lower number comes first. A Clock of 0 is unknown.
	Resource, Clock, Service uint64
	// Kind is OTLP's number.
	Kind int32
	// Of is the caller's index of the span; -1 for a node that stands for a missing span.
	Of int32
	// Flags are the findings about the span.
	Flags trace.Flags
}

// receives reports whether the span is the receiving end of a call across processes, calls whether it is the calling one.
func (n *Node) receives() bool { return n.Kind == wire.KindServer || n.Kind == wire.KindConsumer }

func (n *Node) calls() bool { return n.Kind == wire.KindClient || n.Kind == wire.KindProducer }

// sameSpan reports whether two nodes are copies of one span.
func sameSpan(a, b *Node) bool { return a.ID == b.ID && a.Resource == b.Resource && a.Kind == b.Kind }

// ComparePreferred orders copies of a span by how much they tell: ended before unfinished, then the longer, then the
// earlier.
func ComparePreferred(a, b *Node) int {
	return cmp.Or(cmp.Compare(unfinished(a), unfinished(b)), cmp.Compare(duration(b), duration(a)),
		cmp.Compare(a.Start, b.Start), cmp.Compare(a.Parent, b.Parent))
}

func unfinished(n *Node) int {
	if n.End == 0 {
		return 1
	}
	return 0
}

func duration(n *Node) uint64 {
	if n.End < n.Start {
		return 0
	}
	return n.End - n.Start
}

// compareCanonical orders nodes by the spans' contents, never by their order of arrival. Spans without a start of their own
// come first, as they take their parent's.
func compareCanonical(a, b *Node) int {
	switch as, bs := a.ownStart(), b.ownStart(); {
	case as != bs:
		return cmp.Compare(as, bs)
	case a.End != b.End:
		return cmp.Compare(a.End, b.End)
	}
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Resource, b.Resource))
}

func (n *Node) ownStart() uint64 {
	if !n.Flags.OwnStart() {
		return 0
	}
	return n.Start
}
