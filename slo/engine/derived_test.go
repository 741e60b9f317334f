package engine

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine/internal/derive"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
	"github.com/slowburn/slowburn/slo/ledger"
)

const derivedObjectives = `
objectives:
  - {name: both, target: 99, composite: [{objective: time, weight: 3}, {objective: ratio}]}
  - {name: time, target: 99, composite: [{objective: slices, weight: 2}, {objective: rate}]}
  - {name: weighed, target: 99, composite: [{objective: events, weight: 5}, {objective: rated}]}
  - {name: events, target: 99, availability: {service: checkout}}
  - {name: rated, target: 99, availability: {service: checkout}}
  - {name: slices, target: 99, availability: {service: checkout}, slices: {length: 5m, target: 90}}
  - {name: skipping, target: 99, availability: {service: checkout}, slices: {length: 2m, target: 100, without_events: skip}}
  - {name: rate, target: 99, throughput: {service: checkout, minimum: 1/s}}
  - {name: fresh, target: 99, freshness: {service: checkout}}
  - {name: by-ratio, target: 99, promql: {error_ratio: errors_per_request}, slices: {length: 5m, target: 95}}
  - {name: ratio, target: 99.9, promql: {error_ratio: errors_per_request}}
receivers:
  - {name: all, webhook: {endpoint: "http://127.0.0.1:1/"}}
`

// heartbeat adds a sample that says that the connector sli counts an objective.
func (f *fakeTSDB) heartbeat(objective, instance string, at time.Time) {
	f.sample(samples.TotalMetric, objective, "heartbeat "+instance, at, 0)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.series[samples.TotalMetric+objective+"heartbeat "+instance].Metric["heartbeat"] = "true"
}

// minutesOf returns the minutes in which an objective has a sample.
func (f *fakeTSDB) minutesOf(objective string) map[ledger.Minute]bool {
	minutes := map[ledger.Minute]bool{}
	for _, s := range f.series[samples.TotalMetric+objective+"a"].Values {
		minutes[ledger.MinuteOf(s.Timestamp.Time())] = true
	}
	return minutes
}

// assertCounts names the first minute of an objective that differs.
func assertCounts(t *testing.T, want map[ledger.Minute]slo.Events, e *Extension, name string, end time.Time) {
	t.Helper()
	got := minuteCounts(t, e, name, noon, end)
	for m := ledger.Elapsed(noon) - 1; m <= ledger.Elapsed(end); m++ {
		if want[m] != got[m] {
			assert.Equal(t, want[m], got[m], "%s at %s", name, m.Start())
			return
		}
	}
}

