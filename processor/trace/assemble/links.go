package assemble

import (
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

// resolveLinks finds the target of each link. It leaves out links without a trace ID, with a warning.
func (b *Batch) resolveLinks() {
	for i := range b.trace.Spans {
		s := &b.trace.Spans[i]
		if !b.linked(s) {
			continue
		}
		for l := range wire.SpanLinks(s.Data.Body) {
			if l.TraceID.IsZero() {
				b.warn("span %s has a link without a trace ID: the link was left out", s.ID)
				continue
			}
			link := trace.Link{Data: l, Span: -1, Recorded: recorded(l.Flags)}
			if l.TraceID == b.trace.ID {
				link.Target, link.Span = b.targetInTrace(i, l.SpanID)
			}
			if link.Target == trace.LinkSelf || link.Target == trace.LinkAncestor {
				s.Flags |= trace.FlagLinkSelf
			}
			s.Links = append(s.Links, link)
		}
	}
}

func (b *Batch) targetInTrace(i int, id wire.SpanID) (trace.LinkTarget, int) {
	if id == b.trace.Spans[i].ID {
		return trace.LinkSelf, i
	}
	target := b.spanOf(id)
	switch {
	case target < 0:
		return trace.LinkMissing, -1
	case b.isAncestor(target, i):
		return trace.LinkAncestor, target
	default:
		return trace.LinkSpan, target
	}
}

func recorded(flags uint32) trace.Recorded {
	switch {
	case flags&wire.FlagSampled != 0:
		return trace.RecordedYes
	case flags&wire.FlagHasIsRemote != 0:
		return trace.RecordedNever
	default:
		return trace.RecordedUnknown
	}
}
