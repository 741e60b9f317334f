package memorylimiter_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/memorylimiterprocessor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"
	"google.golang.org/grpc/status"

	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/memorylimiter"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The forms in which spans arrive: decoded, as a request, as kept traces.
var doors = []struct {
	name string
	call func(ctx context.Context, spans int) (context.Context, ptrace.Traces)
}{
	{"decoded", func(ctx context.Context, spans int) (context.Context, ptrace.Traces) { return ctx, traces(spans) }},
	{"bytes", func(ctx context.Context, spans int) (context.Context, ptrace.Traces) {
		return wire.NewContext(ctx, request(spans)), ptrace.NewTraces()
	}},
	{"kept", func(ctx context.Context, spans int) (context.Context, ptrace.Traces) {
		k := &wire.Kept{To: "trace_store", Spans: make([]wire.KeptSpan, spans+2)}
		k.Spans[0].Omitted, k.Spans[1].Sent = true, true // these two are not sent
		return wire.NewKeptContext(ctx, k), ptrace.NewTraces()
	}},
}

func traces(spans int) ptrace.Traces {
	td := ptrace.NewTraces()
	all := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for i := range spans {
		s := all.AppendEmpty()
		s.SetTraceID([16]byte{1})
		s.SetSpanID([8]byte{byte(i + 1)})
	}
	return td
}

func request(spans int) *wire.Request {
	r := new(wire.Request)
	body, err := new(ptrace.ProtoMarshaler).MarshalTraces(traces(spans))
	if err == nil {
		err = r.Scan(body)
	}
	if err != nil {
		panic(err)
	}
	return r
}

// limits are a configuration that accepts everything, and one that refuses everything after its first check.
var limits = map[bool]memorylimiter.Config{
	false: {CheckInterval: time.Millisecond, MemoryLimitMiB: 1 << 20, MemorySpikeLimitMiB: 1},
	true:  {CheckInterval: time.Millisecond, MemoryLimitMiB: 2, MemorySpikeLimitMiB: 1, MinGCIntervalWhenSoftLimited: time.Hour},
}

// TestCounts checks that each door has the same counts as the decoded one, the Collector's own, under the Collector's metrics.
func TestCounts(t *testing.T) {
	for _, refusing := range []bool{false, true} {
		for _, door := range doors {
			for name, f := range map[string]processor.Factory{"ours": memorylimiter.NewFactory(), "the Collector's": memorylimiterprocessor.NewFactory()} {
				if name != "ours" && door.name != "decoded" {
					continue
				}
				t.Run(map[bool]string{false: "takes ", true: "refuses "}[refusing]+door.name+" "+name, func(t *testing.T) {
					tel := componenttest.NewTelemetry()
					defer func() { require.NoError(t, tel.Shutdown(context.Background())) }()
					passed := 0
					p, _ := start(t, f, tel, refusing, func(context.Context, ptrace.Traces) error { passed++; return nil })
					counted := 0
					call := func() error {
						counted += 5
						return p.ConsumeTraces(door.call(t.Context(), 5))
					}
					if refusing {
						require.Eventually(t, func() bool { return call() != nil }, 10*time.Second, time.Millisecond)
						before := passed
						err := call()
						require.Error(t, err)
						assert.ErrorContains(t, err, "data refused due to high memory usage")
						_, hasStatus := status.FromError(err)
						assert.False(t, hasStatus, "the receiver answers what has no status with 429")
						assert.Equal(t, before, passed, "nothing goes on")
					} else {
						for range 3 {
							require.NoError(t, call())
						}
						assert.Equal(t, 3, passed)
					}
					accepted, refused := int64(5*passed), int64(counted-5*passed)
					assert.Equal(t, accepted, sum(t, tel, "otelcol_processor_memory_limiter_accepted_spans"))
					assert.Equal(t, refused, sum(t, tel, "otelcol_processor_memory_limiter_refused_spans"))
					assert.Equal(t, accepted+refused, sum(t, tel, "otelcol_processor_incoming_items"))
					assert.Equal(t, accepted, sum(t, tel, "otelcol_processor_outgoing_items"))
				})
			}
		}
	}
}

