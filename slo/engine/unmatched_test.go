package engine

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine/internal/unmatched"
)

// TestUnmatchedInTheDatabase checks that the real database, and the names of labels in it, answer which operations a service had.
func TestUnmatchedInTheDatabase(t *testing.T) {
	querier, exp := embedded(t)
	at := time.Now().Truncate(time.Minute)
	for _, sample := range []struct {
		age   time.Duration
		name  string
		calls int64
	}{
		{65 * time.Minute, "GET /old", 0}, {61 * time.Minute, "GET /old", 7}, {time.Minute, "GET /old", 7},
		{30 * time.Minute, "POST /orders", 0}, {time.Minute, "POST /orders", 3},
	} {
		md := pmetric.NewMetrics()
		m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		m.SetName("traces.span.metrics.calls")
		sum := m.SetEmptySum()
		sum.SetIsMonotonic(true)
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		p := sum.DataPoints().AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(at.Add(-sample.age)))
		p.SetIntValue(sample.calls)
		for key, value := range map[string]string{"service.name": "checkout", "span.name": sample.name, "span.kind": "SPAN_KIND_SERVER", "status.code": "STATUS_CODE_UNSET"} {
			p.Attributes().PutStr(key, value)
		}
		require.NoError(t, exp.ConsumeMetrics(t.Context(), md))
	}
	var w unmatched.Watcher
	w.Look(t.Context(), unmatched.Settings{
		Querier: querier, Logger: zap.NewNop(), Events: func(string) (uint64, bool) { return 3, true },
		Objectives: []slo.Objective{{Name: "orders", Indicator: slo.Indicator{Type: slo.Availability,
			Spans: slo.SpanSelector{Service: "checkout", Kind: "server", Operations: []string{"POST /orders", "GET /old"}}}}},
	}, at)
	assert.Equal(t, []string{"No span of checkout had the operation GET /old in the last hour; it had POST /orders."}, w.Of("orders"))
}

// calls answers every query with the calls of one operation.
type calls struct{ hanging }

func (calls) Query(_ context.Context, _ string, at time.Time) (model.Value, error) {
	if at.Before(noon) {
		return model.Vector{}, nil
	}
	return model.Vector{{Value: 1, Metric: model.Metric{"service_name": "checkout", "span_name": "POST /orders", "span_kind": "SPAN_KIND_SERVER"}}}, nil
}

// TestStatusWarnsOfUnmatchedConditions checks that the status of an objective has the warnings once it was evaluated, and no other
// objective's.
func TestStatusWarnsOfUnmatchedConditions(t *testing.T) {
	c := parse(t, `
objectives:
  - {name: checkout, target: 99.9, availability: {service: checkout, operations: POST /order}}
  - {name: rest, target: 99, availability: {}}`)
	e := openAt(t, c, newFakeTSDB(), noon)
	defer closeIt(t, e)
	evaluate := func(minutes time.Duration) {
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(minutes*time.Minute+c.Lateness), true, true)))
	}
	look := func() {
		e.watcher.Look(t.Context(), unmatched.Settings{
			Querier: calls{}, Objectives: e.evaluator.objectives, Events: e.lastHour, Logger: zap.NewNop(),
		}, noon.Add(30*time.Minute))
	}
	evaluate(1)
	look()
	evaluate(2)
	for name, want := range map[string][]string{"checkout": {"No span of checkout had the operation POST /order in the last hour; it had POST /orders."}, "rest": nil} {
		s, ok := e.Status(name)
		require.True(t, ok)
		assert.Equal(t, want, s.Warnings)
	}
}
