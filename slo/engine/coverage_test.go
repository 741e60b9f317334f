package engine

import (
	"errors"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine/internal/lost"
)

// steadily makes events of the objective a, a sample every ten seconds from one minute to another, 100 a minute of which some are bad.
type steadily struct {
	db         *fakeTSDB
	total, bad float64
}

func (s *steadily) pass(from, to int, badOf100 float64) {
	for at := 6*from + 1; at <= 6*to; at++ {
		s.total += 100.0 / 6
		s.bad += badOf100 / 6
		s.db.events("a", noon.Add(time.Duration(at)*10*time.Second), s.total, s.bad)
	}
}

func evaluateAt(t *testing.T, e *Extension, minutes int) Status {
	t.Helper()
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Duration(minutes)*time.Minute+e.config.Lateness), true, true)))
	s, ok := e.Status("a")
	require.True(t, ok)
	return s
}

func minutesOf(s Status, window string) int64 {
	for _, b := range s.BurnRates {
		if b.Window == window {
			return b.CoveredSeconds / 60
		}
	}
	return -1
}

// The time that the gateway was down is not covered, to the minute, in any window: a gap in the answer, a doubt in budget and burn rates.
func TestGatewayDownIsNotCovered(t *testing.T) {
	db := newFakeTSDB()
	c := parse(t, twoObjectives)
	e := openAt(t, c, db, noon)
	w := &steadily{db: db}
	db.events("a", noon.Add(time.Second), 0, 0)
	w.pass(0, 60, 1)
	s := evaluateAt(t, e, 60)
	assert.Empty(t, s.Coverage.Gaps)
	assert.Equal(t, s.Budget.RemainingRatio, s.Budget.RemainingRatioLow)
	closeIt(t, e)

	e = openAt(t, c, db, noon.Add(80*time.Minute+20*time.Second))
	w.pass(81, 120, 1)
	s = evaluateAt(t, e, 120)
	want := Gap{From: noon.Add(60 * time.Minute), To: noon.Add(80 * time.Minute), Reason: "gateway_down"}
	assert.Equal(t, []Gap{want}, s.Coverage.Gaps)
	assert.Equal(t, 1, s.Coverage.GapsTotal)
	assert.Equal(t, int64(100*60), s.Coverage.CoveredSeconds)
	assert.Equal(t, int64(120*60), s.Coverage.SeenSeconds)
	assert.True(t, s.Coverage.Young)
	for window, minutes := range map[string]int64{"5m": 5, "30m": 30, "1h": 40, "6h": 100, "30d": 100} {
		assert.Equal(t, minutes, minutesOf(s, window), window)
	}
	assert.Less(t, s.Budget.RemainingRatioLow, s.Budget.RemainingRatio)
	for _, b := range s.BurnRates {
		require.NotNil(t, b.BurnRateHigh)
		switch b.Window {
		case "5m", "30m":
			assert.Equal(t, *b.BurnRate, *b.BurnRateHigh, b.Window)
		case "1h": // of 40 min at 100 a minute, and 20 min of as many that are all bad
			missed := float64(b.Total) / 2
			assert.InDelta(t, (float64(b.Bad)+missed)/(float64(b.Total)+missed)/0.01, *b.BurnRateHigh, 1e-9)
		}
	}
	b, _ := e.Status("b")
	assert.Equal(t, []Gap{want}, b.Coverage.Gaps, "nor was an objective measured that had no events")

	closeIt(t, e) // and it is so after a restart
	e = openAt(t, c, db, noon.Add(120*time.Minute))
	defer closeIt(t, e)
	again, _ := e.Status("a")
	assert.Equal(t, s.Coverage, again.Coverage)
}

