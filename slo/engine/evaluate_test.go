package engine

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine/internal/book"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
	"github.com/slowburn/slowburn/slo/ledger"
)

const twoObjectives = `
objectives:
  - {name: a, target: 99, availability: {service: checkout}}
  - {name: b, target: 99.9, latency: {threshold: 300ms}, window: 7d}
receivers:
  - {name: all, webhook: {endpoint: "http://127.0.0.1:1/"}}
  - {name: pager, webhook: {endpoint: "http://127.0.0.1:1/"}, severities: [page]}
`

// world fills the database with some hours of two objectives, counted by processes that restart, and returns the true counts of
// each minute.
func world(seed uint64, hours int) (*fakeTSDB, map[string]map[ledger.Minute]slo.Events) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	db := newFakeTSDB()
	truth := map[string]map[ledger.Minute]slo.Events{"a": {}, "b": {}}
	for _, objective := range []string{"a", "b"} {
		for _, instance := range []string{"x", "y"} {
			var total, bad float64
			errorRate := 0.0
			for at := noon; at.Before(noon.Add(time.Duration(hours) * time.Hour)); at = at.Add(10 * time.Second) {
				if rnd.IntN(200) == 0 {
					errorRate = []float64{0, 0, 0.05, 0.4}[rnd.IntN(4)]
				}
				if rnd.IntN(300) == 0 { // a restart: a zero at the start, under the same labels
					total, bad = 0, 0
				} else if at.After(noon) {
					n := float64(rnd.IntN(30))
					b := math.Floor(n * errorRate)
					total += n
					bad += b
					m := ledger.MinuteOf(at)
					truth[objective][m] = truth[objective][m].Add(slo.Events{Total: uint64(n), Bad: uint64(b)})
				}
				db.sample(samples.TotalMetric, objective, instance, at, total)
				db.sample(samples.BadMetric, objective, instance, at, bad)
			}
		}
		maps.DeleteFunc(truth[objective], func(_ ledger.Minute, e slo.Events) bool { return e.Total == 0 })
	}
	return db, truth
}

// Restarts, outages of the database and missed minutes change nothing: the ledger has each event in its minute, and each receiver
// gets the same notifications under the same keys.
func TestInterruptionsChangeNothing(t *testing.T) {
	const hours = 8
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			db, truth := world(seed, hours)
			end := noon.Add(hours * time.Hour)
			c := parse(t, twoObjectives)
			calm := openAt(t, c, db, noon)
			for at := noon; at.Before(end); at = at.Add(time.Minute) {
				require.NoError(t, calm.evaluator.evaluate(t.Context(), believed(at.Add(c.Lateness), true, true)))
			}
			require.NoError(t, calm.evaluator.evaluate(t.Context(), believed(end.Add(c.Lateness), true, true)))
			require.NotEmpty(t, told(t, calm), "the world should burn")

			rnd := rand.New(rand.NewPCG(seed, 2))
			c2 := parse(t, twoObjectives)
			stormy := openAt(t, c2, db, noon)
			for at := noon; at.Before(end); at = at.Add(time.Duration(rnd.IntN(90*60)) * time.Second) {
				db.present = at.Add(time.Minute)
				if rnd.IntN(4) == 0 {
					db.fail(errors.New("out of order"))
				}
				require.NoError(t, stormy.evaluator.evaluate(t.Context(), believed(at, true, true)))
				db.fail(nil)
				if rnd.IntN(2) == 0 {
					closeIt(t, stormy)
					stormy = openAt(t, c2, db, at)
				}
			}
			db.present = time.Time{}
			require.NoError(t, stormy.evaluator.evaluate(t.Context(), believed(end.Add(c.Lateness), true, true)))

			for _, e := range []*Extension{calm, stormy} {
				for name, want := range truth {
					assert.Equal(t, want, minuteCounts(t, e, name, noon, end), name)
				}
			}
			for name := range truth { // each objective's are in order; catching up takes the objectives one after another
				assert.Equal(t, toldOf(t, calm, name), toldOf(t, stormy, name))
			}
			assert.Equal(t, calm.Statuses(), stormy.Statuses())
			closeIt(t, calm)
			closeIt(t, stormy)
		})
	}
}

