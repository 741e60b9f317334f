package traces

import (
	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/wire"
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
	read := map[*trace.Scope]bool{} // many spans have one
	for i := range t.Spans {
		if s := &t.Spans[i]; !s.Synthetic && !read[s.Scope] {
			read[s.Scope] = true
			marks.add(s.Scope.Header)
		}
	}
	return marks
}

// add reads the header of a scope.
func (m *marksView) add(scope []byte) {
	for key, v := range wire.ScopeAttributes(scope) {
		switch string(key) {
		case attr.Revived:
			m.Revived = m.Revived || v.Bool()
		case attr.Linked:
			if m.LinkedTraceID == "" {
				m.LinkedTraceID = v.AsString()
			}
		case attr.TrimmedSpans:
			m.TrimmedSpans = max(m.TrimmedSpans, v.Int())
		case attr.TextRepaired:
			m.TextRepaired = m.TextRepaired || v.Bool()
		}
	}
}