// Two minutes of a restart are a gap, too; a restart within a minute is none.
func TestShortRestarts(t *testing.T) {
	for name, c := range map[string]struct {
		until, again time.Duration
		gap          time.Duration
	}{
		"within a minute": {60 * time.Minute, 60*time.Minute + 50*time.Second, 0},
		"two minutes":     {60 * time.Minute, 62*time.Minute + 10*time.Second, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			db := newFakeTSDB()
			config := parse(t, twoObjectives)
			e := openAt(t, config, db, noon)
			w := &steadily{db: db}
			db.events("a", noon.Add(time.Second), 0, 0)
			w.pass(0, 60, 1)
			evaluateAt(t, e, 60)
			closeIt(t, e)
			e = openAt(t, config, db, noon.Add(c.again))
			defer closeIt(t, e)
			db.events("a", noon.Add(c.again+time.Second), w.total, w.bad)
			w.pass(63, 70, 1)
			s := evaluateAt(t, e, 70)
			assert.Equal(t, int64((70*time.Minute-c.gap)/time.Second), s.Coverage.CoveredSeconds)
		})
	}
}

// A service that is quiet for hours is measured all the time, although its series end.
func TestQuietServiceIsCovered(t *testing.T) {
	db := newFakeTSDB()
	e := openAt(t, parse(t, twoObjectives), db, noon)
	defer closeIt(t, e)
	w := &steadily{db: db}
	db.events("a", noon.Add(time.Second), 0, 0)
	w.pass(0, 30, 1)
	for m := 10; m <= 600; m += 10 {
		evaluateAt(t, e, m)
	}
	w.pass(600, 620, 1)
	s := evaluateAt(t, e, 620)
	assert.Empty(t, s.Coverage.Gaps)
	assert.Equal(t, int64(620*60), s.Coverage.CoveredSeconds)
}

// While the database is away its minutes are not covered. When it is back within the hour, what the connector counted meanwhile comes, and
// they are.
func TestDatabaseAway(t *testing.T) {
	for away, reason := range map[int]string{20: "counted_late", 90: "database_away"} {
		db := newFakeTSDB()
		e := openAt(t, parse(t, twoObjectives), db, noon)
		w := &steadily{db: db}
		db.events("a", noon.Add(time.Second), 0, 0)
		w.pass(0, 60, 0)
		evaluateAt(t, e, 60)
		db.fail(errors.New("connection refused"))
		for m := 61; m < 60+away; m++ {
			assert.Equal(t, StateError, evaluateAt(t, e, m).State)
		}
		db.fail(nil)
		w.total += 100 * float64(away)
		w.pass(60+away, 180, 0)
		s := evaluateAt(t, e, 180)
		require.Len(t, s.Coverage.Gaps, 1, away)
		assert.Equal(t, reason, s.Coverage.Gaps[0].Reason)
		assert.Equal(t, noon.Add(time.Hour), s.Coverage.Gaps[0].From)
		assert.InDelta(t, 60, s.Coverage.Gaps[0].To.Sub(noon).Minutes()-float64(away), 1)
		assert.Equal(t, reason == "counted_late", s.Coverage.CoveredSeconds == 180*60)
		assert.InDelta(t, 18_000, s.Events.Total, 2)
		closeIt(t, e)
	}
}

// Counts that were sent and do not arrive leave their minutes uncovered.
func TestCountsThatDoNotArrive(t *testing.T) {
	db := newFakeTSDB()
	e := openAt(t, parse(t, twoObjectives), db, noon)
	defer closeIt(t, e)
	w := &steadily{db: db}
	db.events("a", noon.Add(time.Second), 0, 0)
	w.pass(0, 30, 0)
	for m := range 60 {
		e.CountsSent(noon.Add(time.Duration(m)*time.Minute + 30*time.Second))
		evaluateAt(t, e, m+1)
	}
	s, _ := e.Status("a")
	require.Len(t, s.Coverage.Gaps, 1)
	assert.Equal(t, "database_away", s.Coverage.Gaps[0].Reason)
	assert.Equal(t, int64(30*60), s.Coverage.CoveredSeconds)
	w.pass(60, 62, 0)
	for m := 60; m < 62; m++ {
		e.CountsSent(noon.Add(time.Duration(m)*time.Minute + 30*time.Second))
		s = evaluateAt(t, e, m+1)
	}
	assert.Equal(t, "counted_late", s.Coverage.Gaps[0].Reason)
	assert.Equal(t, int64(62*60), s.Coverage.CoveredSeconds)
}