// A sample that arrives after its minute was evaluated counts in that minute.
func TestLateSample(t *testing.T) {
	db := newFakeTSDB()
	e := openAt(t, parse(t, twoObjectives), db, noon)
	defer closeIt(t, e)
	db.events("a", noon, 0, 0)
	db.events("a", noon.Add(50*time.Second), 10, 1)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(75*time.Second), true, true)))
	db.events("a", noon.Add(60*time.Second), 15, 2)
	db.events("a", noon.Add(70*time.Second), 18, 2)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(135*time.Second), true, true)))
	m := ledger.Elapsed(noon)
	assert.Equal(t, map[ledger.Minute]slo.Events{m: {Total: 15, Bad: 2}, m + 1: {Total: 3}},
		minuteCounts(t, e, "a", noon, noon.Add(time.Hour)))
}

// A series that was born while its samples could not be written (a full disk) arrives as the zero of its birth and a much later
// value. All its events count in the minute in which they arrive.
func TestBornInAnOutage(t *testing.T) {
	db := newFakeTSDB()
	e := openAt(t, parse(t, twoObjectives), db, noon)
	defer closeIt(t, e)
	db.events("a", noon, 0, 0)
	db.events("a", noon.Add(50*time.Second), 10, 0)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(75*time.Second), true, true)))
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(29*time.Minute), true, true)))
	db.sample(samples.BadMetric, "a", "by another reason", noon.Add(2*time.Minute), 0)
	db.sample(samples.BadMetric, "a", "by another reason", noon.Add(29*time.Minute+10*time.Second), 7)
	db.sample(samples.BadMetric, "a", "that did not begin at zero", noon.Add(2*time.Minute), 1000)
	db.sample(samples.BadMetric, "a", "that did not begin at zero", noon.Add(29*time.Minute+10*time.Second), 2000)
	db.events("a", noon.Add(29*time.Minute+10*time.Second), 30, 0)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(31*time.Minute), true, true)))
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(32*time.Minute), true, true)))
	m := ledger.Elapsed(noon)
	assert.Equal(t, map[ledger.Minute]slo.Events{m: {Total: 10}, m + 29: {Total: 20, Bad: 7}},
		minuteCounts(t, e, "a", noon, noon.Add(time.Hour)))
}

// The same holds for the first series of all, even across a restart. A ledger that is younger than a series has none of the
// series' earlier events.
func TestFirstSeriesBornInAnOutage(t *testing.T) {
	for name, tc := range map[string]struct {
		born    time.Duration
		restart bool
		want    uint64
	}{
		"in the first minute":     {30 * time.Second, false, 40},
		"and a restart after it":  {30 * time.Second, true, 40},
		"before there was anyone": {-20 * time.Minute, false, 10},
	} {
		t.Run(name, func(t *testing.T) {
			db := newFakeTSDB()
			c := parse(t, twoObjectives)
			e := openAt(t, c, db, noon)
			for m := range 20 {
				require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Duration(m)*time.Minute), true, true)))
			}
			if tc.restart {
				closeIt(t, e)
				e = openAt(t, c, db, noon.Add(20*time.Minute))
			}
			defer closeIt(t, e)
			db.events("a", noon.Add(tc.born), 0, 0)
			db.events("a", noon.Add(20*time.Minute+10*time.Second), 30, 0)
			db.events("a", noon.Add(20*time.Minute+50*time.Second), 40, 0)
			require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(22*time.Minute), true, true)))
			s, _ := e.Status("a")
			assert.Equal(t, tc.want, s.Events.Total)
		})
	}
}

