package sli

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/metadatatest"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// gate refuses requests as configured.
type gate struct {
	consumertest.TracesSink
	err error
}

func (g *gate) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	if g.err != nil {
		return g.err
	}
	return g.TracesSink.ConsumeTraces(ctx, td)
}

const callsOfPing = "traces.span.metrics.calls{service.name=a,span.kind=SPAN_KIND_UNSPECIFIED,span.name=ping,status.code=STATUS_CODE_UNSET}"

var ping = slitest.Span{Service: "a", Name: "ping"}

// TestRefusedSpansAreNotCounted is law 1: accepted spans count once, refused ones not at all, though the client retries.
func TestRefusedSpansAreNotCounted(t *testing.T) {
	next, sink := &gate{err: errors.New("try again")}, new(consumertest.MetricsSink)
	p := newPair(t, nil, next, sink)
	p.start(t)
	for range 3 {
		err := p.consume(context.Background(), slitest.Traces(t, ping))
		assert.Same(t, next.err, err, "the next component's error as it is")
	}
	next.err = nil
	require.NoError(t, p.consume(context.Background(), slitest.Traces(t, ping, ping)))
	p.shutdown(t)
	assert.Equal(t, "2", values(sink.AllMetrics()...)[callsOfPing])
	assert.Equal(t, 2, next.SpanCount())
}

// TestBothOrdersOfTheFanOut: the Collector may call the component of the metrics pipeline before or after the other.
func TestBothOrdersOfTheFanOut(t *testing.T) {
	for _, first := range []string{"passing", "emitting"} {
		t.Run(first+" first", func(t *testing.T) {
			sink := new(consumertest.MetricsSink)
			p := newPair(t, nil, consumertest.NewNop(), sink)
			order := []connector.Traces{p.passing, p.emitting}
			if first == "emitting" {
				order[0], order[1] = order[1], order[0]
			}
			for _, c := range order {
				require.NoError(t, c.Start(context.Background(), componenttest.NewNopHost()))
			}
			for _, c := range order {
				require.NoError(t, c.ConsumeTraces(context.Background(), slitest.Traces(t, ping)))
			}
			for _, c := range order {
				require.NoError(t, c.Shutdown(context.Background()))
			}
			assert.Equal(t, "1", values(sink.AllMetrics()...)[callsOfPing])
		})
	}
}

// TestContextAndSpansPassUnchanged: the next component gets the same context and spans, the request included.
func TestContextAndSpansPassUnchanged(t *testing.T) {
	td := slitest.Traces(t, ping)
	r := slitest.Request(t, td)
	var got *wire.Request
	next, err := consumer.NewTraces(func(ctx context.Context, passed ptrace.Traces) error {
		got, _ = wire.FromContext(ctx)
		assert.Equal(t, 0, passed.SpanCount())
		return nil
	})
	require.NoError(t, err)
	p := newPair(t, nil, next, consumertest.NewNop())
	p.start(t)
	require.NoError(t, p.consume(wire.NewContext(context.Background(), r), ptrace.NewTraces()))
	assert.Same(t, r, got)
	p.shutdown(t)
}

func TestNextMayChangeTheSpans(t *testing.T) {
	next, err := consumer.NewTraces(func(_ context.Context, td ptrace.Traces) error {
		td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).SetName("changed")
		return nil
	}, consumer.WithCapabilities(consumer.Capabilities{MutatesData: true}))
	require.NoError(t, err)
	sink := new(consumertest.MetricsSink)
	p := newPair(t, nil, next, sink)
	p.start(t)
	require.NoError(t, p.consume(context.Background(), slitest.Traces(t, ping)))
	p.shutdown(t)
	assert.Equal(t, "1", values(sink.AllMetrics()...)[callsOfPing])
}

func TestConcurrentRequests(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	p := newPair(t, nil, consumertest.NewNop(), sink)
	p.start(t, shop()...)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				assert.NoError(t, p.consume(context.Background(), slitest.Traces(t, ping, ping)))
			}
		})
	}
	wg.Wait()
	p.shutdown(t)
	assert.Equal(t, "800", values(sink.AllMetrics()...)[callsOfPing])
}

func TestWithoutMetricsPipeline(t *testing.T) {
	core, logs := observer.New(zapcore.WarnLevel)
	f := NewFactory()
	set := connectortest.NewNopSettings(f.Type())
	set.Logger = zap.New(core)
	next := new(consumertest.TracesSink)
	c, err := f.CreateTracesToTraces(context.Background(), set, f.CreateDefaultConfig(), next)
	require.NoError(t, err)
	require.NoError(t, c.Start(context.Background(), componenttest.NewNopHost()))
	require.NoError(t, c.ConsumeTraces(context.Background(), slitest.Traces(t, ping)))
	assert.Equal(t, 1, next.SpanCount())
	assert.Equal(t, 1, logs.FilterMessageSnippet("receivers of a metrics pipeline").Len())
	health := c.(*passing).Probe(context.Background())
	assert.False(t, health.OK)
	assert.False(t, health.Blocking)
	require.NoError(t, c.Shutdown(context.Background()))
}

