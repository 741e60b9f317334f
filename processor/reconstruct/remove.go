package reconstruct

import "go.opentelemetry.io/collector/pdata/ptrace"

// remove removes the spans from td, and scopes and resources that become empty.
func remove(td ptrace.Traces, copies map[ptrace.Span]struct{}) {
	td.ResourceSpans().RemoveIf(func(rs ptrace.ResourceSpans) bool {
		before := rs.ScopeSpans().Len()
		rs.ScopeSpans().RemoveIf(func(ss ptrace.ScopeSpans) bool {
			before := ss.Spans().Len()
			ss.Spans().RemoveIf(func(s ptrace.Span) bool {
				_, ok := copies[s]
				return ok
			})
			return before > 0 && ss.Spans().Len() == 0
		})
		return before > 0 && rs.ScopeSpans().Len() == 0
	})
}
