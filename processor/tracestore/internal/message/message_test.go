package message

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/tracestore/internal/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// However the traces of a request share its ResourceSpans, each is stored with its own spans, as they came.
func TestEachTraceHasItsOwnSpans(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		td := ptrace.NewTraces()
		for range r.IntN(6) {
			rs := td.ResourceSpans().AppendEmpty()
			rs.Resource().Attributes().PutStr("service.name", string(rune('a'+r.IntN(3))))
			rs.SetSchemaUrl("https://example.test/resource")
			for range r.IntN(3) {
				ss := rs.ScopeSpans().AppendEmpty()
				ss.Scope().SetName(string(rune('x' + r.IntN(2))))
				for range r.IntN(3) {
					span := ss.Spans().AppendEmpty()
					span.SetTraceID(storetest.TraceID(1 + r.IntN(3)))
					span.SetSpanID(storetest.SpanID(1 + r.IntN(9)))
				}
			}
		}
		m, err := Marshal(td)
		require.NoError(t, err)
		for _, want := range trace.Group(td) {
			otlp, err := m.Of(want)
			require.NoError(t, err)
			got, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(otlp)
			require.NoError(t, err)
			groups := trace.Group(got)
			require.Len(t, groups, 1, "seed %d", seed)
			require.Equal(t, canonicalBytes(t, want), canonicalBytes(t, groups[0]), "seed %d", seed)
		}
	}
}

// canonicalBytes are the spans, each with its resource and scope, in their order.
func canonicalBytes(t *testing.T, spans trace.Spans) []byte {
	t.Helper()
	td := ptrace.NewTraces()
	for _, in := range spans.Inputs {
		rs := td.ResourceSpans().AppendEmpty()
		rs.SetSchemaUrl(in.ResourceSchemaURL)
		in.Resource.CopyTo(rs.Resource())
		ss := rs.ScopeSpans().AppendEmpty()
		ss.SetSchemaUrl(in.ScopeSchemaURL)
		in.Scope.CopyTo(ss.Scope())
		in.Span.CopyTo(ss.Spans().AppendEmpty())
	}
	return storetest.Bytes(t, td)
}