func TestLatenessHoldsEvaluationBack(t *testing.T) {
	db := newFakeTSDB()
	e := openAt(t, parse(t, twoObjectives), db, noon)
	defer closeIt(t, e)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(74*time.Second), true, true)))
	assert.Nil(t, e.Statuses().EvaluatedUntil)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(75*time.Second), true, true)))
	assert.Equal(t, noon.Add(time.Minute), *e.Statuses().EvaluatedUntil)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(-3*time.Minute), true, true)), "a clock that was set back a little")
	assert.Equal(t, noon.Add(time.Minute), *e.Statuses().EvaluatedUntil)
}

func TestLongGapIsBounded(t *testing.T) {
	db := newFakeTSDB()
	c := parse(t, `objectives: [{name: a, target: 99, window: 1d, availability: {}}]`)
	e := openAt(t, c, db, noon)
	db.events("a", noon, 0, 0)
	db.events("a", noon.Add(10*time.Second), 10, 1)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(75*time.Second), true, true)))
	closeIt(t, e)

	later := noon.Add(200 * 24 * time.Hour)
	e = openAt(t, c, db, later)
	defer closeIt(t, e)
	db.queries = nil
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(later, true, true)))
	assert.Less(t, len(db.queries), 12, "twice the longest window, or three days, in which there is nothing")
	assert.Equal(t, later.Add(-time.Minute), *e.Statuses().EvaluatedUntil)
}

// After a query for an hour fails, the next one asks for less.
func TestBatchShrinks(t *testing.T) {
	db := newFakeTSDB()
	burn(db, "a", 120, 10, func(int) float64 { return 0 })
	db.limit = 20 * time.Minute
	c := parse(t, twoObjectives)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	evaluations := 0
	for ; evaluations < 20; evaluations++ {
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(2*time.Hour+c.Lateness), true, true)))
		if s, _ := e.Status("a"); s.State == StateOK && s.Events.Total == 1200 {
			break
		}
	}
	assert.Less(t, evaluations, 20)
}

func TestPromQL(t *testing.T) {
	c := parse(t, `objectives: [{name: p, target: 99, promql: {bad: 'bad[{{.window}}]', total: 'total[{{.window}}]', resolution: 1m}}]`)
	c.Objectives[0].PromQL.Bad, c.Objectives[0].PromQL.Total = "sum(increase(bad[{{.window}}]))", "sum(increase(total[{{.window}}]))"
	db := newFakeTSDB()
	vector := func(values ...float64) model.Vector {
		var v model.Vector
		for i, x := range values {
			v = append(v, &model.Sample{Metric: model.Metric{"i": model.LabelValue(fmt.Sprint(i))}, Value: model.SampleValue(x)})
		}
		return v
	}
	totals := map[int]model.Value{1: vector(10.4), 2: vector(), 3: vector(math.NaN()), 4: vector(-3), 5: vector(10.4, 5), 6: vector(math.Inf(1)), 7: vector(7)}
	db.exprs["sum(increase(total[1m]))"] = func(at time.Time) model.Value { return totals[int(at.Sub(noon)/time.Minute)] }
	db.exprs["sum(increase(bad[1m]))"] = func(at time.Time) model.Value { return &model.Scalar{Value: 1} }
	m := ledger.Elapsed(noon)
	want := map[ledger.Minute]slo.Events{
		m: {Total: 10, Bad: 1}, m + 4: {Total: 16, Bad: 1}, m + 6: {Total: 7, Bad: 1}, // 10.4 and 15.4 leave 0.8 over: 26 in all
	}

	e := openAt(t, c, db, noon)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(7*time.Minute+c.Lateness), true, true)))
	assert.Equal(t, want, minuteCounts(t, e, "p", noon, noon.Add(time.Hour)), "caught up by a range query")
	closeIt(t, e)

	c.Directory = t.TempDir()
	e = openAt(t, c, db, noon)
	defer closeIt(t, e)
	for i := range 7 {
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Duration(i+1)*time.Minute+c.Lateness), true, true)))
	}
	assert.Equal(t, want, minuteCounts(t, e, "p", noon, noon.Add(time.Hour)), "minute by minute")
}