// derivedWorld fills the database with some hours, in which traffic stops, the gateway is away, and the ratio has no value at
// times. It returns what each objective counts in each minute, computed from these hours one by one.
func derivedWorld(seed uint64, hours int) (*fakeTSDB, map[string]map[ledger.Minute]slo.Events) {
	rnd := rand.New(rand.NewPCG(seed, 3))
	db := newFakeTSDB()
	first, end := ledger.Elapsed(noon), ledger.Elapsed(noon.Add(time.Duration(hours)*time.Hour))
	spans := []string{"events", "rated", "slices", "skipping", "rate", "fresh"}
	away := map[ledger.Minute]bool{}
	perMinute := map[string]map[ledger.Minute]slo.Events{}
	for _, name := range spans {
		perMinute[name] = map[ledger.Minute]slo.Events{}
	}
	ratios := map[ledger.Minute]float64{}
	truth := map[string]map[ledger.Minute]slo.Events{}
	for m := first; m < end; {
		traffic, errorRate := []int{0, 30, 90, 400}[rnd.IntN(4)], []float64{0, 0.02, 0.15, 1}[rnd.IntN(4)]
		gone, ratio := rnd.IntN(8) == 0, []float64{0, 0.001, 0.3, math.NaN()}[rnd.IntN(4)]
		for until := min(m+ledger.Minute(1+rnd.IntN(20)), end); m < until; m++ {
			away[m], ratios[m] = gone && m > first, ratio
			for _, name := range spans {
				if n := rnd.IntN(traffic + 1); !away[m] && n > 0 {
					perMinute[name][m] = slo.Events{Total: uint64(n), Bad: uint64(float64(n) * errorRate)}
				}
			}
		}
	}
	for _, name := range spans {
		var sum slo.Events
		for m := first; m < end; m++ {
			if away[m] {
				continue
			}
			if m == first || away[m-1] { // it writes where it begins, even where that is no minute's end
				begun := m.Start().Add(time.Duration(rnd.IntN(2)*20) * time.Second)
				if m == first {
					begun = noon
				}
				db.events(name, begun, float64(sum.Total), float64(sum.Bad))
				db.heartbeat(name, "x", begun)
			}
			sum = sum.Add(perMinute[name][m])
			at := m.End()
			if away[m+1] {
				at = at.Add(-20 * time.Second) // shut down in the middle of a minute
			}
			db.events(name, at, float64(sum.Total), float64(sum.Bad))
			db.heartbeat(name, "x", at)
		}
	}
	db.exprs["errors_per_request"] = func(at time.Time) model.Value {
		if v := ratios[ledger.MinuteOf(at)]; !math.IsNaN(v) {
			return model.Vector{{Value: model.SampleValue(v)}}
		}
		return model.Vector{}
	}
	for _, name := range []string{"events", "rated"} {
		truth[name] = perMinute[name]
	}
	truth["slices"] = slicesOf(perMinute["slices"], db.minutesOf("slices"), first, end, 5, 0.9, true)
	truth["skipping"] = slicesOf(perMinute["skipping"], db.minutesOf("skipping"), first, end, 2, 1, false)
	truth["rate"] = map[ledger.Minute]slo.Events{}
	beats := map[int64]bool{}
	for _, s := range db.series[samples.TotalMetric+"rate"+"heartbeat x"].Values {
		beats[int64(s.Timestamp)] = true
	}
	truth["ratio"] = map[ledger.Minute]slo.Events{}
	for m := first; m < end; m++ {
		if beats[m.Start().UnixMilli()] && beats[m.End().UnixMilli()] {
			e := slo.Events{Total: 1}
			if perMinute["rate"][m].Total < 60 {
				e.Bad = 1
			}
			truth["rate"][m] = e
		}
		if v := ratios[m]; !math.IsNaN(v) {
			truth["ratio"][m] = slo.Events{Total: 1e6, Bad: uint64(math.Round(v * 1e6))}
		}
	}
	valued := map[ledger.Minute]bool{}
	for m := range truth["ratio"] {
		valued[m] = true
	}
	truth["by-ratio"] = slicesOf(truth["ratio"], valued, first, end, 5, 0.95, true)
	truth["weighed"] = weigh(first, end, truth["events"], 5, truth["rated"], 1)
	truth["time"] = weigh(first, end, truth["slices"], 2*5*1e6, truth["rate"], 1e6)
	truth["both"] = weigh(first, end, truth["time"], 3, truth["ratio"], 1)
	return db, truth
}

// slicesOf judges slices in the simplest way.
func slicesOf(events map[ledger.Minute]slo.Events, sampled map[ledger.Minute]bool, first, end, length ledger.Minute, target float64,
	empty bool) map[ledger.Minute]slo.Events {
	out := map[ledger.Minute]slo.Events{}
	for begins := first - first%length; begins+length <= end; begins += length {
		var e slo.Events
		measured := false
		for m := begins; m < begins+length; m++ {
			e = e.Add(events[m])
			measured = measured || sampled[m]
		}
		if begins < first || !measured || e.Total == 0 && !empty {
			continue
		}
		verdict := slo.Events{Total: 1}
		if e.Total > 0 && float64(e.Total-e.Bad)/float64(e.Total) < target-1e-9 {
			verdict.Bad = 1
		}
		out[begins+length-1] = verdict
	}
	return out
}

func weigh(first, end ledger.Minute, a map[ledger.Minute]slo.Events, weightA uint64, b map[ledger.Minute]slo.Events, weightB uint64) map[ledger.Minute]slo.Events {
	out := map[ledger.Minute]slo.Events{}
	for m := first; m < end; m++ {
		e := slo.Events{Total: weightA*a[m].Total + weightB*b[m].Total, Bad: weightA*a[m].Bad + weightB*b[m].Bad}
		if e.Total > 0 {
			out[m] = e
		}
	}
	return out
}

