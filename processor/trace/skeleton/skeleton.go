package skeleton

import (
	"cmp"
	"slices"

	"github.com/slowburn/slowburn/internal/wire"
)

// Skeleton is a trace as far as it is known how its spans hang together and what became of them, for questions that have to
// be answered of many traces: it takes a small struct per span and its memory can be used again. It has raw times: clocks
// are not corrected, and what is found does not need them to agree.
//
// Append to Spans, call Link, then ask. Reset makes it ready for another trace. The order of Spans does not matter, nor
// that some are there twice.
type Skeleton struct {
	Spans []Span

	parents  []int32 // by span: index of the parent; noParent, orphan
	children []int32 // grouped by parent
	ends     []int32 // by span: where its children in children end
	orphans  int
	roots    []int32

	path path
}

// Span is what a Skeleton knows of a span.
type Span struct {
	ID, Parent uint64 // 0 is no parent
	// Service and Name stand for the names of the service and the span: equal numbers for equal names.
	Service, Name uint64
	Start, End    uint64 // Unix nanoseconds
	Kind, Status  int32  // OTLP's numbers
	Failure       Evidence
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

const (
	noParent = -1
	orphan   = -2
	// sharedID is how many spans of one ID are looked at for which of them is the parent: two is what there is in practice.
	sharedID = 16
)

func (s *Span) duration() uint64 {
	if s.End < s.Start {
		return 0
	}
	return s.End - s.Start
}

func (s *Span) failed() bool { return s.Status == wire.StatusError }

// entered says that the span is the far end of a call.
func (s *Span) entered() bool { return s.Kind == wire.KindServer || s.Kind == wire.KindConsumer }

// Reset empties the skeleton and keeps its memory.
func (k *Skeleton) Reset() { k.Spans = k.Spans[:0] }

// Link finds each span's parent.
func (k *Skeleton) Link() {
	slices.SortFunc(k.Spans, compareSpans)
	// Of spans with one ID, those of the same service and kind are one that was sent more than once: the last of them, which
	// ended last, is it.
	kept := k.Spans[:0]
	for i := range k.Spans {
		if n := len(kept); n > 0 && sameSpan(&kept[n-1], &k.Spans[i]) {
			kept[n-1] = k.Spans[i]
			continue
		}
		kept = append(kept, k.Spans[i])
	}
	k.Spans = kept
	n := len(k.Spans)
	k.parents, k.ends, k.path.own = sized(k.parents, n), sized(k.ends, n), sized(k.path.own, n)
	k.children, k.roots, k.orphans = sized(k.children, n), k.roots[:0], 0
	clear(k.ends)
	for i := range k.Spans {
		p := k.parentOf(i)
		k.parents[i] = p
		switch {
		case p >= 0:
			k.ends[p]++
		case p == orphan:
			k.orphans++
		default:
			k.roots = append(k.roots, int32(i))
		}
	}
	k.group()
}

func compareSpans(a, b Span) int {
	return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Service, b.Service),
		cmp.Compare(a.End, b.End), cmp.Compare(b.Start, a.Start), cmp.Compare(a.Status, b.Status),
		cmp.Compare(a.Name, b.Name), cmp.Compare(a.Parent, b.Parent), cmp.Compare(a.Failure.Code, b.Failure.Code),
		cmp.Compare(a.Failure.Resends, b.Failure.Resends), cmp.Compare(a.Failure.Reason, b.Failure.Reason))
}

func sameSpan(a, b *Span) bool {
	return a.ID == b.ID && a.Kind == b.Kind && a.Service == b.Service
}

// parentOf finds the parent of a span. A client and a server may share an ID: the server is then under the client, and what
// has that ID as its parent is under the one of its own service, else under the server.
func (k *Skeleton) parentOf(i int) int32 {
	s := &k.Spans[i]
	for j := i + 1; s.Kind == wire.KindServer && j < min(len(k.Spans), i+sharedID) && k.Spans[j].ID == s.ID; j++ {
		if k.Spans[j].Kind == wire.KindClient {
			return int32(j)
		}
	}
	if s.Parent == 0 || s.Parent == s.ID {
		return noParent
	}
	first, found := slices.BinarySearchFunc(k.Spans, s.Parent, func(s Span, id uint64) int { return cmp.Compare(s.ID, id) })
	if !found {
		return orphan
	}
	best := -1
	for j := first; j < min(len(k.Spans), first+sharedID) && k.Spans[j].ID == s.Parent; j++ {
		p := &k.Spans[j]
		if p.Service == s.Service {
			return int32(j)
		}
		if best < 0 || p.Kind == wire.KindServer {
			best = j
		}
	}
	return int32(best)
}

// group puts the children of each span together.
func (k *Skeleton) group() {
	at := int32(0)
	for i, n := range k.ends {
		k.ends[i] = at
		at += n
	}
	k.children = k.children[:at]
	for i, p := range k.parents {
		if p >= 0 {
			k.children[k.ends[p]] = int32(i)
			k.ends[p]++
		}
	}
}

// childrenOf are indexes of Spans.
func (k *Skeleton) childrenOf(i int) []int32 {
	from := int32(0)
	if i > 0 {
		from = k.ends[i-1]
	}
	return k.children[from:k.ends[i]]
}

// Orphans is how many spans have a parent that is not there.
func (k *Skeleton) Orphans() int { return k.orphans }

// Roots is how many spans have no parent.
func (k *Skeleton) Roots() int { return len(k.roots) }

func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
