package trace

import (
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// LinkTarget says what a link points to.
type LinkTarget uint8

// What a link can point to.
const (
	// LinkTrace: another trace.
	LinkTrace LinkTarget = iota
	// LinkSpan: another span of this trace, which is not above the linking one.
	LinkSpan
	// LinkSelf: the span itself.
	LinkSelf
	// LinkAncestor: a span above it.
	LinkAncestor
	// LinkMissing: a span of this trace that is not here.
	LinkMissing
)

var linkTargetNames = [...]string{"trace", "span", "self", "ancestor", "missing"}

func (t LinkTarget) String() string { return linkTargetNames[t] }

// Recorded says what a link's flags tell about whether its target was sampled when the link was made.
type Recorded uint8

// What a link's flags can tell.
const (
	// RecordedUnknown: the SDK did not say.
	RecordedUnknown Recorded = iota
	// RecordedYes: it was sampled; where it is not stored it was dropped later, or has expired.
	RecordedYes
	// RecordedNever: it was not sampled at its head, so nobody ever had it.
	RecordedNever
)

// Link is a span's link. It is never an edge of the tree.
type Link struct {
	Data   ptrace.SpanLink
	Target LinkTarget
	// Span is the target's index in Trace.Spans, and -1 where the target is not in this trace.
	Span     int
	Recorded Recorded
}

const (
	flagSampled     = 0x1   // W3C trace flag
	flagHasIsRemote = 0x100 // the flag below is known
	flagIsRemote    = 0x200
)

// resolveLinks finds what each link points to. A link without a trace ID points nowhere: it is left out, with a warning.
func (b *builder) resolveLinks() {
	for _, i := range b.preorder {
		s := &b.spans[i]
		if s.Synthetic || s.Data.Links().Len() == 0 {
			continue
		}
		s.Links = make([]Link, 0, s.Data.Links().Len())
		for _, l := range s.Data.Links().All() {
			if l.TraceID().IsEmpty() {
				b.warn("span %s has a link without a trace ID: the link was left out", s.ID)
				continue
			}
			link := Link{Data: l, Span: -1, Recorded: recorded(l.Flags())}
			if l.TraceID() == s.Data.TraceID() {
				link.Target, link.Span = b.targetInTrace(i, l.SpanID())
			}
			if link.Target == LinkSelf || link.Target == LinkAncestor {
				s.Flags |= FlagLinkSelf
			}
			s.Links = append(s.Links, link)
		}
	}
}

func (b *builder) targetInTrace(i int, id pcommon.SpanID) (LinkTarget, int) {
	if id == b.spans[i].ID {
		return LinkSelf, i
	}
	target, ok := b.byID[id]
	switch {
	case !ok:
		return LinkMissing, -1
	case b.isAncestor(target, i):
		return LinkAncestor, target
	default:
		return LinkSpan, target
	}
}

func recorded(flags uint32) Recorded {
	switch {
	case flags&flagSampled != 0:
		return RecordedYes
	case flags&flagHasIsRemote != 0: // flags were filled in
		return RecordedNever
	default:
		return RecordedUnknown
	}
}

// maxWarnings bounds how many sentences one trace can make.
const maxWarnings = 20

func (b *builder) warn(format string, args ...any) {
	if len(b.warnings) < maxWarnings {
		b.warnings = append(b.warnings, fmt.Sprintf(format, args...))
	}
}
