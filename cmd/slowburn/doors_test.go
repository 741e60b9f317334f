package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"

	"github.com/slowburn/slowburn/internal/wire"
)

// doorsConfig counts spans and keeps all traces. The processors before sli and tail_sampling are left open.
const doorsConfig = `
receivers: {feed: {}}
connectors: {sli: {interval: 60s, directory: %q}}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 8000}
  transform/nothing: {trace_statements: ['set(span.name, span.name)']}
  transform/rename: {trace_statements: ['set(span.name, "renamed")']}
  filter/first: {traces: {span: ['span.name == "first"']}}
  batch: {timeout: 1ms}
  tail_sampling: {storage: memory, policies: [{name: all, type: always_sample}]}
exporters: {kept: {}, numbers: {}}
service:
  telemetry: {metrics: {level: none}, logs: {level: error}}
  pipelines:
    traces/in: {receivers: [feed], processors: [%s], exporters: [sli]}
    traces/sampled: {receivers: [sli], processors: [%s], exporters: [kept]}
    metrics: {receivers: [sli], exporters: [numbers]}
`

// TestDoors sends the same spans through either door of the gateway, with other processors in the pipelines. Both doors give the
// same counts and the same kept spans, byte for byte, and a change by a processor behind sli is in the kept spans.
func TestDoors(t *testing.T) {
	count := func(name string) string {
		return "traces.span.metrics.calls map[service.name:shop span.kind:SPAN_KIND_SERVER span.name:" + name + " status.code:STATUS_CODE_UNSET] 2"
	}
	same := runDoor(t, wireDoor, "", "tail_sampling")
	require.Len(t, same.kept, 4)
	require.Contains(t, same.numbers, count("first"))
	require.Contains(t, same.numbers, count("second"))

	for _, c := range []struct {
		name, inFront, sampled string
		door                   func(*testing.T, consumer.Traces, ptrace.Traces)
		names                  []string // of the kept spans, if they differ from the sent ones
	}{
		{"wire, memory_limiter", "memory_limiter", "memory_limiter, tail_sampling", wireDoor, nil},
		{"decoded", "", "tail_sampling", decodedDoor, nil},
		{"decoded, memory_limiter", "transform/nothing", "memory_limiter, tail_sampling", decodedDoor, nil},
		{"unchanged in between", "", "transform/nothing, tail_sampling", decodedDoor, nil},
		{"renamed in between", "", "transform/rename, tail_sampling", decodedDoor, []string{"renamed", "renamed", "renamed", "renamed"}},
		{"filtered in between", "", "filter/first, tail_sampling", decodedDoor, []string{"second", "second"}},
		{"batched in between", "", "batch, tail_sampling", decodedDoor, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := runDoor(t, c.door, c.inFront, c.sampled)
			assert.Equal(t, same.numbers, got.numbers)
			if c.names == nil {
				assert.Equal(t, same.kept, got.kept)
				return
			}
			assert.ElementsMatch(t, c.names, got.names)
		})
	}
}

func decodedDoor(t *testing.T, in consumer.Traces, td ptrace.Traces) {
	require.NoError(t, in.ConsumeTraces(t.Context(), td))
}

func wireDoor(t *testing.T, in consumer.Traces, td ptrace.Traces) {
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(t, err)
	var r wire.Request
	require.NoError(t, r.Scan(b))
	require.NoError(t, in.ConsumeTraces(wire.NewContext(t.Context(), &r), ptrace.NewTraces()))
}

// outcome is the output of the gateway.
type outcome struct {
	kept    map[string]string // each span with its resource and scope, as OTLP, by ID
	names   []string          // of the spans
	numbers map[string]struct{}
}

// endpoint is a component at one end of the pipelines.
type endpoint struct {
	component.StartFunc
	component.ShutdownFunc
}

type tracesEnd struct {
	endpoint
	consumer.Traces
}

type metricsEnd struct {
	endpoint
	consumer.Metrics
}

