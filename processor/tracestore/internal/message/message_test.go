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

// What is left out is left out, and nothing behind it is.
func TestLeftOut(t *testing.T) {
	spans := trace.Group(storetest.Spans(
		storetest.Spec{Trace: 1, ID: 1, Service: "a"}, storetest.Spec{Trace: 1, ID: 2, Service: "b"},
		storetest.Spec{Trace: 1, ID: 3, Service: "b"}, storetest.Spec{Trace: 1, ID: 4, Service: "a"}))[0]
	otlp, err := MarshalSpans(spans, []int{1, 3})
	require.NoError(t, err)
	got, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(otlp)
	require.NoError(t, err)
	kept := trace.Group(got)[0].Inputs
	require.Len(t, kept, 2)
	require.Equal(t, storetest.SpanID(1), kept[0].Span.SpanID())
	require.Equal(t, storetest.SpanID(3), kept[1].Span.SpanID())
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
