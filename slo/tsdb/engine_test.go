package tsdb

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/slo/tsdb/internal/metadata"
	"github.com/slowburn/slowburn/slo/tsdb/internal/promlog"
)

// TestScripts runs the expressions of the documentation and the required functions in Prometheus' own test language.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join("testdata", "promql", "*.test"))
	require.NoError(t, err)
	require.NotEmpty(t, scripts)
	for _, script := range scripts {
		t.Run(filepath.Base(script), func(t *testing.T) {
			input, err := os.ReadFile(script)
			require.NoError(t, err)
			telemetry, err := metadata.NewTelemetryBuilder(componenttest.NewNopTelemetrySettings())
			require.NoError(t, err)
			promqltest.RunTest(t, string(input), newEngine(testConfig(t), 50_000_000, nil, promlog.New(zap.NewNop()), telemetry))
		})
	}
}

// TestScalarsAndStrings: a promql indicator could return these types, too.
func TestScalarsAndStrings(t *testing.T) {
	e := start(t, testConfig(t))
	at := now()
	v, err := e.Query(t.Context(), `1 + 1`, at)
	require.NoError(t, err)
	assert.Equal(t, &model.Scalar{Value: 2, Timestamp: model.TimeFromUnixNano(at.UnixNano())}, v)
	v, err = e.Query(t.Context(), `"text"`, at)
	require.NoError(t, err)
	assert.Equal(t, &model.String{Value: "text", Timestamp: model.TimeFromUnixNano(at.UnixNano())}, v)
}

// TestLimits: the limits of a query, and how a query that exceeds one is counted.
func TestLimits(t *testing.T) {
	config := testConfig(t)
	config.Query.MaxSamples = 10
	e, telemetry := measured(t, config)
	x := startExporter(t, e)
	at := now()
	md, sm := resource(gateway)
	points := newSum(sm, "c", cumulative)
	for i := range 20 {
		addPoint(points, at.Add(time.Duration(i-19)*time.Second), int64(i))
	}
	require.NoError(t, x.ConsumeMetrics(t.Context(), md))

	_, err := e.Query(t.Context(), `c_total[1m]`, at)
	var tooMany promql.ErrTooManySamples
	require.ErrorAs(t, err, &tooMany)
	_, err = e.Query(t.Context(), `c_total[5s]`, at)
	require.NoError(t, err)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = e.Query(gone, `c_total`, at)
	require.ErrorIs(t, err, context.Canceled)
	late, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	_, err = e.Query(late, `c_total`, at)
	require.Error(t, err)
	_, err = e.QueryRange(t.Context(), `c_total`, promv1.Range{Start: at, End: at, Step: time.Second})
	require.NoError(t, err)
	_, err = e.QueryRange(t.Context(), `)`, promv1.Range{Start: at, End: at, Step: time.Second})
	require.Error(t, err)

	assert.Equal(t, map[string]int64{"error": 2, "success": 2, "canceled": 1, "timeout": 1},
		counts(t, telemetry, "otelcol_extension_tsdb_queries", "outcome"))
	m, err := telemetry.GetMetric("otelcol_extension_tsdb_query_duration_seconds")
	require.NoError(t, err)
	assert.EqualValues(t, 5, m.Data.(metricdata.Histogram[float64]).DataPoints[0].Count)
	m, err = telemetry.GetMetric("otelcol_extension_tsdb_head_series")
	require.NoError(t, err)
	assert.EqualValues(t, 1, m.Data.(metricdata.Gauge[int64]).DataPoints[0].Value)
}
