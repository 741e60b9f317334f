package traces

import (
	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/web/api"
)

// viewMarks reads what tail_sampling and delivery marked the trace with. The marks are attributes of its scopes, and a scope
// that came late can have more of them.
func viewMarks(t *trace.Trace) (marks api.Marks) {
	read := map[*trace.Scope]bool{} // many spans have one
	for i := range t.Spans {
		if s := &t.Spans[i]; !s.Synthetic && !read[s.Scope] {
			read[s.Scope] = true
			addMarks(&marks, s.Scope.Header)
		}
	}
	return marks
}

// addMarks reads the header of a scope.
func addMarks(m *api.Marks, scope []byte) {
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
