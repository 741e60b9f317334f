package export_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/slowburn/slowburn/internal/wire"
)

func wrap(core zapcore.Core) zap.Option {
	return zap.WrapCore(func(zapcore.Core) zapcore.Core { return core })
}

// traces makes traces with the given numbers of spans, of about 500 bytes each.
func traces(spans ...int) ptrace.Traces {
	td := ptrace.NewTraces()
	for i, n := range spans {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", fmt.Sprint("service ", i%3))
		ss := rs.ScopeSpans().AppendEmpty()
		ss.Scope().SetName("scope")
		for j := range n {
			s := ss.Spans().AppendEmpty()
			s.SetTraceID(pcommon.TraceID{1, byte(i), byte(i >> 8)})
			s.SetSpanID(pcommon.SpanID{2, byte(j), byte(j >> 8)})
			s.SetName("GET /")
			s.SetStartTimestamp(pcommon.Timestamp(1_700_000_000_000_000_000 + j))
			for a := range 9 {
				s.Attributes().PutStr(fmt.Sprint("attribute.", a), strings.Repeat(string(rune('a'+(i+j+a)%26)), 32))
			}
		}
	}
	return td
}

func keptOf(t testing.TB, td ptrace.Traces) *wire.Kept {
	t.Helper()
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(t, err)
	var r wire.Request
	require.NoError(t, r.Scan(b))
	k := new(wire.Kept)
	_, err = k.Fill(&r)
	require.NoError(t, err)
	return k
}

// canonical returns the spans of td, each with its resource and scope.
func canonical(t testing.TB, td ptrace.Traces) (all []string) {
	t.Helper()
	var m ptrace.JSONMarshaler
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				one := ptrace.NewTraces()
				to := one.ResourceSpans().AppendEmpty()
				rs.Resource().CopyTo(to.Resource())
				scope := to.ScopeSpans().AppendEmpty()
				ss.Scope().CopyTo(scope.Scope())
				s.CopyTo(scope.Spans().AppendEmpty())
				text, err := m.MarshalTraces(one)
				require.NoError(t, err)
				all = append(all, string(text))
			}
		}
	}
	return all
}

func sorted(all []string) []string {
	slices.Sort(all)
	return all
}
