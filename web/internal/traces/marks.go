package traces

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/processor/trace"
)

// marksView is what tail_sampling and delivery marked the trace with. The marks are attributes of its scopes, and a scope
// that came late can have more of them.
type marksView struct {
	Revived       bool   `json:"revived"`
	LinkedTraceID string `json:"linked_trace_id"`
	TrimmedSpans  int64  `json:"trimmed_spans"`
	TextRepaired  bool   `json:"text_repaired"`
}

func viewMarks(t *trace.Trace) (marks marksView) {
	for i := range t.Spans {
		if !t.Spans[i].Synthetic {
			marks.add(t.Spans[i].Scope.Attributes())
		}
	}
	return marks
}

func (m *marksView) add(scope pcommon.Map) {
	if v, ok := scope.Get(attr.Revived); ok {
		m.Revived = m.Revived || v.Bool()
	}
	if v, ok := scope.Get(attr.Linked); ok && m.LinkedTraceID == "" {
		m.LinkedTraceID = v.AsString()
	}
	if v, ok := scope.Get(attr.TrimmedSpans); ok {
		m.TrimmedSpans = max(m.TrimmedSpans, v.Int())
	}
	if v, ok := scope.Get(attr.TextRepaired); ok {
		m.TextRepaired = m.TextRepaired || v.Bool()
	}
}
