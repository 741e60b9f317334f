package reconstruct

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/reconstruct/internal/metadata"
	"github.com/slowburn/slowburn/processor/reconstruct/internal/metadatatest"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
)

// running is a started processor, with its output and its counters.
type running struct {
	processor.Traces
	sink      *consumertest.TracesSink
	telemetry *componenttest.Telemetry
}

func start(t *testing.T, cfg *Config) running {
	t.Helper()
	tel := componenttest.NewTelemetry()
	set := metadatatest.NewSettings(tel)
	sink := new(consumertest.TracesSink)
	p, err := NewFactory().CreateTraces(t.Context(), set, cfg, sink)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() {
		require.NoError(t, p.Shutdown(context.Background()))
		require.NoError(t, tel.Shutdown(context.Background()))
	})
	return running{p, sink, tel}
}

func defaultConfig() *Config { return NewFactory().CreateDefaultConfig().(*Config) }

// through returns the processor's output for td.
func (r running) through(t *testing.T, td ptrace.Traces) ptrace.Traces {
	t.Helper()
	r.sink.Reset()
	require.NoError(t, r.ConsumeTraces(t.Context(), td))
	require.Len(t, r.sink.AllTraces(), 1)
	return r.sink.AllTraces()[0]
}

const ms = 1_000_000

// add appends a span on the host; times are in µs after a whole second, so that the clock does not look coarse.
func add(td ptrace.Traces, trace, id, parent byte, kind ptrace.SpanKind, host string, start, end int) ptrace.Span {
	rs := td.ResourceSpans().AppendEmpty()
	rs.SetSchemaUrl("resource-schema")
	rs.Resource().Attributes().PutStr("service.name", "shop")
	rs.Resource().Attributes().PutStr("host.name", host)
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("scope")
	s := ss.Spans().AppendEmpty()
	s.SetTraceID(pcommon.TraceID{trace})
	s.SetSpanID(pcommon.SpanID{id})
	if parent != 0 {
		s.SetParentSpanID(pcommon.SpanID{parent})
	}
	s.SetKind(kind)
	s.SetName("op")
	s.SetStartTimestamp(pcommon.Timestamp(1e18 + 1 + start*ms))
	s.SetEndTimestamp(pcommon.Timestamp(1e18 + 1 + end*ms))
	return s
}

func marshal(t *testing.T, td ptrace.Traces) []byte {
	t.Helper()
	b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(t, err)
	return b
}

// find returns the attributes of the spans with the ID.
func find(td ptrace.Traces, id byte) (found []map[string]any) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				if s.SpanID() == (pcommon.SpanID{id}) {
					found = append(found, s.Attributes().AsRaw())
				}
			}
		}
	}
	return found
}

func TestNothingFoundPassesUntouched(t *testing.T) {
	td := ptrace.NewTraces()
	td.ResourceSpans().AppendEmpty() // empty parts are left alone
	add(td, 1, 1, 0, ptrace.SpanKindServer, "a", 0, 100).Attributes().PutStr("k", "v")
	add(td, 1, 2, 1, ptrace.SpanKindClient, "a", 10, 90)
	add(td, 1, 3, 2, ptrace.SpanKindServer, "b", 20, 80)
	add(td, 2, 1, 0, ptrace.SpanKindServer, "a", 0, 100)
	want := marshal(t, td)
	r := start(t, defaultConfig())
	require.Equal(t, want, marshal(t, r.through(t, td)))
	metadatatest.AssertEqualProcessorReconstructTraces(t, r.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 2}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualProcessorReconstructSpans(t, r.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 4}}, metricdatatest.IgnoreTimestamp())
}

func TestIdenticalCopiesAreLeftOut(t *testing.T) {
	td := ptrace.NewTraces()
	add(td, 1, 1, 0, ptrace.SpanKindServer, "a", 0, 100)
	add(td, 1, 2, 1, ptrace.SpanKindInternal, "a", 10, 20)
	add(td, 1, 2, 1, ptrace.SpanKindInternal, "a", 10, 20)
	add(td, 1, 2, 1, ptrace.SpanKindInternal, "a", 10, 20)
	add(td, 2, 2, 0, ptrace.SpanKindInternal, "a", 10, 20) // another trace
	r := start(t, defaultConfig())
	got := r.through(t, td)
	require.Equal(t, 3, got.SpanCount())
	require.Equal(t, 3, got.ResourceSpans().Len(), "what was left empty is gone")
	require.Equal(t, []map[string]any{{attr.SpanFlags: []any{"duplicate"}}, {}}, find(got, 2))
	metadatatest.AssertEqualProcessorReconstructDuplicateSpans(t, r.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 2}}, metricdatatest.IgnoreTimestamp())
}

func TestSpansThatDifferAllPass(t *testing.T) {
	td := ptrace.NewTraces()
	add(td, 1, 1, 0, ptrace.SpanKindServer, "a", 0, 100)
	add(td, 1, 2, 1, ptrace.SpanKindInternal, "a", 10, 20)
	add(td, 1, 2, 1, ptrace.SpanKindInternal, "a", 10, 30)
	got := start(t, defaultConfig()).through(t, td)
	merged := map[string]any{attr.SpanFlags: []any{"merged"}}
	require.Equal(t, []map[string]any{merged, merged}, find(got, 2))
}