// A PromQL objective's minutes without a value are not covered.
func TestQueriesWithoutValueAreNotCovered(t *testing.T) {
	db := newFakeTSDB()
	db.exprs["sum(increase(b[1m]))"] = func(time.Time) model.Value { return model.Vector{{Value: 1}} }
	db.exprs["sum(increase(p[1m]))"] = func(at time.Time) model.Value {
		if m := at.Sub(noon) / time.Minute; m > 20 && m <= 27 {
			return model.Vector{}
		}
		return model.Vector{{Value: 10}}
	}
	c := parse(t, `objectives: [{name: a, target: 99, promql: {bad: 'sum(increase(b[{{.window}}]))', total: 'sum(increase(p[{{.window}}]))', resolution: 1m}}]`)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	evaluateAt(t, e, 19)
	s := evaluateAt(t, e, 40)
	assert.Equal(t, []Gap{{From: noon.Add(20 * time.Minute), To: noon.Add(27 * time.Minute), Reason: "no_value"}}, s.Coverage.Gaps)
	assert.Equal(t, int64(33*60), s.Coverage.CoveredSeconds)
}

// Minutes over which the clock jumped were not lived through.
func TestClockJumpIsNotCovered(t *testing.T) {
	db := newFakeTSDB()
	e := openAt(t, parse(t, twoObjectives), db, noon)
	defer closeIt(t, e)
	w := &steadily{db: db}
	db.events("a", noon.Add(time.Second), 0, 0)
	w.pass(0, 30, 0)
	evaluateAt(t, e, 30)
	w.pass(150, 160, 0)
	look := believed(noon.Add(160*time.Minute+e.config.Lateness), true, true)
	look.Jumped = 2 * time.Hour
	require.NoError(t, e.evaluator.evaluate(t.Context(), look))
	s, _ := e.Status("a")
	require.Len(t, s.Coverage.Gaps, 1)
	assert.Equal(t, "clock_jump", s.Coverage.Gaps[0].Reason)
	assert.Equal(t, int64(40*60), s.Coverage.CoveredSeconds)
}

// 85 s after the first span, failures are next to nothing of 30 days: the level is normal, the text says how little was seen, and nothing
// pages. An outage that goes on pages once a tenth of the hour is covered.
func TestYoungObjective(t *testing.T) {
	db := newFakeTSDB()
	e := openAt(t, parse(t, twoObjectives), db, noon)
	defer closeIt(t, e)
	w := &steadily{db: db}
	db.events("a", noon.Add(time.Second), 0, 0)
	w.pass(0, 10, 99)
	s := evaluateAt(t, e, 2)
	assert.True(t, s.Budget.Young)
	assert.Equal(t, slo.Normal, s.Budget.Policy)
	assert.InDelta(t, 200*30*24*60/2, s.Budget.ExpectedEvents, 1e5)
	assert.Equal(t, alert.Pending, s.Alert.State)
	assert.Contains(t, s.Alert.Summary, "99.5 % left (2m of 30d seen), exhausted in")
	assert.True(t, s.Tiers[0].AwaitsCoverage)
	assert.False(t, s.Tiers[0].Active)
	for m := 3; m <= 5; m++ {
		assert.Equal(t, alert.Pending, evaluateAt(t, e, m).Alert.State)
	}
	s = evaluateAt(t, e, 6)
	assert.Equal(t, alert.Firing, s.Alert.State)
	assert.Equal(t, slo.Page, s.Alert.Severity)
	require.NotNil(t, s.Budget.ExhaustedAt)
	assert.Equal(t, s.Tiers[0].ExhaustedAt, s.Budget.ExhaustedAt)
	assert.True(t, s.Budget.ExhaustedAt.After(noon))
}

