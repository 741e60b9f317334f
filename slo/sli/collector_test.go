package sli_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli"
	"github.com/slowburn/slowburn/slo/tsdb"
)

const config = `
receivers: {feed: {}}
connectors: {sli: {interval: 60s, directory: %s}}
exporters: {traces: {}, tsdb: {}}
extensions:
  objectives: {}
  tsdb: {directory: %s}
service:
  telemetry: {metrics: {level: none}, logs: {level: error}}
  extensions: [objectives, tsdb]
  pipelines:
    traces/in: {receivers: [feed], exporters: [sli]}
    traces/sampled: {receivers: [sli], exporters: [traces]}
    metrics: {receivers: [sli], exporters: [tsdb]}
`

// part is a component whose instance the test inspects.
type part struct {
	component.StartFunc
	component.ShutdownFunc
}

// objectives is an extension with one objective.
type objectives struct{ part }

func (objectives) Objectives() []slo.Objective {
	return []slo.Objective{{Name: "all", Indicator: slo.Indicator{Type: slo.Availability}}}
}

type traceExporter struct {
	part
	consumer.Traces
}

// TestInCollector builds the pipelines as the Collector does and reads the counts from a TSDB: each accepted span once, no
// refused one, with a zero before, although the Collector stops before the first interval ends.
func TestInCollector(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tsdb")
	feed := make(chan consumer.Traces, 1)
	refuse := errors.New("try again")
	var refused error
	sink, err := consumer.NewTraces(func(context.Context, ptrace.Traces) error { return refused })
	require.NoError(t, err)

	col, err := otelcol.NewCollector(otelcol.CollectorSettings{
		BuildInfo:               component.NewDefaultBuildInfo(),
		Factories:               func() (otelcol.Factories, error) { return factories(feed, sink), nil },
		DisableGracefulShutdown: true,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			URIs:              []string{"yaml:" + fmt.Sprintf(config, filepath.Dir(dir), dir)},
			ProviderFactories: []confmap.ProviderFactory{yamlprovider.NewFactory()},
		}},
	})
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- col.Run(context.Background()) }()
	var in consumer.Traces
	select {
	case in = <-feed:
	case err := <-done:
		require.NoError(t, err)
	}

	require.NoError(t, in.ConsumeTraces(context.Background(), spans(2, ptrace.StatusCodeOk)))
	refused = refuse
	require.ErrorIs(t, in.ConsumeTraces(context.Background(), spans(100, ptrace.StatusCodeError)), refuse)
	refused = nil
	require.NoError(t, in.ConsumeTraces(context.Background(), spans(3, ptrace.StatusCodeError)))
	require.Eventually(t, func() bool { return col.GetState() == otelcol.StateRunning }, time.Minute, time.Millisecond)
	col.Shutdown()
	require.NoError(t, <-done)

	query := reopen(t, dir)
	assert.Equal(t, []float64{0, 2}, query(`traces_span_metrics_calls_total{service_name="shop",span_name="buy",span_kind="SPAN_KIND_SERVER",status_code="STATUS_CODE_OK"}[1h]`))
	assert.Equal(t, []float64{0, 3}, query(`traces_span_metrics_calls_total{status_code="STATUS_CODE_ERROR"}[1h]`))
	assert.Equal(t, []float64{0, 5}, query(`slowburn_sli_events_total{objective="all",service_name="shop",span_name="buy",service_version="1.2",job="slowburn",instance!=""}[1h]`))
	assert.Equal(t, []float64{0, 3}, query(`slowburn_sli_bad_events_total{objective="all",reason="error",service_version="1.2"}[1h]`))
	assert.Equal(t, []float64{2}, query(`histogram_count(traces_span_metrics_duration_seconds{status_code="STATUS_CODE_OK"})`))
	assert.InEpsilon(t, 0.25, query(`histogram_quantile(0.5, traces_span_metrics_duration_seconds{status_code="STATUS_CODE_OK"})`)[0], 0.01)
}

func factories(feed chan<- consumer.Traces, sink consumer.Traces) otelcol.Factories {
	typ := component.MustNewType
	none := func() component.Config { return &struct{}{} }
	const stability = component.StabilityLevelDevelopment
	return otelcol.Factories{
		Telemetry: otelconftelemetry.NewFactory(),
		Receivers: map[component.Type]receiver.Factory{typ("feed"): receiver.NewFactory(typ("feed"), none, receiver.WithTraces(
			func(_ context.Context, _ receiver.Settings, _ component.Config, next consumer.Traces) (receiver.Traces, error) {
				return part{StartFunc: func(context.Context, component.Host) error {
					feed <- next
					return nil
				}}, nil
			}, stability))},
		Connectors: map[component.Type]connector.Factory{typ("sli"): sli.NewFactory()},
		Exporters: map[component.Type]exporter.Factory{
			typ("tsdb"): tsdb.NewExporterFactory(),
			typ("traces"): exporter.NewFactory(typ("traces"), none, exporter.WithTraces(
				func(context.Context, exporter.Settings, component.Config) (exporter.Traces, error) {
					return traceExporter{Traces: sink}, nil
				}, stability)),
		},
		Extensions: map[component.Type]extension.Factory{
			typ("tsdb"): tsdb.NewExtensionFactory(),
			typ("objectives"): extension.NewFactory(typ("objectives"), none,
				func(context.Context, extension.Settings, component.Config) (extension.Extension, error) {
					return objectives{}, nil
				}, stability),
		},
	}
}

func spans(n int, status ptrace.StatusCode) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "shop")
	rs.Resource().Attributes().PutStr("service.version", "1.2")
	ss := rs.ScopeSpans().AppendEmpty()
	for i := range n {
		s := ss.Spans().AppendEmpty()
		s.SetTraceID([16]byte{1})
		s.SetSpanID([8]byte{byte(i + 1)})
		s.SetName("buy")
		s.SetKind(ptrace.SpanKindServer)
		s.Status().SetCode(status)
		end := time.Now().Add(time.Hour) // in the future, so that its age is 0 whenever it is counted
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(end.Add(-250 * time.Millisecond)))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(end))
	}
	return td
}

// reopen returns a query of the Collector's database: the first and last value of one series.
func reopen(t *testing.T, dir string) func(string) []float64 {
	f := tsdb.NewExtensionFactory()
	cfg := f.CreateDefaultConfig().(*tsdb.Config)
	cfg.Directory = dir
	ext, err := f.Create(context.Background(), extensiontest.NewNopSettings(f.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, ext.Shutdown(context.Background())) })
	querier := ext.(tsdb.Querier)
	return func(expr string) (values []float64) {
		v, err := querier.Query(context.Background(), expr, time.Now())
		require.NoError(t, err)
		switch v := v.(type) {
		case model.Matrix:
			require.Len(t, v, 1, expr)
			first, last := v[0].Values[0], v[0].Values[len(v[0].Values)-1] // an interval may have ended meanwhile
			require.True(t, first.Timestamp.Before(last.Timestamp), expr)
			values = append(values, float64(first.Value), float64(last.Value))
		case model.Vector:
			require.Len(t, v, 1, expr)
			values = append(values, float64(v[0].Value))
		}
		return values
	}
}
