package dress_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery/internal/dress"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// body returns the body of a span of the trace.
func body(t *testing.T, trace wire.TraceID, state string) []byte {
	t.Helper()
	td := ptrace.NewTraces()
	span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID(pcommon.TraceID(trace))
	span.SetSpanID(pcommon.SpanID{1})
	span.TraceState().FromRaw(state)
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(t, err)
	var r wire.Request
	require.NoError(t, r.Scan(b))
	return r.Spans[0].Body.Of(b)
}

// A decision is written on every scope of its own trace, and its weight on every span.
func TestDecisionsAreWritten(t *testing.T) {
	names := version.NewNames()
	number := func(n version.Name) int32 {
		i, err := names.Number(n)
		require.NoError(t, err)
		return i
	}
	plain, sub := number(version.Name{Policy: "plain"}), number(version.Name{Policy: "composite", Sub: "sub"})
	const late = "tailsampling.cached_decision"
	for name, tc := range map[string]struct {
		kept    shard.Kept
		state   string // of the span
		want    map[string]any
		th      string
		without int
	}{
		"plain": {
			shard.Kept{Policy: plain, Random: tracestate.None}, "vendor=a", map[string]any{"tailsampling.policy": "plain"},
			"ot=th:0,vendor=a", 0,
		},
		"composite": {
			shard.Kept{Policy: sub, Threshold: 1 << 55, Random: 0xff << 48}, "",
			map[string]any{"tailsampling.policy": "composite", "tailsampling.composite_policy": "sub"}, "ot=rv:ff000000000000;th:8", 0,
		},
		"late": {
			shard.Kept{Policy: plain, Late: true, Random: tracestate.None}, "",
			map[string]any{"tailsampling.policy": "plain", late: true}, "ot=th:0", 0,
		},
		"revived and trimmed": {
			shard.Kept{Policy: plain, Revived: true, Trimmed: 7, Random: tracestate.None}, "",
			map[string]any{"tailsampling.policy": "plain", "tailsampling.revived": true, "tailsampling.trimmed_spans": int64(7)}, "ot=th:0", 0,
		},
		"all": {
			shard.Kept{Policy: sub, Late: true, Linked: wire.TraceID{9}, Revived: true, Trimmed: 1, Random: tracestate.None}, "",
			map[string]any{
				"tailsampling.policy": "composite", "tailsampling.composite_policy": "sub", late: true, "tailsampling.revived": true,
				"tailsampling.linked": "09000000000000000000000000000000", "tailsampling.trimmed_spans": int64(1),
			}, "ot=th:0", 0,
		},
		"without a weight": {
			shard.Kept{Policy: plain, Threshold: tracestate.None, Random: tracestate.None, Linked: wire.TraceID{9}}, "ot=th:8",
			map[string]any{"tailsampling.policy": "plain", "tailsampling.linked": "09000000000000000000000000000000"}, "", 0,
		},
		"of which the randomness does not pass": {
			shard.Kept{Policy: plain, Threshold: 1 << 55, Random: tracestate.None}, "ot=th:4;rv:00000000000001",
			map[string]any{"tailsampling.policy": "plain"}, "ot=rv:00000000000001", 1,
		},
	} {
		for _, silent := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				d := dress.New(names, silent)
				for range 2 { // marks that policies share do not change
					tc.kept.ID = wire.TraceID{1, 15: 1}
					var k wire.Kept
					k.Begin(wire.KeptTrace{ID: tc.kept.ID})
					k.AddSpan(body(t, tc.kept.ID, tc.state), k.AddResource(nil), k.AddScope(nil))
					found, err := d.Dress(&k, 0, &tc.kept, new(dress.Repairs))
					require.NoError(t, err)
					td, err := k.Decode()
					require.NoError(t, err)
					scope := td.ResourceSpans().At(0).ScopeSpans().At(0)
					if silent {
						require.Empty(t, scope.Scope().Attributes().AsRaw())
					} else {
						require.Equal(t, tc.want, scope.Scope().Attributes().AsRaw())
					}
					require.Equal(t, tc.th, scope.Spans().At(0).TraceState().AsRaw())
					require.Equal(t, tc.without, found.WithoutThreshold)
				}
			})
		}
	}
}