// sum returns the value of a metric, which must have one data point: two would mean two instruments.
func sum(t *testing.T, tel *componenttest.Telemetry, name string) int64 {
	t.Helper()
	m, err := tel.GetMetric(name)
	if err != nil {
		return 0
	}
	points := m.Data.(metricdata.Sum[int64]).DataPoints
	require.Len(t, points, 1, name)
	id, _ := points[0].Attributes.Value(attribute.Key("processor"))
	require.Equal(t, "memory_limiter/in", id.AsString())
	return points[0].Value
}

// start starts a processor, which the end of the test stops.
func start(t *testing.T, f processor.Factory, tel *componenttest.Telemetry, refusing bool, next consumer.ConsumeTracesFunc) (processor.Traces, *listener) {
	t.Helper()
	set := processortest.NewNopSettings(f.Type())
	set.ID = component.NewIDWithName(f.Type(), "in")
	set.TelemetrySettings = tel.NewTelemetrySettings()
	cfg := limits[refusing]
	require.NoError(t, cfg.Validate())
	sink, err := consumer.NewTraces(next)
	require.NoError(t, err)
	p, err := f.CreateTraces(t.Context(), set, &cfg, sink)
	require.NoError(t, err)
	assert.False(t, p.Capabilities().MutatesData)
	h := &listener{}
	require.NoError(t, p.Start(t.Context(), h))
	t.Cleanup(func() {
		require.NoError(t, p.Shutdown(context.Background()))
		assert.Empty(t, h.probers, "it takes back what it announced")
	})
	return p, h
}

// listener is a host whose only extension receives announcements.
type listener struct{ probers []host.Prober }

func (l *listener) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("web"): l}
}
func (l *listener) Start(context.Context, component.Host) error { return nil }
func (l *listener) Shutdown(context.Context) error              { return nil }
func (l *listener) ComponentStarted(_ component.ID, c any) {
	l.probers = append(l.probers, c.(host.Prober))
}
func (l *listener) ComponentStopped(component.ID, any) { l.probers = l.probers[1:] }

// TestProbe checks that the gateway is not ready while spans are refused, and that probing counts nothing.
func TestProbe(t *testing.T) {
	for refusing, want := range map[bool]host.Health{
		false: {OK: true, Blocking: true, Message: "memory is below the limit"},
		true:  {Blocking: true, Message: "refuses spans: memory is above limit_mib or limit_percentage, less the spike limit"},
	} {
		tel := componenttest.NewTelemetry()
		_, h := start(t, memorylimiter.NewFactory(), tel, refusing, func(context.Context, ptrace.Traces) error { return nil })
		require.Len(t, h.probers, 1)
		require.Eventually(t, func() bool { return h.probers[0].Probe(t.Context()) == want }, 10*time.Second, time.Millisecond)
		_, err := tel.GetMetric("otelcol_processor_internal_duration")
		assert.Error(t, err, "a probe is no request")
		require.NoError(t, tel.Shutdown(context.Background()))
	}
}

// TestShares checks that the pipelines of one configuration announce themselves once, and again after a new start.
func TestShares(t *testing.T) {
	f := memorylimiter.NewFactory()
	cfg := limits[false]
	for range 2 {
		set := processortest.NewNopSettings(f.Type())
		h := &listener{}
		var all []component.Component
		for range 2 {
			p, err := f.CreateTraces(t.Context(), set, &cfg, consumertest.NewNop())
			require.NoError(t, err)
			all = append(all, p)
		}
		m, err := f.CreateMetrics(t.Context(), set, &cfg, consumertest.NewNop())
		require.NoError(t, err)
		all = append(all, m)
		for _, p := range all {
			require.NoError(t, p.Start(t.Context(), h))
		}
		assert.Len(t, h.probers, 1)
		require.NoError(t, m.ConsumeMetrics(t.Context(), pmetric.NewMetrics()))
		for _, p := range all {
			require.NoError(t, p.Shutdown(t.Context()))
		}
		assert.Empty(t, h.probers)
		cfg = limits[false]
	}
}

// TestErrorOfNext checks that the next component's error is passed on.
func TestErrorOfNext(t *testing.T) {
	tel := componenttest.NewTelemetry()
	broken := errors.New("the disk is full")
	p, _ := start(t, memorylimiter.NewFactory(), tel, false, func(context.Context, ptrace.Traces) error { return broken })
	for _, door := range doors {
		assert.Same(t, broken, p.ConsumeTraces(door.call(t.Context(), 1)), door.name)
	}
	require.NoError(t, tel.Shutdown(context.Background()))
}
