package trace

import (
	"iter"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// findParents gives each span its parent's index. A span whose parent is missing keeps -1 and is flagged an orphan.
func (b *builder) findParents() {
	b.byID = make(map[pcommon.SpanID]int, len(b.spans))
	b.twin = make([]int, len(b.spans))
	for i := len(b.spans) - 1; i >= 0; i-- { // backwards, so that the chains are in canonical order
		b.twin[i] = -1
		id := b.spans[i].ID
		if id.IsEmpty() {
			continue
		}
		if next, ok := b.byID[id]; ok {
			b.twin[i] = next
		}
		b.byID[id] = i
	}
	for i := range b.spans {
		b.findParent(i)
	}
}

func (b *builder) findParent(i int) {
	s := &b.spans[i]
	if client := b.callerOf(i); client >= 0 {
		s.Parent = client
		s.Flags |= FlagSharedID
		b.spans[client].Flags |= FlagSharedID
		return
	}
	switch {
	case s.ParentID.IsEmpty():
	case s.ParentID == s.ID:
		s.Flags |= FlagOwnParent
	default:
		if s.Parent = b.bestOf(s.ParentID, s); s.Parent < 0 {
			s.Flags |= FlagOrphan
		}
	}
}

// callerOf is the client span that shares its ID with the server span i, and -1 where there is none: both ends of a call
// have one ID in Zipkin's model.
func (b *builder) callerOf(i int) int {
	s := &b.spans[i]
	if !isServer(s.Kind) || s.ID.IsEmpty() {
		return -1
	}
	want := ptrace.SpanKindClient
	if s.Kind == ptrace.SpanKindConsumer {
		want = ptrace.SpanKindProducer
	}
	for j := range b.withID(s.ID) {
		if b.spans[j].Kind == want {
			return j
		}
	}
	return -1
}

// bestOf is the span with that ID which is most likely the child's parent, and -1 where none has it.
func (b *builder) bestOf(id pcommon.SpanID, child *Span) int {
	best, bestFit := -1, -1
	for j := range b.withID(id) {
		if fit := b.fit(&b.spans[j], child); fit > bestFit {
			best, bestFit = j, fit
		}
	}
	return best
}

// maxTwins bounds how many spans with one ID are looked at. A call has two ends, so more than a few come from a broken
// generator of IDs, and must not make the search quadratic.
const maxTwins = 32

// withID yields the spans with the ID, in canonical order.
func (b *builder) withID(id pcommon.SpanID) iter.Seq[int] {
	return func(yield func(int) bool) {
		j, ok := b.byID[id]
		for n := 0; ok && j >= 0 && n < maxTwins; n++ {
			if !yield(j) {
				return
			}
			j = b.twin[j]
		}
	}
}

// fit says how well a span suits as the child's parent where several share the parent's ID: first by what the resources
// have in common, then by kind, a server span having called from its client's side and all else from the server's.
func (b *builder) fit(parent, child *Span) int {
	p, c := &b.resources[parent.Resource], &b.resources[child.Resource]
	fit := 0
	switch {
	case parent.Resource == child.Resource:
		fit = 6
	case p.clock != "" && p.clock == c.clock:
		fit = 4
	case p.service == c.service:
		fit = 2
	}
	if isServer(child.Kind) == isClient(parent.Kind) {
		fit++
	}
	return fit
}