func TestClockIsAnnotatedAndTimestampsStay(t *testing.T) {
	td := ptrace.NewTraces()
	add(td, 1, 1, 0, ptrace.SpanKindServer, "a", 0, 100)
	add(td, 1, 2, 1, ptrace.SpanKindClient, "a", 10, 90)
	server := add(td, 1, 3, 2, ptrace.SpanKindServer, "b", -300, -240)
	r := start(t, defaultConfig())
	got := r.through(t, td)
	require.Equal(t, []map[string]any{{
		attr.ClockOffset: int64(320 * ms), attr.ClockUncertainty: int64(10 * ms), attr.ClockStatus: "bounded",
	}}, find(got, 3))
	require.Equal(t, []map[string]any{{}}, find(got, 2))
	require.Equal(t, pcommon.Timestamp(1e18+1-300*ms), server.StartTimestamp())
	metadatatest.AssertEqualProcessorReconstructCorrectedTraces(t, r.telemetry,
		[]metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())
}

func TestResidualHasNoUncertainty(t *testing.T) {
	td := ptrace.NewTraces()
	add(td, 1, 1, 0, ptrace.SpanKindServer, "a", 50, 100)
	add(td, 1, 2, 1, ptrace.SpanKindInternal, "a", 10, 20)
	got := start(t, defaultConfig()).through(t, td)
	require.Equal(t, []map[string]any{{
		attr.SpanFlags: []any{"residual"}, attr.ClockOffset: int64(40 * ms), attr.ClockStatus: "residual",
	}}, find(got, 2))
}

func TestOrphans(t *testing.T) {
	td := ptrace.NewTraces()
	add(td, 1, 1, 0, ptrace.SpanKindServer, "a", 0, 100)
	add(td, 1, 3, 9, ptrace.SpanKindInternal, "a", 10, 20)
	add(td, 1, 4, 9, ptrace.SpanKindInternal, "a", 10, 20)
	r := start(t, defaultConfig())
	got := r.through(t, td)
	require.Equal(t, []map[string]any{{attr.SpanFlags: []any{"orphan"}}}, find(got, 3))
	metadatatest.AssertEqualProcessorReconstructOrphanSpans(t, r.telemetry, []metricdata.DataPoint[int64]{
		{Value: 2, Attributes: attribute.NewSet(attribute.String("cause", "lost"))},
	}, metricdatatest.IgnoreTimestamp())
}

// The rest of a late fragment's trace left before it: its spans are no orphans.
func TestLateFragmentIsNoOrphan(t *testing.T) {
	td := ptrace.NewTraces()
	add(td, 1, 3, 9, ptrace.SpanKindInternal, "a", 10, 20).Attributes().PutBool("tailsampling.cached_decision", true)
	want := marshal(t, td)
	require.Equal(t, want, marshal(t, start(t, defaultConfig()).through(t, td)))
}

func TestTooLargePassesUntouched(t *testing.T) {
	td := ptrace.NewTraces()
	for range 4 {
		add(td, 1, 2, 1, ptrace.SpanKindInternal, "a", 10, 20)
	}
	want := marshal(t, td)
	r := start(t, &Config{MaxSpans: 3})
	require.Equal(t, want, marshal(t, r.through(t, td)))
	metadatatest.AssertEqualProcessorReconstructSkippedTraces(t, r.telemetry, []metricdata.DataPoint[int64]{
		{Value: 1, Attributes: attribute.NewSet(attribute.String("reason", "too_large"))},
	}, metricdatatest.IgnoreTimestamp())
}

// A panic in the reconstruction costs the trace its annotations, and nothing else.
func TestPanicPassesUntouched(t *testing.T) {
	tel := componenttest.NewTelemetry()
	telemetry, err := metadata.NewTelemetryBuilder(tel.NewTelemetrySettings())
	require.NoError(t, err)
	a := &annotator{
		maxSpans: 10,
		reconstruct: func(b *assemble.Batch, n int, o assemble.Options) *trace.Trace {
			found := b.Trace(n, o)
			if found.ID == (wire.TraceID{1}) {
				panic("index out of range")
			}
			return found
		},
		logger: zap.NewNop(), telemetry: telemetry,
	}
	td := ptrace.NewTraces()
	add(td, 1, 2, 2, ptrace.SpanKindInternal, "a", 10, 20)
	add(td, 2, 3, 3, ptrace.SpanKindInternal, "a", 10, 20)
	got, err := a.decoded(t.Context(), td)
	require.NoError(t, err)
	require.Equal(t, []map[string]any{{}}, find(got, 2))
	require.Equal(t, []map[string]any{{attr.SpanFlags: []any{"own_parent"}}}, find(got, 3), "the others are still annotated")
	metadatatest.AssertEqualProcessorReconstructSkippedTraces(t, tel, []metricdata.DataPoint[int64]{
		{Value: 1, Attributes: attribute.NewSet(attribute.String("reason", "failed"))},
	}, metricdatatest.IgnoreTimestamp())
	require.NoError(t, tel.Shutdown(t.Context()))
}

func TestValidate(t *testing.T) {
	require.NoError(t, defaultConfig().Validate())
	require.ErrorContains(t, (&Config{}).Validate(), "max_spans: 0 is not at least 1")
}

func TestFactory(t *testing.T) {
	p, err := NewFactory().CreateTraces(t.Context(), processortest.NewNopSettings(metadata.Type), defaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	require.False(t, p.Capabilities().MutatesData)
	require.NoError(t, p.Shutdown(t.Context()))
}
