package lost

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
)

// answers gives one answer to every query.
type answers struct {
	value model.Value
	err   error
	asked []string
}

func (a *answers) Query(_ context.Context, expr string, at time.Time) (model.Value, error) {
	a.asked = append(a.asked, at.UTC().Format("15:04"))
	return a.value, a.err
}

func (a *answers) QueryRange(_ context.Context, expr string, r promv1.Range) (model.Value, error) {
	a.asked = append(a.asked, r.Start.UTC().Format("15:04")+"-"+r.End.UTC().Format("15:04"))
	return a.value, a.err
}

const first = ledger.Minute(29_000_000)

func TestQueryIsPromQL(t *testing.T) {
	_, err := parser.NewParser(parser.Options{}).ParseExpr(Query)
	require.NoError(t, err)
}

// TestQueryInPrometheus runs the query in Prometheus' own engine: SDKs' drops by job, Collectors' without one, the gateway's refusals, and not
// what the gateway's own exporters could not deliver, which was counted before.
func TestQueryInPrometheus(t *testing.T) {
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 10_000, Timeout: time.Minute, EnableAtModifier: true, EnableNegativeOffset: true, Parser: parser.NewParser(parser.Options{})})
	defer func() { require.NoError(t, engine.Close()) }()
	promqltest.RunTest(t, `load 1m
  otel_sdk_processor_span_processed_total{job="shop/checkout", error_type="queue_full"}       0+10x10
  otel_sdk_processor_span_processed_total{job="shop/checkout"}                                0+100x10
  otel_sdk_exporter_span_exported_total{job="shop/checkout", error_type="timeout", x="1"}     0+2x10
  otel_sdk_exporter_span_exported_total{job="shop/checkout", error_type="timeout", x="2"}     0+1x10
  otelcol_exporter_send_failed_spans_total{job="collector", instance="a"}                     0+4x10
  otelcol_exporter_send_failed_spans_total{job="slowburn", instance="g"}                      0+1000x10
  otelcol_receiver_refused_spans_total{job="slowburn", instance="g"}                          0+6x10
  otelcol_connector_sli_flushes_total{job="slowburn", instance="g"}                           0+6x10

eval instant at 10m `+Query+`
  {job="shop/checkout", source="0"} 50
  {job="shop/checkout", source="1"} 15
  {source="2"} 20
  {source="8"} 30
`, engine)
}

func TestRead(t *testing.T) {
	nan, inf := model.SampleValue(math.NaN()), model.SampleValue(math.Inf(1))
	q := &answers{value: model.Vector{
		{Metric: model.Metric{"job": "shop/checkout"}, Value: 10}, {Metric: model.Metric{"job": "checkout"}, Value: 5},
		{Metric: model.Metric{}, Value: 20}, {Metric: model.Metric{"job": "quiet"}, Value: 0},
		{Metric: model.Metric{"job": "a"}, Value: nan}, {Metric: model.Metric{"job": "b"}, Value: inf}, {Metric: model.Metric{"job": "c"}, Value: -4},
	}}
	got, err := Read(t.Context(), q, first, first+1)
	require.NoError(t, err)
	assert.Equal(t, map[ledger.Minute]Spans{first: {"checkout": 3, "": 4}}, got)
	assert.InDelta(t, 7, got[first].Of("checkout"), 0)
	assert.InDelta(t, 4, got[first].Of("cart"), 0)
	assert.InDelta(t, 7, got[first].Of(""), 0)
	assert.Zero(t, got[first+1].Of("checkout"))

	at := func(m ledger.Minute) model.Time { return model.TimeFromUnixNano(m.End().UnixNano()) }
	q.value = model.Matrix{{Metric: model.Metric{"job": "x"}, Values: []model.SamplePair{
		{Timestamp: at(first - 1), Value: 5}, {Timestamp: at(first), Value: 5}, {Timestamp: at(first + 1), Value: 0}, {Timestamp: at(first + 2), Value: 10}, {Timestamp: at(first + 3), Value: 5},
	}}}
	got, err = Read(t.Context(), q, first, first+3)
	require.NoError(t, err)
	assert.Equal(t, map[ledger.Minute]Spans{first: {"x": 1}, first + 2: {"x": 2}}, got)
	assert.Len(t, q.asked, 2)

	q.value = &model.Scalar{}
	_, err = Read(t.Context(), q, first, first+1)
	require.EqualError(t, err, "lost spans: the time series database answered with a scalar")
	q.err = errors.New("down")
	_, err = Read(t.Context(), q, first, first+1)
	require.ErrorIs(t, err, q.err)
}

// No objective can have the name of an account of lost spans.
func TestAccountNames(t *testing.T) {
	require.Error(t, slo.CheckName(Account("checkout")))
	assert.NotEqual(t, Account("a"), Account("b"))
}
