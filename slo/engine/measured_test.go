package engine

import (
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
)

// An objective whose samples stop is no_data a few minutes later, with its last events and budget, until samples return. One
// whose samples show no event is ok.
func TestSamplesStop(t *testing.T) {
	db := newFakeTSDB()
	quiet := func(from, to int) {
		for m := from; m < to; m++ {
			db.events("b", noon.Add(time.Duration(m)*time.Minute+30*time.Second), 100, 1)
		}
	}
	db.events("a", noon.Add(time.Second), 0, 0)
	db.events("a", noon.Add(10*time.Second), 1000, 4)
	db.events("b", noon.Add(time.Second), 0, 0)
	quiet(0, 60)
	e := openAt(t, parse(t, twoObjectives), db, noon)
	defer func() { closeIt(t, e) }()
	at := func(minutes int) Status {
		t.Helper()
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Duration(minutes)*time.Minute+e.config.Lateness), true, true)))
		s, _ := e.Status("a")
		return s
	}
	measured := noon.Add(time.Minute)
	var want Status // as of the minute that is measured last
	for _, minutes := range []int{1, 4, 6} {
		s := at(minutes)
		if minutes == 1 {
			want = s
			want.Budget.ExhaustedAt = nil // the pace is unknown
		}
		assert.Equal(t, StateOK, s.State, minutes)
		assert.Equal(t, measured, *s.LastMeasuredAt)
	}
	for _, minutes := range []int{7, 30, 60, 31 * 24 * 60} {
		s := at(minutes)
		assert.Equal(t, StateNoData, s.State, minutes)
		assert.Equal(t, measured, *s.LastMeasuredAt)
		assert.Equal(t, noon.Add(time.Duration(minutes)*time.Minute), *s.EvaluatedUntil)
		assert.Contains(t, s.Message, "Nothing has been measured since 2026-03-01T12:01:00Z: no span matched the indicator for so long")
		assert.Contains(t, s.Message, "Events and budget are as of then.")
		assert.Equal(t, want.Events, s.Events, "also when they are older than the window")
		assert.Equal(t, want.Budget, s.Budget)
		if minutes <= 60 {
			b, _ := e.Status("b")
			assert.Equal(t, StateOK, b.State, "%s", b.Message)
			assert.Equal(t, Events{Total: 100, Bad: 1}, b.Events)
		}
		c := e.config // the same after a restart
		closeIt(t, e)
		e = openAt(t, c, db, noon.Add(time.Duration(minutes)*time.Minute))
		again, _ := e.Status("a")
		s.Alert.Summary = "" // an alert that never fired has no stored summary
		assert.Equal(t, s, again)
	}
	back := noon.Add(31 * 24 * time.Hour)
	db.events("a", back.Add(time.Second), 1000, 4)
	s := at(31*24*60 + 1)
	assert.Equal(t, StateNoData, s.State)
	assert.Equal(t, "No events in the last 30d: it is measured, and all events are older.", s.Message, "it is measured, and nothing happened")
	assert.Equal(t, back.Add(time.Minute), *s.LastMeasuredAt)
}

// A query without a value measures nothing; the value 0 is a measurement.
func TestQueriesWithoutValue(t *testing.T) {
	db := newFakeTSDB()
	total := model.Vector{{Value: 10}}
	db.exprs["sum(increase(b[1m]))"] = func(time.Time) model.Value { return model.Vector{} }
	db.exprs["sum(increase(p[1m]))"] = func(time.Time) model.Value { return total }
	c := parse(t, `objectives: [{name: p, target: 99, promql: {bad: 'sum(increase(b[{{.window}}]))', total: 'sum(increase(p[{{.window}}]))', resolution: 1m}}]`)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	now := noon
	for _, step := range []struct {
		gives model.Vector
		want  State
	}{{total, StateOK}, {model.Vector{}, StateNoData}, {total, StateOK}, {model.Vector{{Value: 0}}, StateOK}, {nil, StateNoData}} {
		total = step.gives
		now = now.Add(10 * time.Minute)
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(now.Add(c.Lateness), true, true)))
		s, _ := e.Status("p")
		assert.Equal(t, step.want, s.State)
		if step.want == StateNoData {
			assert.Contains(t, s.Message, "the query promql::total gives no value")
		}
	}
}

// An alert that fires when measuring stops stays firing, says so, and resolves when a measurement shows recovery or when its long
// windows no longer contain the failure.
func TestAlertWhileNothingIsMeasured(t *testing.T) {
	const bad = 30 // minutes of errors, then no samples
	for _, recovers := range []int{0, bad + 10, bad + 40} {
		db := newFakeTSDB()
		burn(db, "a", bad, 100, func(int) float64 { return 50 })
		e := openAt(t, parse(t, twoObjectives), db, noon)
		status := func(minutes int) Status {
			t.Helper()
			require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Duration(minutes)*time.Minute+e.config.Lateness), true, true)))
			s, _ := e.Status("a")
			return s
		}
		require.Equal(t, alert.Firing, status(bad).Alert.State)
		for m := bad + 1; m < bad+60; m++ {
			if recovers > 0 && m >= recovers {
				db.events("a", noon.Add(time.Duration(m)*time.Minute-30*time.Second), bad*100+float64(m*100), bad*50)
			}
			s := status(m)
			if recovers == 0 || m < recovers {
				require.Equal(t, alert.Firing, s.Alert.State, m)
				if m > bad+10 {
					assert.Equal(t, StateNoData, s.State)
					assert.Contains(t, s.Alert.Summary, "Nothing has been measured since 2026-03-01T12:30:00Z: whether it has recovered is unknown.")
				}
			}
		}
		s := status(bad + 60)
		assert.Equal(t, recovers == 0 || recovers > bad+30, s.Alert.Severity == slo.Page, "of the last half hour nothing was bad")
		s = status(bad + 5*24*60)
		assert.Equal(t, alert.Inactive, s.Alert.State, "three days later")
		closeIt(t, e)
	}
}
