package link

import (
	"cmp"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

// Node is what a span's place in its trace follows from.
type Node struct {
	// ID and Parent are the bytes of the IDs as big-endian numbers. 0 is none.
	ID, Parent uint64
	// Start and End are raw, in Unix nanoseconds. 0 is none.
	Start, End uint64
	// Resource, Clock and Service are numbers of the span's resource, of the clock that it was timed by, and of its service:
	// equal ones for equal things. Of resources that differ the lesser number goes first. A Clock of 0 is not known.
	Resource, Clock, Service uint64
	// Kind is OTLP's number.
	Kind int32
	// Of is the span, by the caller's count; -1 for a node that stands for a missing one.
	Of int32
	// Flags are what was found.
	Flags trace.Flags
}

// receives reports whether the span is the receiving end of a call across processes, calls whether it is the calling one.
func (n *Node) receives() bool { return n.Kind == wire.KindServer || n.Kind == wire.KindConsumer }

func (n *Node) calls() bool { return n.Kind == wire.KindClient || n.Kind == wire.KindProducer }

// sameSpan reports whether two nodes are one span, which came more than once.
func sameSpan(a, b *Node) bool { return a.ID == b.ID && a.Resource == b.Resource && a.Kind == b.Kind }

// ComparePreferred orders nodes of one span, the one that tells most first: ended before unfinished, then the longer, then
// the earlier.
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

// compareCanonical orders nodes by what the spans are, never by where they came from. Spans whose start is not their own go
// first, as they will take their parent's.
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
