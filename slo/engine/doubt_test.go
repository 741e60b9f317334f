package engine

import (
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/ledger"
)

// Queries that give more bad events than events make the objective an error that says so; they are no outage. It is over five minutes
// after the queries give what can be.
func TestBadAboveTotalIsAnError(t *testing.T) {
	db := newFakeTSDB()
	give := func(value func(minute int) float64) func(time.Time) model.Value {
		return func(at time.Time) model.Value {
			return model.Vector{{Value: model.SampleValue(value(int(at.Sub(noon) / time.Minute)))}}
		}
	}
	db.exprs["sum(increase(p[1m]))"] = give(func(int) float64 { return 10 })
	db.exprs["sum(increase(b[1m]))"] = give(func(m int) float64 {
		if m > 20 && m <= 40 {
			return 1990
		}
		return 0
	})
	c := parse(t, `
objectives: [{name: p, target: 99, promql: {bad: 'sum(rate(b[{{.window}}]))', total: 'sum(irate(p[{{.window}}]))', resolution: 1m}}]
receivers: [{name: all, webhook: {endpoint: "http://127.0.0.1:1/"}}]`)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	for m := 1; m <= 60; m++ {
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Duration(m)*time.Minute+c.Lateness), true, true)))
		s, _ := e.Status("p")
		want := StateOK
		if m > 20 && m <= 45 {
			want = StateError
			assert.Contains(t, s.Message, "over 1m, promql::bad gives 1990 and promql::total only 10, and there cannot be more bad events than events", m)
		}
		assert.Equal(t, want, s.State, "minute %d: %s", m, s.Message)
		assert.Equal(t, Events{Total: 10 * uint64(m-min(max(m-20, 0), 20))}, s.Events, m)
		assert.InDelta(t, 100, s.Budget.RemainingPercent, 1e-9)
		assert.Equal(t, alert.Inactive, s.Alert.State)
	}
	assert.Empty(t, told(t, e))
	counts := minuteCounts(t, e, "p", noon, noon.Add(time.Hour))
	assert.Len(t, counts, 40)
	assert.Equal(t, slo.Events{Total: 10}, counts[ledger.Elapsed(noon)])
	assert.Equal(t, "sum(increase(b[{{.window}}]))", e.Objectives()[0].Indicator.BadQuery, "rates count as increases")
}
