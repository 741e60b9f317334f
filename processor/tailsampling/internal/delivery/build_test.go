package delivery

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

func marshal(t testing.TB, td ptrace.Traces) []byte {
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(t, err)
	return b
}

// What has the same resource goes together, and within that what has the same scope: in the order of their first spans,
// which are in the order of their starts and IDs, whatever the order in which they came, and however they were batched.
func TestSpansAreArranged(t *testing.T) {
	spans := []testSpan{
		{trace: 1, id: 6, start: 10, service: "b", scope: "x"},
		{trace: 1, id: 5, start: 20, service: "a", scope: "x"},
		{trace: 1, id: 4, start: 20, service: "b", scope: "y"},
		{trace: 1, id: 3, start: 30, service: "b", scope: "x"},
		{trace: 1, id: 9, start: 30, service: "b", scope: "x"},
		{trace: 1, id: 2, start: 40, service: "a", scope: "y"},
		{trace: 1, id: 1, start: 50, service: "a", scope: "x"},
	}
	want := []struct {
		service, scope string
		ids            []byte
	}{{"b", "x", []byte{7, 4, 10}}, {"b", "y", []byte{5}}, {"a", "x", []byte{6, 2}}, {"a", "y", []byte{3}}}
	rnd := rand.New(rand.NewPCG(1, 1))
	var first []byte
	for range 20 {
		rnd.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		s := newSetup(t, 1)
		cut := rnd.IntN(len(spans))
		td := ptrace.NewTraces()
		for _, span := range spans[:cut] {
			span.put(t, td)
		}
		s.add(td)
		s.keep(spans[cut:]...)
		b := newBatch()
		require.True(t, s.takeBatch(b))
		got, unknown, _, err := b.decode(s.Names)
		require.NoError(t, err)
		require.Zero(t, unknown)
		require.Equal(t, 2, got.ResourceSpans().Len())
		i := 0
		for _, rs := range got.ResourceSpans().All() {
			service, _ := rs.Resource().Attributes().Get("service.name")
			for _, ss := range rs.ScopeSpans().All() {
				require.Equal(t, want[i].service, service.Str())
				require.Equal(t, want[i].scope, ss.Scope().Name())
				var ids []byte
				for _, span := range ss.Spans().All() {
					ids = append(ids, span.SpanID()[0])
				}
				require.Equal(t, want[i].ids, ids)
				i++
			}
		}
		require.Equal(t, 4, i)
		if first == nil {
			first = marshal(t, got)
		}
		require.Equal(t, first, marshal(t, got))
		s.Buffer.Close()
	}
}

// Spans that do not differ in a byte, of the same resource and scope, are one; those that differ in anything are not.
func TestRepeatsAreOne(t *testing.T) {
	s := newSetup(t, 1)
	one := testSpan{trace: 1, id: 1, start: 10, service: "a", scope: "x"}
	differs := []testSpan{
		{trace: 1, id: 2, start: 10, service: "a", scope: "x"}, {trace: 1, id: 1, start: 11, service: "a", scope: "x"},
		{trace: 1, id: 1, start: 10, service: "b", scope: "x"}, {trace: 1, id: 1, start: 10, service: "a", scope: "y"},
		{trace: 1, id: 1, start: 10, service: "a", scope: "x", state: "a=b"},
	}
	s.keep(append([]testSpan{one, one, {trace: 2, id: 1}, one}, differs...)...)
	b := newBatch()
	require.True(t, s.takeBatch(b))
	td, _, _, err := b.decode(s.Names)
	require.NoError(t, err)
	require.Equal(t, 1+len(differs)+1, td.SpanCount())
	require.Equal(t, 2, b.repeats)
	_, _, _, err = b.decode(s.Names)
	require.NoError(t, err)
	require.Equal(t, 2, b.repeats, "of this batch")
	s.Buffer.Close()
}

// Spans of which the randomness does not pass the threshold are counted: their weight cannot be written.
func TestSpansWithoutThresholdAreCounted(t *testing.T) {
	s := newSetup(t, 1)
	s.keep(testSpan{trace: 1}, testSpan{trace: 1, id: 1, state: "ot=rv:00000000000001"}, testSpan{trace: 1, id: 2, state: "ot=rv:ff000000000000"})
	s.keep(testSpan{trace: 2})
	b := newBatch()
	require.True(t, s.takeBatch(b))
	b.traces[0].Threshold, b.traces[0].Random = 1<<55, 0xff<<48
	b.traces[1].Threshold = 1 << 55
	td, _, without, err := b.decode(s.Names)
	require.NoError(t, err)
	require.Equal(t, 2, without)
	require.Equal(t, 4, td.SpanCount())
	s.Buffer.Close()
}

// A decision is written into every span of its own trace.
func TestDecisionsAreWrittenIntoSpans(t *testing.T) {
	names := version.NewNames()
	plain, err := names.Number(version.Name{Policy: "plain"})
	require.NoError(t, err)
	sub, err := names.Number(version.Name{Policy: "composite", Sub: "sub"})
	require.NoError(t, err)
	for name, tc := range map[string]struct {
		kept  shard.Kept
		state string // of the span
		want  map[string]any
		th    string
		ok    bool
	}{
		"plain": {
			shard.Kept{Policy: plain, Random: tracestate.None}, "vendor=a", map[string]any{"tailsampling.policy": "plain"},
			"ot=th:0,vendor=a", true,
		},
		"composite": {
			shard.Kept{Policy: sub, Threshold: 1 << 55, Random: 0xff << 48}, "",
			map[string]any{"tailsampling.policy": "composite", "tailsampling.composite_policy": "sub"}, "ot=rv:ff000000000000;th:8", true,
		},
		"late": {
			shard.Kept{Policy: plain, Late: true, Random: tracestate.None}, "",
			map[string]any{"tailsampling.policy": "plain", "tailsampling.cached_decision": true}, "ot=th:0", true,
		},
		"without a weight": {
			shard.Kept{Policy: plain, Threshold: tracestate.None, Random: tracestate.None, Linked: wire.TraceID{9}}, "ot=th:8",
			map[string]any{"tailsampling.policy": "plain", "tailsampling.linked": "09000000000000000000000000000000"}, "", true,
		},
		"of which the randomness does not pass": {
			shard.Kept{Policy: plain, Threshold: 1 << 55, Random: tracestate.None}, "ot=th:4;rv:00000000000001",
			map[string]any{"tailsampling.policy": "plain"}, "ot=rv:00000000000001", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			span := ptrace.NewSpan()
			span.TraceState().FromRaw(tc.state)
			span.SetTraceID(pcommon.TraceID{1, 15: 1})
			tc.kept.ID = wire.TraceID{1, 15: 1}
			by := names.Of(tc.kept.Policy)
			ok := (&outgoing{Kept: tc.kept}).mark(span, by)
			require.Equal(t, tc.ok, ok)
			require.Equal(t, tc.th, span.TraceState().AsRaw())
			require.Equal(t, tc.want, span.Attributes().AsRaw())
		})
	}
}