// A query that fails stops only its objectives, which keep their watermark and alert and catch up later.
func TestQueryErrors(t *testing.T) {
	c := parse(t, `
objectives:
  - {name: spans, target: 99, availability: {}}
  - {name: good, target: 99, promql: {bad: "b[{{.window}}] offset 0s", total: "t[{{.window}}]", resolution: 1m}}
  - {name: bad, target: 99, promql: {bad: "b[{{.window}}]", total: "broken[{{.window}}]", resolution: 1m}}`)
	for i, q := range []string{"", "good", "broken"} {
		if i > 0 {
			c.Objectives[i].PromQL.Total, c.Objectives[i].PromQL.Bad = "sum(increase("+q+"[{{.window}}]))", "sum(increase(b[{{.window}}]))"
		}
	}
	db := newFakeTSDB()
	one := func(time.Time) model.Value { return &model.Scalar{Value: 1} }
	db.exprs["sum(increase(good[1m]))"], db.exprs["sum(increase(b[1m]))"] = one, one
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(2*time.Minute+c.Lateness), true, true)))

	status := func(name string) Status {
		s, ok := e.Status(name)
		require.True(t, ok)
		return s
	}
	assert.Equal(t, StateNoData, status("spans").State)
	assert.Equal(t, StateOK, status("good").State)
	assert.Equal(t, StateError, status("bad").State)
	assert.Contains(t, status("bad").Message, "promql::total: unknown expression")
	assert.Nil(t, status("bad").EvaluatedUntil)
	h := e.Probe(t.Context())
	assert.False(t, h.OK)
	assert.False(t, h.Blocking)
	assert.Contains(t, h.Message, "1 of 3 objectives cannot be evaluated")

	db.fail(errors.New("connection refused"))
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(5*time.Minute+c.Lateness), true, true)))
	assert.Equal(t, StateError, status("spans").State)
	assert.Equal(t, noon.Add(2*time.Minute), *status("good").EvaluatedUntil)

	db.fail(nil)
	db.exprs["sum(increase(broken[1m]))"] = one
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(5*time.Minute+c.Lateness), true, true)))
	for _, name := range []string{"good", "bad"} {
		assert.Equal(t, StateOK, status(name).State)
		assert.Equal(t, Events{Total: 5, Bad: 5}, status(name).Events)
	}
	assert.True(t, e.Probe(t.Context()).OK)
	assert.Equal(t, e.advice, e.Probe(t.Context()).Advice)
}

// burn makes an objective's events: a fixed number per minute, with an error rate that depends on the minute.
func burn(db *fakeTSDB, objective string, minutes int, perMinute float64, errorRate func(minute int) float64) {
	var total, bad float64
	db.events(objective, noon, 0, 0)
	for m := range minutes {
		total += perMinute
		bad += perMinute * errorRate(m)
		db.events(objective, noon.Add(time.Duration(m+1)*time.Minute), total, bad)
	}
}

