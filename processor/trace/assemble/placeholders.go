package assemble

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/trace"
)

// addPlaceholders puts one synthetic span in the place of each missing parent, above all its children. Where the trace
// has no root at all and misses several parents, a synthetic root without an ID goes above those.
func (b *builder) addPlaceholders() {
	real := len(b.spans)
	roots := 0
	at := make(map[pcommon.SpanID]int)
	for i := range real {
		s := &b.spans[i]
		if s.Flags&trace.FlagOrphan == 0 || s.Parent >= 0 {
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

func (b *builder) addSynthetic(traceID pcommon.TraceID, id pcommon.SpanID) int {
	data := ptrace.NewSpan()
	data.SetTraceID(traceID)
	data.SetSpanID(id)
	b.spans = append(b.spans, trace.Span{
		Data: data, Origin: trace.Origin{Synthetic: true, Source: -1}, ID: id, Resource: -1,
		Scope: pcommon.NewInstrumentationScope(), Place: trace.Place{Parent: -1}, Timing: trace.Timing{Clock: -1},
	})
	return len(b.spans) - 1
}
