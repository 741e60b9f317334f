package skeleton

import (
	"cmp"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/internal/describe"
	"github.com/slowburn/slowburn/processor/trace/internal/link"
)

// Skeleton is a trace as far as it is known how its spans hang together and what became of them, for questions that have to
// be answered of many traces: it takes a small struct per span and its memory can be used again. It has raw times: clocks
// are not corrected, and what is found does not need them to agree.
//
// Append to Spans, call Link, then ask. Reset makes it ready for another trace. The order of Spans does not matter, nor
// that some are there twice.
type Skeleton struct {
	Spans []Span

	forest  link.Forest // its nodes are those of Spans
	orphans int
	roots   int
	tops    []int32 // roots and orphans
	sorted  []Span  // memory for Link

	path   path
	worked work // of the call that was looked at last, for FailureModes
}

// Span is what a Skeleton knows of a span.
type Span struct {
	ID, Parent uint64 // the bytes of the IDs as big-endian numbers; 0 is no parent
	// Service and Name stand for the names of the service and the span: equal numbers for equal names.
	Service, Name uint64
	// Resource and Clock stand for the span's resource and the clock that it was timed by, as Identify tells; 0 for a
	// resource of which only the service is known, and for a clock that is not.
	Resource, Clock uint64
	Start, End      uint64 // Unix nanoseconds
	Kind, Status    int32  // OTLP's numbers
	Failure         Evidence
}

// Evidence is what a client span with an error says of it.
type Evidence struct {
	// Code is the HTTP status code that was received, 0 if none was.
	Code int32
	// Resends is how often the request was sent before.
	Resends int32
	// Reason is what the error was.
	Reason Reason
	// Peer says that the span knows the address it was connected to.
	Peer bool
}

// Reason is why a call failed, as its client tells.
type Reason uint8

// The reasons that tell failure modes apart.
const (
	// ReasonOther: none of those below, or not told.
	ReasonOther Reason = iota
	// ReasonNotConnected: the name was not resolved, the connection refused, TLS not agreed on, the breaker open.
	ReasonNotConnected
	// ReasonGaveUp: it took too long, or was cancelled.
	ReasonGaveUp
)

func (s *Span) duration() uint64 {
	if s.End < s.Start {
		return 0
	}
	return s.End - s.Start
}

func (s *Span) failed() bool { return s.Status == wire.StatusError }

// entered reports whether the span is the far end of a call.
func (s *Span) entered() bool { return s.Kind == wire.KindServer || s.Kind == wire.KindConsumer }

// Identify returns numbers that stand for a resource and for the clock of its spans, equal for equal ones as far as
// hashes tell. clock is 0 where the resource does not tell its clock. resourceSpans is the body of a ResourceSpans or
// its header.
func Identify(resourceSpans []byte) (resource, clock uint64) { return describe.Numbers(resourceSpans) }

// Reset empties the skeleton and keeps its memory.
func (k *Skeleton) Reset() { k.Spans = k.Spans[:0] }

// Link finds each span's parent, and brings Spans into an order that does not depend on how they came. Of spans that came more
// than once it keeps the one that tells most.
func (k *Skeleton) Link() {
	f := &k.forest
	f.Reset()
	for i := range k.Spans {
		f.Nodes = append(f.Nodes, k.Spans[i].node(int32(i)))
	}
	f.Collapse(k.preferred)
	f.Link()
	k.tops = f.Group(k.tops[:0])
	k.orphans = 0
	for _, i := range k.tops {
		if k.isOrphan(i) {
			k.orphans++
		}
	}
	k.roots = len(k.tops) - k.orphans
	k.sorted = k.sorted[:0]
	for i := range f.Nodes {
		k.sorted = append(k.sorted, k.Spans[f.Nodes[i].Of])
		f.Nodes[i].Of = int32(i)
	}
	k.Spans, k.sorted = k.sorted, k.Spans
	k.path.own = sized(k.path.own, len(k.Spans))
}

func (s *Span) node(index int32) link.Node {
	n := link.Node{
		ID: s.ID, Parent: s.Parent, Start: s.Start, End: s.End, Kind: s.Kind, Of: index,
		Resource: s.Resource, Clock: s.Clock, Service: s.Service,
	}
	if n.Resource == 0 {
		n.Resource = s.Service
	}
	return n
}

// preferred returns the one of several nodes of a span that tells most.
func (k *Skeleton) preferred(same []link.Node) []link.Node {
	best := &same[0]
	for i := range same[1:] {
		if n := &same[1+i]; k.comparePreferred(n, best) < 0 {
			best = n
		}
	}
	same[0] = *best
	return same[:1]
}

func (k *Skeleton) comparePreferred(m, n *link.Node) int {
	a, b := &k.Spans[m.Of], &k.Spans[n.Of]
	return cmp.Or(link.ComparePreferred(m, n), cmp.Compare(b.Status, a.Status), cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Failure.Code, b.Failure.Code), cmp.Compare(a.Failure.Resends, b.Failure.Resends),
		cmp.Compare(a.Failure.Reason, b.Failure.Reason))
}

// isOrphan reports whether the parent of a span is missing.
func (k *Skeleton) isOrphan(i int32) bool { return k.forest.Nodes[i].Flags&trace.FlagOrphan != 0 }

// childrenOf are indexes of Spans.
func (k *Skeleton) childrenOf(i int) []int32 { return k.forest.Children(int32(i)) }

// Orphans is how many spans have a parent that is not there.
func (k *Skeleton) Orphans() int { return k.orphans }

// Roots is how many spans have no parent. One of each cycle is one.
func (k *Skeleton) Roots() int { return k.roots }

func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
