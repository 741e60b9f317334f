package wiretest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// Decode decodes a request with pdata.
func Decode(t testing.TB, data []byte) ptrace.Traces {
	t.Helper()
	r := ptraceotlp.NewExportRequest() // it also reads the deprecated scope_spans
	require.NoError(t, r.UnmarshalProto(data))
	return r.Traces()
}

// Canonical returns the distinct spans of td, each with its resource and scope, sorted by bytes.
func Canonical(t testing.TB, td ptrace.Traces) []string {
	t.Helper()
	var all []string
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				one := ptrace.NewTraces()
				to := one.ResourceSpans().AppendEmpty()
				rs.Resource().CopyTo(to.Resource())
				to.SetSchemaUrl(rs.SchemaUrl())
				scope := to.ScopeSpans().AppendEmpty()
				ss.CopyTo(scope)
				scope.Spans().RemoveIf(func(ptrace.Span) bool { return true })
				span.CopyTo(scope.Spans().AppendEmpty())
				all = append(all, string(Marshal(one)))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
