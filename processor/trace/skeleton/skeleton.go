package skeleton

import (
	"cmp"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/internal/describe"
	"github.com/slowburn/slowburn/processor/trace/internal/link"
)

// Skeleton holds the structure of a trace and the outcome of its spans, for questions about many traces: it takes a small
// struct per span and reuses its memory. It has raw times: clocks are not corrected, and its answers do not need them to
// agree.
//
// Append to Spans, call Link, then ask. Reset prepares it for another trace. Neither the order of Spans nor repeated ones
// matter.
type Skeleton struct {
	Spans []Span

	forest  link.Forest // its nodes correspond to Spans
	orphans int
	roots   int
	tops    []int32 // roots and orphans
	sorted  []Span  // memory for Link

	path   path
	worked work // of the last call that was compared, for FailureModes
}

// Span has the fields of a span that a Skeleton needs.
type Span struct {
	ID, Parent uint64 // the bytes of the IDs as big-endian numbers; 0 is no parent
	// Service and Name are hashes of the names of the service and the span.
	Service, Name uint64
	// Resource and Clock are the numbers of Identify for the span's resource and its clock. 0 is a resource of which
	// only the service is known, and an unknown clock.
	Resource, Clock uint64
	Start, End      uint64 // Unix nanoseconds
	Kind, Status    int32  // OTLP's numbers
	Failure         Evidence
}

// Evidence has the facts about the error of a client span.
type Evidence struct {
	// Code is the received HTTP status code, 0 if there was none.
	Code int32
	// Resends is how often the request was sent before.
	Resends int32
	// Reason is the kind of error.
	Reason Reason
	// Peer reports whether the span has the address that it was connected to.
	Peer bool
}

// Reason is why a call failed, as its client reports it.
type Reason uint8

// The reasons that distinguish failure modes.
const (
	// ReasonOther: any other reason, or none.
	ReasonOther Reason = iota
	// ReasonNotConnected: name resolution failed, the connection was refused, TLS failed, or the breaker was
	// open.
	ReasonNotConnected
	// ReasonGaveUp: a timeout or a cancellation.
	ReasonGaveUp
)

func (s *Span) duration() uint64 {
	if s.End < s.Start {
		return 0
	}
	return s.End - s.Start
}

func (s *Span) failed() bool { return s.Status == wire.StatusError }

// entered reports whether the span is the receiving end of a call.
func (s *Span) entered() bool { return s.Kind == wire.KindServer || s.Kind == wire.KindConsumer }

// Identify returns hashes of a resource and of the clock of its spans, equal for equal ones. clock is 0 if the
// resource does not identify it. resourceSpans is the body of a ResourceSpans or its header.
func Identify(resourceSpans []byte) (resource, clock uint64) { return describe.Numbers(resourceSpans) }

// Reset empties the skeleton and keeps its memory.
func (k *Skeleton) Reset() { k.Spans = k.Spans[:0] }

// Link finds each span's parent, and sorts Spans independently of their arrival. Of copies of a span it keeps the one that
// tells most.
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

// preferred returns the copy of a span that tells most.
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

// childrenOf returns the children of a span, as indexes of Spans.
func (k *Skeleton) childrenOf(i int) []int32 { return k.forest.Children(int32(i)) }

// Orphans is the number of spans whose parent is missing.
func (k *Skeleton) Orphans() int { return k.orphans }

// Roots is the number of spans without a parent, including one of each cycle.
func (k *Skeleton) Roots() int { return k.roots }

func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
