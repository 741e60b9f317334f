package assemble

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

// resolveLinks finds what each link points to. A link without a trace ID points nowhere: it is left out, with a warning.
func (b *builder) resolveLinks() {
	for _, i := range b.layout.preorder {
		s := &b.spans[i]
		if s.Synthetic || s.Data.Links().Len() == 0 {
			continue
		}
		s.Links = make([]trace.Link, 0, s.Data.Links().Len())
		for _, l := range s.Data.Links().All() {
			if l.TraceID().IsEmpty() {
				b.warn("span %s has a link without a trace ID: the link was left out", s.ID)
				continue
			}
			link := trace.Link{Data: l, Span: -1, Recorded: recorded(l.Flags())}
			if l.TraceID() == s.Data.TraceID() {
				link.Target, link.Span = b.targetInTrace(i, l.SpanID())
			}
			if link.Target == trace.LinkSelf || link.Target == trace.LinkAncestor {
				s.Flags |= trace.FlagLinkSelf
			}
			s.Links = append(s.Links, link)
		}
	}
}

func (b *builder) targetInTrace(i int, id pcommon.SpanID) (trace.LinkTarget, int) {
	if id == b.spans[i].ID {
		return trace.LinkSelf, i
	}
	target, ok := b.ids.first[id]
	switch {
	case !ok:
		return trace.LinkMissing, -1
	case b.layout.isAncestor(target, i):
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