// Half of all requests fail for ten minutes: a ticket, then a page, then a ticket again, all in one alert.
func TestOutage(t *testing.T) {
	db := newFakeTSDB()
	burn(db, "a", 120, 1000, func(m int) float64 {
		if m >= 60 && m < 70 {
			return 0.5
		}
		return 0
	})
	c := parse(t, twoObjectives)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	var states []string
	for m := range 120 {
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Duration(m+1)*time.Minute+c.Lateness), true, true)))
		s, _ := e.Status("a")
		now := string(s.Alert.State) + " " + string(s.Alert.Severity)
		if len(states) == 0 || !strings.HasPrefix(states[len(states)-1], now+" at") {
			states = append(states, fmt.Sprintf("%s at %d", now, m))
		}
	}
	// Of more than 61,000 events 6 % are bad after nine minutes (6h and 30m), and less than 6 % again at 84,000 events. The rate of
	// an hour never reaches 14.4 %. The tickets' 1 % (3d and 6h) is reached after two minutes, when 62 min of 3d are covered: that is
	// too little for a ticket to begin, but keeps it from ending.
	assert.Equal(t, []string{"inactive  at 0", "pending page at 61", "firing page at 68", "firing ticket at 83"}, states)
	var kinds []string
	for _, d := range told(t, e) {
		kinds = append(kinds, strings.Join(strings.Fields(d)[:3], " "))
	}
	assert.Equal(t, []string{"all a firing", "pager a firing", "pager a resolved"}, kinds)
	s, _ := e.Status("a")
	assert.Equal(t, Events{Total: 120_000, Bad: 5000}, s.Events)
	assert.InDelta(t, 5000.0/120_000, *s.ErrorRatio, 1e-12)
	assert.InDelta(t, 1-5000/(0.01*120_000*30*24/2), s.Budget.RemainingRatio, 1e-9, "of 30 days as the first two hours")
	alerts, err := e.Alerts()
	require.NoError(t, err)
	require.NotEmpty(t, alerts.Alerts)
	assert.Equal(t, alert.Firing, alerts.Alerts[0].State)
}

// A failed transaction leaves memory unchanged: the next evaluation repeats it, with the same result.
func TestFailedTransactionChangesNothing(t *testing.T) {
	db, truth := world(9, 3)
	end := noon.Add(3 * time.Hour)
	c := parse(t, twoObjectives)
	e := openAt(t, c, db, noon)
	defer func() { closeIt(t, e) }()
	for at := noon; at.Before(end); at = at.Add(7 * time.Minute) {
		require.NoError(t, e.db.Close())
		require.ErrorContains(t, e.evaluator.evaluate(t.Context(), believed(at.Add(c.Lateness), true, true)), "the file is closed")
		before := e.Statuses()
		file, err := book.Open(c.Directory+"/slo.db", nil)
		require.NoError(t, err)
		e.db, e.evaluator.db = file, file
		assert.Equal(t, before, e.Statuses())
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(at.Add(c.Lateness), true, true)))
	}
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(end.Add(c.Lateness), true, true)))
	for name, want := range truth {
		assert.Equal(t, want, minuteCounts(t, e, name, noon, end), name)
	}
	c2 := parse(t, twoObjectives)
	calm := openAt(t, c2, db, noon)
	defer closeIt(t, calm)
	require.NoError(t, calm.evaluator.evaluate(t.Context(), believed(end.Add(c.Lateness), true, true)))
	for name := range truth {
		assert.Equal(t, toldOf(t, calm, name), toldOf(t, e, name))
	}
}

// An evaluation and its notices are one transaction, so no crash can come between them.
func TestNoticesAreInTheTransaction(t *testing.T) {
	db := newFakeTSDB()
	burn(db, "a", 10, 1000, func(m int) float64 { return min(float64(m), 1) })
	c := parse(t, twoObjectives)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	transactions := func() (n int) {
		require.NoError(t, e.view(func(tx *bbolt.Tx) error { n = tx.ID(); return nil }))
		return n
	}
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(5*time.Minute+c.Lateness), true, true)))
	require.Empty(t, told(t, e), "less than a tenth of an hour is covered")
	before := transactions()
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(6*time.Minute+c.Lateness), true, true)))
	require.Len(t, told(t, e), 2)
	assert.Equal(t, 1, transactions()-before)
}

// A transaction that fails halfway changes neither the ledger nor the outbox.
func TestTransactionIsAtomic(t *testing.T) {
	db := newFakeTSDB()
	burn(db, "a", 10, 1000, func(int) float64 { return 0.5 })
	c := parse(t, twoObjectives)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	require.NoError(t, e.db.Update(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("span_cursors")) }))
	require.ErrorIs(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(8*time.Minute+c.Lateness), true, true)), state.ErrDefect,
		"after the ledger and the outbox were written")
	assert.Empty(t, told(t, e))
	assert.Empty(t, minuteCounts(t, e, "a", noon, noon.Add(time.Hour)))
}