// An alert that fires goes on across a restart, although little of its windows is covered then.
func TestFiringAlertOutlivesAGap(t *testing.T) {
	db := newFakeTSDB()
	c := parse(t, `objectives: [{name: a, target: 99, availability: {}, tiers: [{severity: page, long_window: 1h, short_window: 5m, budget: 2}]}]`)
	e := openAt(t, c, db, noon)
	w := &steadily{db: db}
	db.events("a", noon.Add(time.Second), 0, 0)
	w.pass(0, 60, 90)
	require.Equal(t, alert.Firing, evaluateAt(t, e, 60).Alert.State)
	closeIt(t, e)
	e = openAt(t, c, db, noon.Add(117*time.Minute))
	defer closeIt(t, e)
	w.pass(117, 127, 90)
	for m := 118; m <= 127; m++ {
		s := evaluateAt(t, e, m)
		assert.Equal(t, alert.Firing, s.Alert.State, "minute %d: %s", m, s.Alert.Summary)
		assert.Equal(t, m < 123, s.Tiers[0].AwaitsCoverage, m)
	}
	alerts, err := e.Alerts()
	require.NoError(t, err)
	require.Len(t, alerts.Alerts, 1, "it is one incident")
}

// The windows of burn rates are the default ones, the tiers' and the objective's, each once, from the shortest; the history has the same.
func TestAllWindowsInOneList(t *testing.T) {
	db := newFakeTSDB()
	burn(db, "a", 10, 100, func(int) float64 { return 0 })
	c := parse(t, `objectives: [{name: a, target: 99, window: 7d, availability: {}, tiers: [
		{severity: page, long_window: 10m, short_window: 2m, budget: 2}, {severity: ticket, long_window: 1d, short_window: 2h, budget: 10}]}]`)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	var windows []string
	for _, b := range evaluateAt(t, e, 8).BurnRates {
		windows = append(windows, b.Window)
	}
	assert.Equal(t, []string{"2m", "5m", "10m", "30m", "1h", "2h", "6h", "1d", "3d", "7d"}, windows)
	h, err := e.History("a", noon, noon.Add(10*time.Minute), time.Minute)
	require.NoError(t, err)
	for _, p := range h.Points {
		assert.Len(t, p.BurnRates, len(windows))
		for _, w := range windows {
			assert.Contains(t, p.BurnRates, w)
		}
	}
	s, _ := e.Status("a")
	assert.Equal(t, s.Budget.RemainingRatio, *h.Points[len(h.Points)-1].BudgetRemainingRatio, "the chart ends where the bar is")
}

// Spans that senders dropped widen the upper ends of the objectives whose events they may be, and nothing else.
func TestLostSpansWidenTheUpperBound(t *testing.T) {
	db := newFakeTSDB()
	w := &steadily{db: db}
	db.events("a", noon.Add(time.Second), 0, 0)
	w.pass(0, 60, 1)
	lostIn := func(at time.Time) model.Vector {
		if at.Equal(noon.Add(10 * time.Minute)) {
			return model.Vector{{Metric: model.Metric{"job": "shop/checkout"}, Value: 500}, {Metric: model.Metric{"job": "other"}, Value: 5000}}
		}
		return model.Vector{}
	}
	db.exprs[lost.Query] = func(at time.Time) model.Value { return lostIn(at) }
	c := parse(t, twoObjectives)
	e := openAt(t, c, db, noon)
	defer func() { closeIt(t, e) }()
	evaluateAt(t, e, 9)
	evaluateAt(t, e, 10)
	s := evaluateAt(t, e, 60)
	check := func() {
		t.Helper()
		assert.InDelta(t, 100, s.Coverage.LostSpans, 0, "500 in five minutes, of which one counts")
		for _, b := range s.BurnRates {
			if b.Window == "1h" {
				assert.InDelta(t, (float64(b.Bad)+100)/(float64(b.Total)+100)/0.01, *b.BurnRateHigh, 1e-9)
			}
			if b.Window == "30m" {
				assert.Equal(t, *b.BurnRate, *b.BurnRateHigh, "they were lost earlier")
			}
		}
		assert.InDelta(t, 6000, s.Events.Total, 1)
		assert.Less(t, s.Budget.RemainingRatioLow, s.Budget.RemainingRatio)
		all, _ := e.Status("b")
		assert.InDelta(t, 1100, all.Coverage.LostSpans, 0, "an objective of all services may have lost any")
	}
	check()
	closeIt(t, e)
	e = openAt(t, c, db, noon.Add(61*time.Minute))
	s, _ = e.Status("a")
	check()
}
