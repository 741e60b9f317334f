package trace

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// addPlaceholders puts one synthetic span in the place of each missing parent, above all its children. Where the trace
// has no root at all and misses several parents, a synthetic root without an ID goes above those.
func (b *builder) addPlaceholders() {
	real := len(b.spans)
	roots := 0
	at := make(map[pcommon.SpanID]int)
	for i := range real {
		s := &b.spans[i]
		if s.Flags&FlagOrphan == 0 || s.Parent >= 0 {
			if s.Parent < 0 {
				roots++
			}
			continue
		}
		p, ok := at[s.ParentID]
		if !ok {
			p = b.addSynthetic(s.Data.TraceID(), s.ParentID)
			at[s.ParentID] = p
		}
		b.spans[i].Parent = p
	}
	if roots > 0 || len(at) < 2 {
		return
	}
	root := b.addSynthetic(b.spans[0].Data.TraceID(), pcommon.SpanID{})
	for i := real; i < root; i++ {
		b.spans[i].Parent = root
	}
}

func (b *builder) addSynthetic(trace pcommon.TraceID, id pcommon.SpanID) int {
	data := ptrace.NewSpan()
	data.SetTraceID(trace)
	data.SetSpanID(id)
	b.spans = append(b.spans, Span{
		Data: data, ID: id, Synthetic: true, Source: -1, Resource: -1, Clock: -1, Parent: -1,
		Scope: pcommon.NewInstrumentationScope(),
	})
	return len(b.spans) - 1
}
