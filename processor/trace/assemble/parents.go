package assemble

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/trace"
)

// findParents gives each span its parent's index. A span whose parent is missing keeps -1 and is flagged an orphan.
func (b *builder) findParents() {
	b.ids = indexIDs(b.spans)
	for i := range b.spans {
		b.findParent(i)
	}
}

func (b *builder) findParent(i int) {
	s := &b.spans[i]
	if client := b.callerOf(i); client >= 0 {
		s.Parent = client
		s.Flags |= trace.FlagSharedID
		b.spans[client].Flags |= trace.FlagSharedID
		return
	}
	switch {
	case s.ParentID.IsEmpty():
	case s.ParentID == s.ID:
		s.Flags |= trace.FlagOwnParent
	default:
		if s.Parent = b.bestOf(s.ParentID, s); s.Parent < 0 {
			s.Flags |= trace.FlagOrphan
		}
	}
}

// callerOf is the client span that shares its ID with the server span i, and -1 where there is none: both ends of a call
// have one ID in Zipkin's model.
func (b *builder) callerOf(i int) int {
	s := &b.spans[i]
	if !s.IsServer() || s.ID.IsEmpty() {
		return -1
	}
	want := ptrace.SpanKindClient
	if s.Kind == ptrace.SpanKindConsumer {
		want = ptrace.SpanKindProducer
	}
	for j := range b.ids.with(s.ID) {
		if b.spans[j].Kind == want {
			return j
		}
	}
	return -1
}

// bestOf is the span with that ID which is most likely the child's parent, and -1 where none has it.
func (b *builder) bestOf(id pcommon.SpanID, child *trace.Span) int {
	best, bestFit := -1, -1
	for j := range b.ids.with(id) {
		if fit := b.fit(&b.spans[j], child); fit > bestFit {
			best, bestFit = j, fit
		}
	}
	return best
}

// fit says how well a span suits as the child's parent where several share the parent's ID: first by what the resources
// have in common, then by kind, a server span having called from its client's side and all else from the server's.
func (b *builder) fit(parent, child *trace.Span) int {
	p, c := b.described[parent.Resource], b.described[child.Resource]
	fit := 0
	switch {
	case parent.Resource == child.Resource:
		fit = 6
	case p.Clock != "" && p.Clock == c.Clock:
		fit = 4
	case p.Service == c.Service:
		fit = 2
	}
	if child.IsServer() == parent.IsClient() {
		fit++
	}
	return fit
}