// Whatever is derived equals what a loop over all minutes gives, with restarts, outages of the database and missed minutes in between
// or without, and so do the alerts.
func TestDerivedIndicators(t *testing.T) {
	const hours = 8
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			db, truth := derivedWorld(seed, hours)
			end := noon.Add(hours * time.Hour)
			c := parse(t, derivedObjectives)
			calm := openAt(t, c, db, noon)
			defer closeIt(t, calm)
			for at := noon.Add(time.Minute); !at.After(end); at = at.Add(time.Minute) {
				require.NoError(t, calm.evaluator.evaluate(t.Context(), believed(at.Add(c.Lateness), true, true)))
			}
			require.NotEmpty(t, told(t, calm), "the world should burn")

			rnd := rand.New(rand.NewPCG(seed, 4))
			c2 := parse(t, derivedObjectives)
			stormy := openAt(t, c2, db, noon)
			for at := noon; at.Before(end); at = at.Add(time.Duration(rnd.IntN(90*60)) * time.Second) {
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
			defer func() { closeIt(t, stormy) }()
			require.NoError(t, stormy.evaluator.evaluate(t.Context(), believed(end.Add(c.Lateness), true, true)))

			for _, e := range []*Extension{calm, stormy} {
				for name, want := range truth {
					assertCounts(t, want, e, name, end)
				}
			}
			for name := range truth {
				assert.Equal(t, toldOf(t, calm, name), toldOf(t, stormy, name), name)
			}
			assert.Equal(t, toldOf(t, calm, "fresh"), toldOf(t, stormy, "fresh"))
			assert.Equal(t, minuteCounts(t, calm, "fresh", noon, end), minuteCounts(t, stormy, "fresh", noon, end))
			assert.Equal(t, counted(calm.Statuses()), counted(stormy.Statuses()))
		})
	}
}

// counted keeps what does not depend on when the database answered: coverage, and what is judged by it, does.
func counted(s Statuses) []Status {
	var all []Status
	for _, o := range s.Objectives {
		all = append(all, Status{Definition: o.Definition, EvaluatedUntil: o.EvaluatedUntil, LastMeasuredAt: o.LastMeasuredAt, State: o.State,
			Events: o.Events, ErrorRatio: o.ErrorRatio})
	}
	return all
}

// The counts of a composite are the weighed sums of its components' counts over any window, which people can add up.
func TestCompositeIsASumOfItsComponents(t *testing.T) {
	db, _ := derivedWorld(7, 6)
	c := parse(t, derivedObjectives)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(6*time.Hour+c.Lateness), true, true)))
	events, _ := e.Status("events")
	rated, _ := e.Status("rated")
	weighed, _ := e.Status("weighed")
	require.Len(t, weighed.BurnRates, len(events.BurnRates))
	for i, b := range weighed.BurnRates {
		assert.Equal(t, 5*events.BurnRates[i].Total+rated.BurnRates[i].Total, b.Total, b.Window)
		assert.Equal(t, 5*events.BurnRates[i].Bad+rated.BurnRates[i].Bad, b.Bad, b.Window)
	}
}

// A composite that is added later begins with the history of its components, and tells nobody of it.
func TestLaterComposite(t *testing.T) {
	db, truth := derivedWorld(2, 6)
	c := parse(t, derivedObjectives)
	all := c.Objectives
	c.Objectives = c.Objectives[3:]
	e := openAt(t, c, db, noon)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(5*time.Hour), true, true)))
	before := told(t, e)
	closeIt(t, e)
	c.Objectives = all
	e = openAt(t, c, db, noon.Add(5*time.Hour))
	defer func() { closeIt(t, e) }()
	assert.Equal(t, before, told(t, e))
	s, _ := e.Status("both")
	assert.Positive(t, s.Events.Total, "the history counts before the first evaluation")
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(6*time.Hour+c.Lateness), true, true)))
	for _, name := range []string{"both", "time", "weighed"} {
		assertCounts(t, truth[name], e, name, noon.Add(6*time.Hour))
	}
}

