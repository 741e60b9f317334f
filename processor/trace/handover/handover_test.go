package handover

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/internal/lawtest"
	"github.com/slowburn/slowburn/processor/trace/tracetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// handedOver is what an earlier component found about td.
func handedOver(t *testing.T, td ptrace.Traces) *Found {
	ctx, f := NewContext(t.Context())
	traces := map[*trace.Trace]trace.Spans{}
	for _, spans := range trace.Group(td) {
		traces[assemble.Trace(spans, assemble.Options{})] = spans
	}
	f.Put(traces)
	require.Same(t, f, FromContext(ctx))
	return f
}

func TestFound(t *testing.T) {
	td := tracetest.Shop(0, 3)
	f := handedOver(t, td)
	for _, spans := range trace.Group(td) {
		require.Equal(t, assemble.Trace(spans, assemble.Options{}).String(), f.Of(spans).String())
	}
	other := ptrace.NewTraces()
	td.CopyTo(other)
	for _, spans := range trace.Group(other) {
		require.Nil(t, f.Of(spans), "these are not the same spans")
	}
	require.Nil(t, f.Of(trace.Spans{ID: pcommon.TraceID{1}}))
	f.Forget()
	require.Nil(t, f.Of(trace.Group(td)[0]))
}

func TestNothingFound(t *testing.T) {
	f := FromContext(t.Context())
	f.Put(nil)
	require.Nil(t, f.Of(trace.Group(tracetest.Shop(0, 1))[0]))
	_, f = NewContext(t.Context())
	require.Nil(t, f.Of(trace.Group(tracetest.Shop(0, 1))[0]))
}

// What was found before is not told of spans that were changed since.
func TestFoundOfChangedSpans(t *testing.T) {
	first := func(td ptrace.Traces) ptrace.Span { return td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0) }
	for name, change := range map[string]func(ptrace.Traces){
		"span ID": func(td ptrace.Traces) { first(td).SetSpanID(pcommon.SpanID{9}) },
		"parent":  func(td ptrace.Traces) { first(td).SetParentSpanID(pcommon.SpanID{9}) },
		"kind":    func(td ptrace.Traces) { first(td).SetKind(ptrace.SpanKindInternal) },
		"start":   func(td ptrace.Traces) { first(td).SetStartTimestamp(7) },
		"end":     func(td ptrace.Traces) { first(td).SetEndTimestamp(7) },
		"link":    func(td ptrace.Traces) { first(td).Links().AppendEmpty().SetTraceID(pcommon.TraceID{9}) },
		"resource": func(td ptrace.Traces) {
			td.ResourceSpans().At(0).Resource().Attributes().PutStr("service.name", "hidden")
		},
		"one less": func(td ptrace.Traces) { td.ResourceSpans().RemoveIf(func(ptrace.ResourceSpans) bool { return true }) },
		"one more": func(td ptrace.Traces) {
			first(td).CopyTo(td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().AppendEmpty())
		},
		"other one": func(td ptrace.Traces) { td.ResourceSpans().At(0).MoveTo(td.ResourceSpans().At(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			td := tracetest.Shop(0, 1)
			f := handedOver(t, td)
			change(td)
			for _, spans := range trace.Group(td) {
				require.Nil(t, f.Of(spans))
			}
		})
	}
}

// Where spans were merged or left out, those that go on are not what the trace was made of.
func TestFoundOnlyOfWholeTraces(t *testing.T) {
	for name, text := range map[string]string{
		"identical": "1 - server a 0s 9s\n1 - server a 0s 9s",
		"merged":    "1 - server a 0s 9s\n1 - server a 0s 0",
	} {
		td, err := lawtest.Parse(text)
		require.NoError(t, err)
		require.Nil(t, handedOver(t, td).Of(trace.Group(td)[0]), name)
	}
}