// runDoor starts the gateway, sends it two requests, stops it, and returns its output.
func runDoor(t *testing.T, door func(*testing.T, consumer.Traces, ptrace.Traces), inFront, sampled string) outcome {
	feed := make(chan consumer.Traces, 1)
	kept, numbers := new(consumertest.TracesSink), new(consumertest.MetricsSink)
	set := collectorSettings(&source{})
	set.DisableGracefulShutdown = true
	set.ConfigProviderSettings.ResolverSettings.URIs = []string{"yaml:" + fmt.Sprintf(doorsConfig, t.TempDir(), inFront, sampled)}
	set.Factories = func() (otelcol.Factories, error) {
		f, err := factories(&source{})
		addEnds(&f, feed, kept, numbers)
		return f, err
	}
	col, err := otelcol.NewCollector(set)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- col.Run(context.Background()) }()
	var in consumer.Traces
	select {
	case in = <-feed:
	case err := <-done:
		require.NoError(t, err)
	}
	for i := range 2 {
		door(t, in, doorTraces(byte(i+1)))
	}
	require.NoError(t, stop(t, col, done))
	return read(t, kept, numbers)
}

func addEnds(f *otelcol.Factories, feed chan<- consumer.Traces, kept consumer.Traces, numbers consumer.Metrics) {
	none := func() component.Config { return &struct{}{} }
	const stability = component.StabilityLevelDevelopment
	typ := component.MustNewType("feed")
	f.Receivers[typ] = receiver.NewFactory(typ, none, receiver.WithTraces(
		func(_ context.Context, _ receiver.Settings, _ component.Config, next consumer.Traces) (receiver.Traces, error) {
			return endpoint{StartFunc: func(context.Context, component.Host) error {
				feed <- next
				return nil
			}}, nil
		}, stability))
	typ = component.MustNewType("kept")
	f.Exporters[typ] = exporter.NewFactory(typ, none, exporter.WithTraces(
		func(context.Context, exporter.Settings, component.Config) (exporter.Traces, error) {
			return tracesEnd{Traces: kept}, nil
		}, stability))
	typ = component.MustNewType("numbers")
	f.Exporters[typ] = exporter.NewFactory(typ, none, exporter.WithMetrics(
		func(context.Context, exporter.Settings, component.Config) (exporter.Metrics, error) {
			return metricsEnd{Metrics: numbers}, nil
		}, stability))
}

// stop waits until the gateway runs, because it cannot be stopped before, and then until it has stopped.
func stop(t *testing.T, col *otelcol.Collector, done <-chan error) error {
	require.Eventually(t, func() bool { return col.GetState() == otelcol.StateRunning }, time.Minute, time.Millisecond)
	col.Shutdown()
	return <-done
}

// doorTraces is a trace of two spans.
func doorTraces(id byte) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "shop")
	ss := rs.ScopeSpans().AppendEmpty()
	ss.Scope().SetName("lib")
	for i, name := range []string{"first", "second"} {
		s := ss.Spans().AppendEmpty()
		s.SetTraceID([16]byte{id, 15: 255})
		s.SetSpanID([8]byte{id, byte(i + 1)})
		s.SetName(name)
		s.SetKind(ptrace.SpanKindServer)
		s.SetStartTimestamp(1_700_000_000_000_000_000)
		s.SetEndTimestamp(1_700_000_000_250_000_000)
		s.Attributes().PutStr("http.route", "/"+name)
		s.Events().AppendEmpty().SetName("event")
	}
	return td
}

// read splits the output into spans and counts: batching is not compared.
func read(t *testing.T, kept *consumertest.TracesSink, numbers *consumertest.MetricsSink) outcome {
	out := outcome{kept: map[string]string{}, numbers: map[string]struct{}{}}
	var m ptrace.ProtoMarshaler
	for _, td := range kept.AllTraces() {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					alone := ptrace.NewTraces()
					to := alone.ResourceSpans().AppendEmpty()
					rs.Resource().CopyTo(to.Resource())
					scope := to.ScopeSpans().AppendEmpty()
					ss.Scope().CopyTo(scope.Scope())
					s.CopyTo(scope.Spans().AppendEmpty())
					b, err := m.MarshalTraces(alone)
					require.NoError(t, err)
					require.NotContains(t, out.kept, s.SpanID().String(), "kept once")
					out.kept[s.SpanID().String()] = string(b)
					out.names = append(out.names, s.Name())
				}
			}
		}
	}
	for _, md := range numbers.AllMetrics() {
		for _, rm := range md.ResourceMetrics().All() {
			for _, sm := range rm.ScopeMetrics().All() {
				for _, m := range sm.Metrics().All() {
					if m.Type() == pmetric.MetricTypeSum && strings.HasPrefix(m.Name(), "traces.") {
						for _, p := range m.Sum().DataPoints().All() {
							out.numbers[fmt.Sprint(m.Name(), " ", p.Attributes().AsRaw(), " ", p.IntValue())] = struct{}{}
						}
					}
				}
			}
		}
	}
	return out
}
