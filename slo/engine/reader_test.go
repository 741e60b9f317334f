package engine

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/ledger"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the files in testdata that hold what is expected")

const readerConfig = `
external_url: https://slo.example.com/
objectives:
  - name: checkout-availability
    description: People can pay.
    labels: {team: shop}
    target: 99.9
    availability: {service: checkout, kind: server, operations: ["POST /checkout"], attributes: {"http.route": "/checkout"}}
  - {name: quiet, target: 99, window: 7d, latency: {threshold: 300ms}}
receivers: [{name: oncall, webhook: {endpoint: "http://127.0.0.1:1/"}}]`

// TestReaderAnswers compares the API's answers byte for byte with the files in testdata, which clients depend on.
func TestReaderAnswers(t *testing.T) {
	db := newFakeTSDB()
	burn(db, "checkout-availability", 30, 10_000, func(m int) float64 {
		if m >= 20 {
			return 0.1
		}
		return 0
	})
	c := parse(t, readerConfig)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	for m := range 30 {
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Duration(m+1)*time.Minute+c.Lateness), true, true)))
	}
	history, err := e.History("checkout-availability", noon, noon.Add(time.Hour), 10*time.Minute)
	require.NoError(t, err)
	alerts, err := e.Alerts()
	require.NoError(t, err)
	deliveries, err := e.Deliveries()
	require.NoError(t, err)
	for file, v := range map[string]any{
		"objectives": e.Statuses(), "history": history, "alerts": alerts, "deliveries": deliveries,
	} {
		got, err := json.MarshalIndent(v, "", "  ")
		require.NoError(t, err)
		path := "testdata/" + file + ".json"
		if *rewrite {
			require.NoError(t, os.WriteFile(path, append(got, '\n'), 0o600))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got)+"\n", file)
	}
}

func TestHistory(t *testing.T) {
	db := newFakeTSDB()
	burn(db, "checkout-availability", 30, 100, func(int) float64 { return 0 })
	c := parse(t, readerConfig)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(30*time.Minute+c.Lateness), true, true)))
	get := func(from, to time.Duration, step time.Duration) []Point {
		h, err := e.History("checkout-availability", noon.Add(from), noon.Add(to), step)
		require.NoError(t, err)
		assert.Equal(t, int64(step/time.Second), h.StepSeconds)
		return h.Points
	}
	assert.Len(t, get(-time.Hour, time.Hour, time.Minute), 30, "what was evaluated")
	points := get(0, 20*time.Minute, 5*time.Minute)
	require.Len(t, points, 4)
	for i, p := range points {
		assert.Equal(t, noon.Add(time.Duration(i+1)*5*time.Minute), p.Time)
		assert.Equal(t, uint64(500), p.Total, "a point has the events of its step")
	}
	assert.Equal(t, get(0, 20*time.Minute, 5*time.Minute), get(-time.Minute, 22*time.Minute, 5*time.Minute), "on multiples of the step")
	assert.Empty(t, get(2*time.Hour, 3*time.Hour, time.Minute))

	for _, bad := range []struct{ from, to, step time.Duration }{
		{0, time.Hour, 0}, {0, time.Hour, time.Second}, {0, time.Hour, 90 * time.Second}, {time.Hour, 0, time.Minute},
	} {
		_, err := e.History("quiet", noon.Add(bad.from), noon.Add(bad.to), bad.step)
		require.ErrorIs(t, err, ErrBadRange, bad)
	}
	_, err := e.History("nobody", noon, noon, time.Minute)
	require.ErrorIs(t, err, ErrUnknownObjective)
}

func TestHistoryHasAtMostSoManyPoints(t *testing.T) {
	c := parse(t, readerConfig)
	e := openAt(t, c, newFakeTSDB(), noon)
	defer closeIt(t, e)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(8*24*time.Hour), true, true)))
	_, err := e.History("quiet", noon, noon.Add(8*24*time.Hour), time.Minute)
	require.ErrorIs(t, err, ErrBadRange)
	require.ErrorContains(t, err, "choose a longer step")
	h, err := e.History("quiet", noon, noon.Add(8*24*time.Hour), time.Hour)
	require.NoError(t, err)
	require.Len(t, h.Points, 8*24-1, "the last hour is not evaluated to its end")
	assert.Nil(t, h.Points[0].ErrorRatio)
	assert.Nil(t, h.Points[0].BudgetRemainingRatio)
	assert.Nil(t, h.Points[0].BurnRates["5m"])
}

// If an objective is removed while its alert fires, each notified receiver gets the resolution.
func TestObjectiveRemoved(t *testing.T) {
	db := newFakeTSDB()
	burn(db, "a", 10, 100, func(int) float64 { return 1 })
	c := parse(t, twoObjectives)
	e := openAt(t, c, db, noon)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(10*time.Minute), true, true)))
	before := len(told(t, e))
	closeIt(t, e)

	removed := c.Objectives[0]
	c.Objectives = c.Objectives[1:]
	e = openAt(t, c, db, noon.Add(11*time.Minute))
	var kinds []string
	d, err := e.Deliveries()
	require.NoError(t, err)
	for _, v := range d.Deliveries[:len(d.Deliveries)-before] {
		kinds = append(kinds, v.Receiver+" "+string(v.Transition))
	}
	assert.Equal(t, []string{"pager resolved", "all resolved"}, kinds)
	alerts, err := e.Alerts()
	require.NoError(t, err)
	require.Len(t, alerts.Alerts, 1)
	assert.Equal(t, alert.Resolved, alerts.Alerts[0].State)
	assert.Contains(t, alerts.Alerts[0].Summary, "no longer configured")
	closeIt(t, e)

	// When it is added again its history is still stored, and the gap is zeros.
	c.Objectives = append(c.Objectives, removed)
	e = openAt(t, c, db, noon.Add(20*time.Minute))
	defer closeIt(t, e)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(30*time.Minute), true, true)))
	s, ok := e.Status("a")
	require.True(t, ok)
	assert.Equal(t, Events{Total: 1000, Bad: 1000}, s.Events)
}

