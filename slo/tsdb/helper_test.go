package tsdb

import (
	"context"
	"net/http/httptest"
	"testing"
	"time"

	promapi "github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// hostOf is a host with the extensions.
type hostOf map[component.ID]component.Component

func (h hostOf) GetExtensions() map[component.ID]component.Component { return h }

func testConfig(t testing.TB) *Config {
	t.Helper()
	config := NewExtensionFactory().CreateDefaultConfig().(*Config)
	config.Directory = t.TempDir()
	return config
}

// start starts an extension; the end of the test shuts it down if it still runs.
func start(t testing.TB, config *Config) *Extension {
	t.Helper()
	return startWith(t, config, extensiontest.NewNopSettings(componentType))
}

func startWith(t testing.TB, config *Config, settings extension.Settings) *Extension {
	t.Helper()
	require.NoError(t, config.Validate())
	created, err := NewExtensionFactory().Create(t.Context(), settings, config)
	require.NoError(t, err)
	require.NoError(t, created.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, created.Shutdown(context.Background())) })
	return created.(*Extension)
}

// startExporter starts an exporter that writes to the extension.
func startExporter(t testing.TB, e *Extension, change ...func(*ExporterConfig)) exporter.Metrics {
	t.Helper()
	config := NewExporterFactory().CreateDefaultConfig().(*ExporterConfig)
	for _, c := range change {
		c(config)
	}
	require.NoError(t, config.Validate())
	created, err := NewExporterFactory().CreateMetrics(t.Context(), exportertest.NewNopSettings(componentType), config)
	require.NoError(t, err)
	require.NoError(t, created.Start(t.Context(), hostOf{component.NewID(componentType): e}))
	t.Cleanup(func() { require.NoError(t, created.Shutdown(context.Background())) })
	return created
}

// serve serves an extension's API and returns the official client of it.
func serve(t testing.TB, e *Extension) (promv1.API, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(e.PrometheusAPI())
	t.Cleanup(server.Close)
	client, err := promapi.NewClient(promapi.Config{Address: server.URL, Client: server.Client()})
	require.NoError(t, err)
	return promv1.NewAPI(client), server
}

// now returns the time to the second, slightly behind the clock.
func now() time.Time { return time.Now().Add(-time.Second).Truncate(time.Second) }

// resource returns metrics with one resource and scope, and the scope to fill.
func resource(attributes map[string]any) (pmetric.Metrics, pmetric.ScopeMetrics) {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	if err := rm.Resource().Attributes().FromRaw(attributes); err != nil {
		panic(err)
	}
	return md, rm.ScopeMetrics().AppendEmpty()
}

var gateway = map[string]any{"service.name": "slowburn", "service.instance.id": "i-1"}

// newSum adds a monotonic sum.
func newSum(sm pmetric.ScopeMetrics, name string, temporality pmetric.AggregationTemporality) pmetric.NumberDataPointSlice {
	m := sm.Metrics().AppendEmpty()
	m.SetName(name)
	m.SetDescription("About " + name)
	sum := m.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(temporality)
	return sum.DataPoints()
}

// addPoint adds a point with attributes given as pairs.
func addPoint(points pmetric.NumberDataPointSlice, at time.Time, value int64, attributes ...string) {
	p := points.AppendEmpty()
	p.SetTimestamp(pcommon.NewTimestampFromTime(at))
	p.SetIntValue(value)
	for i := 0; i < len(attributes); i += 2 {
		p.Attributes().PutStr(attributes[i], attributes[i+1])
	}
}

// newExponential adds an exponential histogram of seconds with one point at scale 0: counts[i] is of (2^i, 2^(i+1)].
func newExponential(sm pmetric.ScopeMetrics, name string, at time.Time, counts ...uint64) {
	m := sm.Metrics().AppendEmpty()
	m.SetName(name)
	m.SetUnit("s")
	h := m.SetEmptyExponentialHistogram()
	h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	addExponential(h.DataPoints(), at, counts...)
}

func addExponential(points pmetric.ExponentialHistogramDataPointSlice, at time.Time, counts ...uint64) {
	p := points.AppendEmpty()
	p.SetTimestamp(pcommon.NewTimestampFromTime(at))
	p.Positive().BucketCounts().FromRaw(counts)
	var total uint64
	for i, n := range counts {
		total += n
		p.SetSum(p.Sum() + float64(n)*1.5*float64(uint64(1)<<i))
	}
	p.SetCount(total)
}

// samples returns a series' floats for comparison.
func samples(t testing.TB, q Querier, expr string, at time.Time) []model.SamplePair {
	t.Helper()
	v, err := q.Query(t.Context(), expr, at)
	require.NoError(t, err)
	require.IsType(t, model.Matrix{}, v)
	matrix := v.(model.Matrix)
	if len(matrix) == 0 {
		return nil
	}
	require.Len(t, matrix, 1)
	return matrix[0].Values
}

func pair(at time.Time, v float64) model.SamplePair {
	return model.SamplePair{Timestamp: model.TimeFromUnixNano(at.UnixNano()), Value: model.SampleValue(v)}
}

// number returns the value of an expression whose result is one element.
func number(t testing.TB, q Querier, expr string, at time.Time) float64 {
	t.Helper()
	v, err := q.Query(t.Context(), expr, at)
	require.NoError(t, err)
	require.IsType(t, model.Vector{}, v)
	require.Len(t, v, 1, expr)
	return float64(v.(model.Vector)[0].Value)
}

// gauge returns the value of a gauge without attributes.
func gauge(t testing.TB, telemetry *componenttest.Telemetry, name string) int64 {
	t.Helper()
	m, err := telemetry.GetMetric(name)
	require.NoError(t, err)
	return m.Data.(metricdata.Gauge[int64]).DataPoints[0].Value
}