// A component that fails holds its composite back, which says so, and nothing else.
func TestFailingComponent(t *testing.T) {
	db, truth := derivedWorld(1, 2)
	ratio := db.exprs["errors_per_request"]
	delete(db.exprs, "errors_per_request")
	c := parse(t, derivedObjectives)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Hour+c.Lateness), true, true)))
	both, _ := e.Status("both")
	assert.Equal(t, StateError, both.State)
	assert.Contains(t, both.Message, "Its component ratio cannot be evaluated: The time series database cannot be queried: promql::error_ratio: ")
	assert.Nil(t, both.EvaluatedUntil)
	inTime, _ := e.Status("time")
	assert.NotEqual(t, StateError, inTime.State)
	assert.Equal(t, noon.Add(time.Hour), *inTime.EvaluatedUntil)
	db.exprs["errors_per_request"] = ratio
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(2*time.Hour+c.Lateness), true, true)))
	assertCounts(t, truth["both"], e, "both", noon.Add(2*time.Hour))
}

// A value that is no ratio is an error state while it lasts; the minutes are not counted, and evaluation goes on.
func TestRatioOutOfRange(t *testing.T) {
	db := newFakeTSDB()
	value := 0.25
	db.exprs["r"] = func(time.Time) model.Value { return model.Vector{{Value: model.SampleValue(value)}} }
	c := parse(t, `objectives: [{name: a, target: 99, promql: {error_ratio: r}}]`)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	step := func(minutes int) Status {
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Duration(minutes)*time.Minute+c.Lateness), true, true)))
		s, _ := e.Status("a")
		return s
	}
	s := step(1)
	assert.Equal(t, StateOK, s.State)
	assert.Equal(t, slo.UnitMinutes, s.Indicator.Unit)
	assert.EqualValues(t, 1_000_000, s.Indicator.UnitParts)
	value = 25
	s = step(2)
	assert.Equal(t, StateError, s.State)
	assert.Contains(t, s.Message, "gives 25, which is no ratio from 0 to 1")
	assert.Equal(t, noon.Add(2*time.Minute), *s.EvaluatedUntil)
	value = 0.75
	s = step(3)
	assert.Equal(t, StateOK, s.State)
	assert.Equal(t, Events{Total: 2_000_000, Bad: 1_000_000}, s.Events)
	assert.Equal(t, 0.5, *s.ErrorRatio)
}

// Traffic that stops for good is bad minutes for as long as the gateway counts, also after the series of the events ended.
func TestThroughputOfNothing(t *testing.T) {
	db := newFakeTSDB()
	c := parse(t, `objectives: [{name: a, target: 99, throughput: {minimum: 1/m}}]`)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	for m := range 200 {
		at := noon.Add(time.Duration(m) * time.Minute)
		if m < 10 {
			db.events("a", at, float64(10*m), 0)
		}
		db.heartbeat("a", "x", at)
	}
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(199*time.Minute+c.Lateness), true, true)))
	s, _ := e.Status("a")
	assert.Equal(t, StateOK, s.State)
	assert.Equal(t, Events{Total: 199, Bad: 190}, s.Events)
	assert.Equal(t, "firing", string(s.Alert.State))
	assert.Contains(t, s.Alert.Summary, "60 of 60 minutes had fewer than 1 events in the last hour")
}

// A silence fires within the minute in which it becomes bad, as a ticket while less than a week is known. It goes on while the
// gateway is away, however long, and resolves when there is traffic.
func TestFreshnessAlert(t *testing.T) {
	db := newFakeTSDB()
	c := parse(t, `
objectives: [{name: a, target: 99, service: shop, freshness: {}}]
receivers: [{name: all, webhook: {endpoint: "http://127.0.0.1:1/"}}]
`)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	const stops, away, back = 180, 230, 230 + 3*24*60
	total := 0.0
	minute := func(m int) { // the samples at its end
		at := noon.Add(time.Duration(m) * time.Minute)
		if m <= stops || m > back {
			total += 10
			db.events("a", at, total, 0)
		}
		db.heartbeat("a", "x", at)
	}
	status := func(m int) Status {
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Duration(m)*time.Minute+c.Lateness), true, true)))
		s, _ := e.Status("a")
		return s
	}
	db.events("a", noon, 0, 0)
	for m := range away + 1 {
		minute(m)
	}
	assert.Equal(t, "inactive", string(status(stops+29).Alert.State))
	s := status(stops + 30)
	assert.Equal(t, "firing", string(s.Alert.State))
	assert.Equal(t, slo.Ticket, s.Alert.Severity)
	assert.Contains(t, s.Alert.Summary, "Ticket: a: no traffic since 2026-03-01T15:00:00Z, for 30m; before that it came every few minutes: ")
	for _, tier := range s.Tiers {
		assert.Equal(t, slo.Ticket, tier.Severity, "less than a week is known")
	}
	s = status(back)
	assert.Equal(t, StateNoData, s.State)
	assert.Equal(t, "firing", string(s.Alert.State))
	assert.Contains(t, s.Alert.Summary, "Nothing has been measured since 2026-03-01T15:50:00Z")
	for m := back; m <= back+120; m++ {
		minute(m)
	}
	s = status(back + 120)
	assert.Equal(t, StateOK, s.State)
	assert.NotEqual(t, "firing", string(s.Alert.State))
	assert.Len(t, told(t, e), 2)
}