// Edits of description, labels, target and receivers keep history and alert; so does another indicator, which is reported.
func TestObjectiveEdited(t *testing.T) {
	db := newFakeTSDB()
	burn(db, "a", 20, 100, func(int) float64 { return 0.5 })
	c := parse(t, twoObjectives)
	e := openAt(t, c, db, noon)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(10*time.Minute+c.Lateness), true, true)))
	fired := told(t, e)
	closeIt(t, e)

	c.Objectives[0].Description, c.Objectives[0].Labels, c.Objectives[0].Target = "new", map[string]string{"team": "x"}, 98
	e = openAt(t, c, db, noon.Add(11*time.Minute))
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(15*time.Minute+c.Lateness), true, true)))
	assert.Equal(t, fired, told(t, e), "nobody is told again")
	s, _ := e.Status("a")
	assert.Equal(t, Events{Total: 1500, Bad: 750}, s.Events)
	assert.Equal(t, StateOK, s.State)
	assert.Empty(t, s.Message)
	closeIt(t, e)

	c.Objectives[0].Availability.Service = "other"
	e = openAt(t, c, db, noon.Add(16*time.Minute))
	defer closeIt(t, e)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(20*time.Minute+c.Lateness), true, true)))
	s, _ = e.Status("a")
	assert.Equal(t, Events{Total: 2000, Bad: 1000}, s.Events)
	assert.Equal(t, "The indicator was changed: events before 2026-03-01T12:15:00Z counted something else.", s.Message)
}

// Before its first evaluation a restarted process shows the same as before.
func TestRestartShowsTheSame(t *testing.T) {
	db := newFakeTSDB()
	burn(db, "a", 10, 100, func(int) float64 { return 0.5 })
	c := parse(t, twoObjectives)
	e := openAt(t, c, db, noon)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(10*time.Minute+c.Lateness), true, true)))
	want := e.Statuses()
	closeIt(t, e)
	e = openAt(t, c, db, noon.Add(10*time.Minute))
	defer closeIt(t, e)
	got := e.Statuses()
	for i := range got.Objectives { // the text of an inactive alert is written by the first evaluation
		if got.Objectives[i].Alert.State == alert.Inactive {
			got.Objectives[i].Alert.Summary = want.Objectives[i].Alert.Summary
		}
	}
	assert.Equal(t, want, got)
}

// Minutes count from the first start on, even if no process evaluated one because it ended too soon or the database was down.
func TestRestartsBeforeAnythingIsEvaluated(t *testing.T) {
	c := parse(t, `
objectives:
  - {name: spans, target: 99, availability: {}}
  - {name: query, target: 99, promql: {bad: 'sum(increase(b[{{.window}}]))', total: 'sum(increase(p[{{.window}}]))', resolution: 1m}}`)
	db := newFakeTSDB()
	one := func(time.Time) model.Value { return &model.Scalar{Value: 1} }
	db.exprs["sum(increase(p[1m]))"], db.exprs["sum(increase(b[1m]))"] = one, one
	db.events("spans", noon.Add(10*time.Second), 0, 0)
	db.events("spans", noon.Add(20*time.Second), 10, 1)
	db.fail(errors.New("away"))
	const minutes = 10 // longer than the look-back for samples
	queries := map[ledger.Minute]slo.Events{}
	for m := range minutes {
		now := noon.Add(time.Duration(m) * time.Minute)
		e := openAt(t, c, db, now)
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(now, true, true)))
		closeIt(t, e)
		queries[ledger.Elapsed(now)] = slo.Events{Total: 1, Bad: 1}
	}
	db.fail(nil)
	end := noon.Add(minutes * time.Minute)
	e := openAt(t, c, db, end)
	defer closeIt(t, e)
	s, _ := e.Status("query")
	assert.Nil(t, s.EvaluatedUntil)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(end.Add(c.Lateness), true, true)))
	assert.Equal(t, map[ledger.Minute]slo.Events{ledger.Elapsed(noon): {Total: 10, Bad: 1}}, minuteCounts(t, e, "spans", noon, end))
	assert.Equal(t, queries, minuteCounts(t, e, "query", noon, end))
}

// Data older than twice the longest window are pruned.
func TestRetention(t *testing.T) {
	db := newFakeTSDB()
	c := parse(t, `objectives: [{name: a, target: 99, window: 1d, availability: {}}]`)
	db.events("a", noon, 0, 0)
	db.events("a", noon.Add(30*time.Second), 10, 1)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Hour), true, true)))
	assert.Equal(t, map[ledger.Minute]slo.Events{ledger.Elapsed(noon): {Total: 10, Bad: 1}}, minuteCounts(t, e, "a", noon, noon.Add(24*time.Hour)))
	require.NotEmpty(t, e.evaluator.spans.cursors)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(5*24*time.Hour), true, true)))
	assert.Len(t, minuteCounts(t, e, "a", noon, noon.Add(time.Hour)), 1)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(7*24*time.Hour+2*time.Hour), true, true)))
	assert.Empty(t, minuteCounts(t, e, "a", noon, noon.Add(time.Hour)))
}
