package engine

import (
	"errors"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/ledger"
)

// A gap of any length costs a few queries, and the minutes after it are evaluated in the same evaluation: an outage there
// pages.
func TestGapIsSkipped(t *testing.T) {
	const day = 24 * time.Hour
	for _, gap := range []time.Duration{5 * time.Hour, 3 * day, 50 * day, 400 * day} {
		for _, settled := range []bool{false, true} {
			db := newFakeTSDB()
			db.events("a", noon.Add(time.Second), 0, 0)
			db.events("a", noon.Add(30*time.Second), 1000, 0)
			e := openAt(t, parse(t, twoObjectives), db, noon)
			late := e.config.Lateness
			require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Minute+late), true, true)))
			then := noon.Add(gap)
			for m := range 5 {
				at := then.Add(time.Duration(m-5)*time.Minute + time.Second)
				db.events("a", at, 1000+float64(200*m), float64(100*m))
			}
			db.queries = nil
			require.NoError(t, e.evaluator.evaluate(t.Context(), believed(then.Add(late), true, settled)))
			s, _ := e.Status("a")
			assert.Equal(t, then, *s.EvaluatedUntil, "%s", gap)
			assert.Equal(t, alert.Firing, s.Alert.State, "%s", gap)
			assert.Less(t, len(db.queries), 40, "%s", gap)
			want := uint64(1800)
			if gap > 30*day {
				want = 800
			}
			assert.Equal(t, want, s.Events.Total, "%s", gap)
			assert.Equal(t, alert.Inactive, func() alert.State { s, _ := e.Status("b"); return s.Alert.State }())
			closeIt(t, e)
		}
	}
}

// An alert that fires when a gap begins resolves at the same minute as if each minute had been read.
func TestAlertsInAGap(t *testing.T) {
	end := noon.Add(30 * time.Hour)
	states := func(byMinute bool) (told []string, alerts Alerts) {
		db := newFakeTSDB()
		burn(db, "a", 60, 100, func(int) float64 { return 50 })
		e := openAt(t, parse(t, twoObjectives), db, noon)
		defer closeIt(t, e)
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Hour+e.config.Lateness), true, true)))
		s, _ := e.Status("a")
		require.Equal(t, alert.Firing, s.Alert.State)
		for at := noon.Add(time.Hour); byMinute && at.Before(end); at = at.Add(time.Minute) {
			require.NoError(t, e.evaluator.evaluate(t.Context(), believed(at.Add(e.config.Lateness), true, true)))
		}
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(end.Add(e.config.Lateness), true, true)))
		alerts, err := e.Alerts()
		require.NoError(t, err)
		return toldOf(t, e, "a"), alerts
	}
	slowly, one := states(true)
	quickly, other := states(false)
	assert.Equal(t, slowly, quickly)
	assert.Equal(t, one, other)
	assert.NotEmpty(t, one.Alerts)
}

// Samples within a gap are found, whether the gap is long or short, and however few they are.
func TestSamplesInAGapAreRead(t *testing.T) {
	for _, after := range []time.Duration{4 * time.Hour, 5*time.Hour + 17*time.Minute, 37 * time.Hour, 20*24*time.Hour + time.Minute} {
		for _, more := range []time.Duration{0, 10 * time.Minute, 7 * time.Hour, 9 * 24 * time.Hour} {
			db := newFakeTSDB()
			db.events("a", noon.Add(time.Second), 0, 0)
			e := openAt(t, parse(t, twoObjectives), db, noon)
			late := e.config.Lateness
			require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Minute+late), true, true)))
			db.events("a", noon.Add(after), 7, 1)
			require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(after+more+late), true, true)))
			require.Equal(t, ledger.Elapsed(noon.Add(after+more)), e.evaluator.spans.watermark)
			s, _ := e.Status("a")
			assert.Equal(t, Events{Total: 7, Bad: 1}, s.Events, "%s, %s", after, more)
			closeIt(t, e)
		}
	}
}

// PromQL objectives skip a gap too; if the query for a gap fails, each minute is read.
func TestGapOfPromQL(t *testing.T) {
	for _, refuses := range []bool{false, true} {
		db := newFakeTSDB()
		from := noon.Add(40 * 24 * time.Hour)
		give := func(value model.SampleValue) func(time.Time) model.Value {
			return func(at time.Time) model.Value {
				if at.Before(from) {
					return model.Vector{}
				}
				return model.Vector{{Value: value}}
			}
		}
		db.exprs["sum(increase(b[1m]))"] = give(1)
		db.exprs["sum(increase(p[1m]))"] = give(10)
		c := parse(t, `objectives: [{name: p, target: 99, promql: {bad: 'sum(increase(b[{{.window}}]))', total: 'sum(increase(p[{{.window}}]))', resolution: 1m}}]`)
		e := openAt(t, c, db, noon)
		if !refuses {
			db.any = give(1)
		}
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(from.Add(9*time.Minute+c.Lateness), true, true)))
		s, _ := e.Status("p")
		assert.Equal(t, Events{Total: 100, Bad: 10}, s.Events)
		assert.Equal(t, from.Add(9*time.Minute), *s.EvaluatedUntil)
		if refuses {
			assert.Greater(t, len(db.queries), 100)
		} else {
			assert.Less(t, len(db.queries), 40)
		}
		db.fail(errors.New("away"))
		closeIt(t, e)
	}
}