// When an objective begins to count something else that cannot be added to what it counted, it begins anew; back in the old unit too.
func TestUnitChanges(t *testing.T) {
	db := newFakeTSDB()
	for m := range 60 {
		db.events("a", noon.Add(time.Duration(m)*time.Minute), float64(100*m), float64(10*m))
	}
	var last *Extension
	defer func() { closeIt(t, last) }()
	dir := ""
	minutes := 0
	evaluate := func(objective string, evaluated int) Events {
		c := parse(t, "objectives: ["+objective+"]")
		if dir == "" {
			dir = c.Directory
		}
		c.Directory = dir
		if last != nil {
			closeIt(t, last)
		}
		last = openAt(t, c, db, noon.Add(time.Duration(minutes)*time.Minute))
		minutes += evaluated
		require.NoError(t, last.evaluator.evaluate(t.Context(), believed(noon.Add(time.Duration(minutes)*time.Minute+c.Lateness), true, true)))
		s, _ := last.Status("a")
		return s.Events
	}
	assert.Equal(t, Events{Total: 1000, Bad: 100}, evaluate(`{name: a, target: 99, availability: {}}`, 10))
	assert.Equal(t, Events{Total: 10, Bad: 10}, evaluate(`{name: a, target: 99, availability: {}, slices: {target: 99}}`, 10))
	assert.Equal(t, Events{Total: 20, Bad: 10}, evaluate(`{name: a, target: 99, availability: {}, slices: {target: 90}}`, 10), "same unit")
	assert.Equal(t, Events{Total: 2}, evaluate(`{name: a, target: 99, availability: {}, slices: {target: 90, length: 5m}}`, 10))
	assert.Equal(t, Events{Total: 1000, Bad: 100}, evaluate(`{name: a, target: 99, availability: {}}`, 10))
}

// A clock that was ahead loses no slice and no minute, and afterwards both accounts go on.
func TestDerivedClockSetBack(t *testing.T) {
	db := newFakeTSDB()
	c := parse(t, `
objectives:
  - {name: s, target: 99, availability: {}, slices: {length: 5m, target: 99}}
  - {name: e, target: 99, availability: {}}
  - {name: sum, target: 99, composite: [{objective: e, weight: 2}]}
`)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	value := 0.0
	step := func(from time.Time, minutes int) {
		for m := range minutes {
			value += 10
			for _, name := range []string{"s", "e"} {
				db.events(name, from.Add(time.Duration(m+1)*time.Minute), value, 0)
			}
		}
		require.NoError(t, e.evaluator.evaluate(t.Context(),
			clock.State{Now: from.Add(time.Duration(minutes)*time.Minute + c.Lateness), Confirmed: true, Stable: true}))
	}
	db.events("s", noon, 0, 0)
	db.events("e", noon, 0, 0)
	step(noon, 30)
	ahead := noon.Add(24 * time.Hour)
	step(ahead, 30)
	db.forgetFrom(noon.Add(30 * time.Minute))
	step(noon.Add(30*time.Minute), 0) // back
	step(noon.Add(30*time.Minute), 30)
	sum := func(name string) Events {
		s, _ := e.Status(name)
		return s.Events
	}
	events := sum("e")
	assert.Equal(t, Events{Total: 2 * events.Total}, sum("sum"))
	assert.EqualValues(t, 900, events.Total, "all that was counted")
	assert.Equal(t, Events{Total: 18}, sum("s"), "six slices in each half hour")
	for _, name := range []string{"s", "e", "sum", derive.EventsAccount("s")} {
		if _, ok := e.Status(name); ok {
			s, _ := e.Status(name)
			assert.Equal(t, noon.Add(time.Hour), *s.EvaluatedUntil, name)
		}
	}
}