func TestShutdownWithoutStart(t *testing.T) {
	p := newPair(t, nil, consumertest.NewNop(), consumertest.NewNop())
	p.shutdown(t)
}

// TestOneConfigurationOneInstance: components with the same configuration share an instance, until their shutdown.
func TestOneConfigurationOneInstance(t *testing.T) {
	f := NewFactory()
	set := connectortest.NewNopSettings(f.Type())
	create := func(cfg component.Config) *Connector {
		c, err := f.CreateTracesToTraces(context.Background(), set, cfg, consumertest.NewNop())
		require.NoError(t, err)
		return c.(*passing).Connector
	}
	a, b := f.CreateDefaultConfig(), f.CreateDefaultConfig()
	first := create(a)
	assert.Same(t, first, create(a))
	assert.NotSame(t, first, create(b), "another sli, or the same one after a reload")
	require.NoError(t, (&passing{Connector: first}).Shutdown(context.Background()))
	assert.NotSame(t, first, create(a), "it was shut down")
}

func TestSeveralSourcesOfObjectives(t *testing.T) {
	p := newPair(t, nil, consumertest.NewNop(), consumertest.NewNop())
	err := p.passing.Start(context.Background(), twoSources{})
	require.ErrorContains(t, err, "find the objectives")
	assert.Equal(t, err, p.emitting.Start(context.Background(), twoSources{}), "both components say so")
	p.shutdown(t)
}

type twoSources struct{}

func (twoSources) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{
		component.MustNewID("slo"):                  hostOf{},
		component.MustNewIDWithName("slo", "other"): hostOf{},
	}
}

// listener is an extension that records announcements.
type listener struct {
	hostOf
	started, stopped []any
}

func (l *listener) ComponentStarted(_ component.ID, c any) { l.started = append(l.started, c) }
func (l *listener) ComponentStopped(_ component.ID, c any) { l.stopped = append(l.stopped, c) }
func (l *listener) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("web"): l}
}

func TestAnnouncedOnce(t *testing.T) {
	l := &listener{hostOf: hostOf{[]slo.Objective{}}}
	p := newPair(t, nil, consumertest.NewNop(), consumertest.NewNop())
	require.NoError(t, p.each(func(c connector.Traces) error { return c.Start(context.Background(), l) }))
	require.Len(t, l.started, 1)
	assert.True(t, l.started[0].(host.Prober).Probe(context.Background()).OK)
	p.shutdown(t)
	assert.Equal(t, l.started, l.stopped)
}

func TestTelemetry(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	core, logs := observer.New(zapcore.WarnLevel)
	f := NewFactory()
	set := connectortest.NewNopSettings(f.Type())
	set.TelemetrySettings = tel.NewTelemetrySettings()
	set.Logger = zap.New(core)
	cfg := f.CreateDefaultConfig().(*Config)
	cfg.Directory, cfg.Repeats.Window = t.TempDir(), 0
	cfg.Limits = Limits{Services: 1, Operations: 1, Versions: 1, Reasons: 1}
	c, err := f.CreateTracesToMetrics(context.Background(), set, cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, c.Start(context.Background(), hostOf{shop()[:1]}))
	failed := func(service, version, name, reason string) slitest.Span {
		return slitest.Span{Service: service, Version: version, Name: name, Status: ptrace.StatusCodeError,
			Attributes: map[string]any{"error.type": reason}}
	}
	for range 2 {
		require.NoError(t, c.ConsumeTraces(context.Background(), slitest.Traces(t,
			failed("a", "1", "x", "r1"), failed("a", "2", "x", "r2"), failed("a", "1", "y", "r1"), failed("b", "1", "x", "r1"))))
	}
	require.NoError(t, c.Shutdown(context.Background()))

	metadatatest.AssertEqualConnectorSliSpans(t, tel, []metricdata.DataPoint[int64]{{Value: 8}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualConnectorSliFlushes(t, tel, []metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())
	overflow, err := tel.GetMetric("otelcol_connector_sli_overflow_spans")
	require.NoError(t, err)
	got := map[string]int64{}
	for _, p := range overflow.Data.(metricdata.Sum[int64]).DataPoints {
		v, _ := p.Attributes.Value("label")
		got[v.AsString()] = p.Value
	}
	assert.Equal(t, map[string]int64{"service_name": 2, "span_name": 2, "service_version": 2, "reason": 2}, got)
	assert.Equal(t, 4, logs.Len(), "each label once: %v", logs.All())
}
