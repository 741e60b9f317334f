package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/ledger/parts"
)

// sampleOf adds a sample to the series of a part, as the connector sli writes it, of events of an age if it is given.
func (f *fakeTSDB) sampleOf(objective string, p parts.Part, at time.Time, v float64, age ...model.LabelValue) {
	f.mu.Lock()
	defer f.mu.Unlock()
	labels := model.Metric{"__name__": samples.TotalMetric, "objective": model.LabelValue(objective), "service_name": model.LabelValue(p.Service),
		"span_name": model.LabelValue(p.Operation), "service_version": model.LabelValue(p.Version)}
	if p.Reason != "" {
		labels["__name__"], labels["reason"] = samples.BadMetric, model.LabelValue(p.Reason)
	}
	if len(age) > 0 {
		labels["age"] = age[0]
	}
	key := labels.String()
	if f.series[key] == nil {
		f.series[key] = &model.SampleStream{Metric: labels}
	}
	f.series[key].Values = append(f.series[key].Values, model.SamplePair{Timestamp: model.TimeFromUnixNano(at.UnixNano()), Value: model.SampleValue(v)})
}

// incident is minutes in which events of a version are bad.
type incident struct {
	version, reason string
	from, to        int
	share           float64
}

// newRate is how many events a minute version 1.9.1 has.
const newRate = 600

// shop fills the database: version 1.9.0 has 100 events a minute for so many minutes, and 1.9.1 has newRate from released on.
func shop(db *fakeTSDB, minutes, released int, incidents []incident) {
	totals, bads := map[string]float64{}, map[parts.Part]float64{}
	for m := range minutes {
		at := noon.Add(time.Duration(m) * time.Minute)
		for version, rate := range map[string]float64{"1.9.0": 100, "1.9.1": newRate} {
			p := parts.Part{Service: "shop", Operation: "POST /pay", Version: version}
			if version == "1.9.1" && m < released {
				rate = 0
			}
			if m == 0 {
				db.sampleOf("a", p, at.Add(time.Second), 0)
			}
			totals[version] += rate
			db.sampleOf("a", p, at.Add(30*time.Second), totals[version])
			for _, i := range incidents {
				if i.version != version {
					continue
				}
				p.Reason = i.reason
				if m == 0 {
					db.sampleOf("a", p, at.Add(time.Second), 0)
				}
				if m >= i.from && m < i.to {
					bads[p] += rate * i.share
				}
				db.sampleOf("a", p, at.Add(30*time.Second), bads[p])
			}
		}
	}
}

// TestBreakdownSinceTheAlert has two incidents in six hours. While the second one pages, its version and reason have the bad events, and
// the version of the first one has none; with restarts in between, too.
func TestBreakdownSinceTheAlert(t *testing.T) {
	const minutes, second = 360, 330
	for _, restarts := range []bool{false, true} {
		t.Run(fmt.Sprint("restarts ", restarts), func(t *testing.T) {
			db := newFakeTSDB()
			shop(db, minutes, 300, []incident{{"1.9.0", "503", 10, 40, 0.5}, {"1.9.1", "NullPointerException", second, minutes, 0.5}})
			c := parse(t, twoObjectives)
			e := openAt(t, c, db, noon)
			defer func() { closeIt(t, e) }()
			for m := 1; m <= minutes; m++ {
				now := noon.Add(time.Duration(m)*time.Minute + c.Lateness)
				require.NoError(t, e.evaluator.evaluate(t.Context(), believed(now, true, true)))
				if m == 30 {
					b, err := e.Breakdown("a", time.Time{}, time.Time{}, []parts.Dimension{parts.Version})
					require.NoError(t, err)
					assert.Equal(t, BasisAlert, b.Basis)
					assert.Equal(t, "1.9.0", b.Rows[0].Part.Version)
				}
				if restarts && m%50 == 0 {
					closeIt(t, e)
					e = openAt(t, c, db, now)
				}
			}
			s, _ := e.Status("a")
			require.Equal(t, alert.Firing, s.Alert.State)
			b, err := e.Breakdown("a", time.Time{}, time.Time{}, []parts.Dimension{parts.Version, parts.Reason})
			require.NoError(t, err)
			assert.Equal(t, BasisAlert, b.Basis)
			assert.Equal(t, slo.Page, s.Alert.Severity)
			assert.Equal(t, ledger.Elapsed(noon.Add(second*time.Minute)), b.From, "not the ticket's, which fires since the first incident")
			assert.Equal(t, ledger.Elapsed(noon.Add(minutes*time.Minute)), b.To)
			require.Len(t, b.Rows, 1)
			assert.Equal(t, parts.Part{Version: "1.9.1", Reason: "NullPointerException"}, b.Rows[0].Part)
			assert.Equal(t, b.Events.Bad, b.Rows[0].Events.Bad, "all of them")
			assert.Zero(t, b.Uncovered)

			b, err = e.Breakdown("a", noon.Add(second*time.Minute), noon.Add(minutes*time.Minute), []parts.Dimension{parts.Version})
			require.NoError(t, err)
			assert.Equal(t, BasisRequest, b.Basis)
			assert.Equal(t, []parts.Row{
				{Part: parts.Part{Version: "1.9.1"}, Events: slo.Events{Total: newRate * (minutes - second), Bad: newRate / 2 * (minutes - second)}},
				{Part: parts.Part{Version: "1.9.0"}, Events: slo.Events{Total: 100 * (minutes - second)}},
			}, b.Rows)

			b, err = e.Breakdown("a", noon, noon.Add(minutes*time.Minute), []parts.Dimension{parts.Version})
			require.NoError(t, err)
			assert.Equal(t, uint64(1500), b.Rows[1].Events.Bad, "six hours mix two incidents")
			assert.Equal(t, slo.Events(s.Events), b.Events)
		})
	}
}

// TestBreakdownOfQuietObjectives has no alert, or no events at all.
func TestBreakdownOfQuietObjectives(t *testing.T) {
	db := newFakeTSDB()
	shop(db, 120, 0, []incident{{"1.9.0", "503", 10, 12, 0.001}})
	c := parse(t, twoObjectives)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	end := noon.Add(2 * time.Hour)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(end.Add(c.Lateness), true, true)))
	b, err := e.Breakdown("a", time.Time{}, time.Time{}, []parts.Dimension{parts.Version})
	require.NoError(t, err)
	assert.Equal(t, BasisLastHour, b.Basis)
	assert.Equal(t, []time.Time{end.Add(-time.Hour), end}, []time.Time{b.From.Start(), b.To.Start()})
	assert.Equal(t, slo.Events{Total: 60 * (100 + newRate)}, b.Events)

	b, err = e.Breakdown("b", time.Time{}, time.Time{}, []parts.Dimension{parts.Version})
	require.NoError(t, err)
	assert.Empty(t, b.Rows)
	assert.Zero(t, b.Events)
	b, err = e.Breakdown("a", end.Add(time.Hour), time.Time{}, []parts.Dimension{parts.Version})
	require.NoError(t, err)
	assert.Empty(t, b.Rows, "it is yet to come")

	_, err = e.Breakdown("nobody", time.Time{}, time.Time{}, nil)
	require.ErrorIs(t, err, ErrUnknownObjective)
	_, err = e.Breakdown("a", end, noon, nil)
	require.ErrorIs(t, err, ErrBadRange)
}

// TestBreakdownBeforeTheFirstEvaluation answers while the ledger has no account yet.
func TestBreakdownBeforeTheFirstEvaluation(t *testing.T) {
	e := openAt(t, parse(t, twoObjectives), newFakeTSDB(), noon)
	defer closeIt(t, e)
	b, err := e.Breakdown("a", time.Time{}, time.Time{}, []parts.Dimension{parts.Version})
	require.NoError(t, err)
	assert.Equal(t, BasisLastHour, b.Basis)
	assert.Empty(t, b.Rows)
}

// TestBreakdownOfPromQL: a query that leaves no labels has one part, without names; one that leaves them is broken down.
func TestBreakdownOfPromQL(t *testing.T) {
	db := newFakeTSDB()
	db.exprs["sum(bad)"] = func(time.Time) model.Value { return model.Vector{{Value: 5}} }
	db.exprs["sum(total)"] = func(time.Time) model.Value { return model.Vector{{Value: 50}} }
	db.exprs["by(bad)"] = func(time.Time) model.Value { return model.Vector{{Metric: model.Metric{"version": "2"}, Value: 5}} }
	db.exprs["by(total)"] = func(time.Time) model.Value {
		return model.Vector{{Metric: model.Metric{"version": "2"}, Value: 20}, {Metric: model.Metric{"version": "1"}, Value: 30}}
	}
	c := parse(t, twoObjectives)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	for i, name := range []string{"sum", "by"} {
		e.evaluator.objectives[i].Indicator = slo.Indicator{Type: slo.PromQL, Resolution: time.Minute, BadQuery: name + "(bad)", TotalQuery: name + "(total)"}
		e.evaluator.progress[i].watermark = ledger.Elapsed(noon)
	}
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Minute+c.Lateness), true, true)))
	b, err := e.Breakdown("a", time.Time{}, time.Time{}, []parts.Dimension{parts.Version})
	require.NoError(t, err)
	assert.Equal(t, []parts.Row{{Events: slo.Events{Total: 50, Bad: 5}}}, b.Rows)
	b, err = e.Breakdown("b", time.Time{}, time.Time{}, []parts.Dimension{parts.Version})
	require.NoError(t, err)
	assert.Equal(t, []parts.Row{{Part: parts.Part{Version: "2"}, Events: slo.Events{Total: 20, Bad: 5}},
		{Part: parts.Part{Version: "1"}, Events: slo.Events{Total: 30}}}, b.Rows)
}

// TestPartsFollowTheClock: after a clock was set back, with restarts and resets of counters, the parts add up to the ledger's events.
func TestPartsFollowTheClock(t *testing.T) {
	for seed := range uint64(4) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		db, _ := world(seed, 3)
		c := parse(t, twoObjectives)
		e := openAt(t, c, db, noon)
		now := noon
		for range 12 {
			now = now.Add(time.Duration(rnd.IntN(40)) * time.Minute)
			require.NoError(t, e.evaluator.evaluate(t.Context(), believed(now.Add(c.Lateness), true, true)))
			switch rnd.IntN(3) {
			case 0:
				closeIt(t, e)
				e = openAt(t, c, db, now)
			case 1:
				now = now.Add(-time.Duration(rnd.IntN(60)) * time.Minute)
				db.forgetFrom(now)
				require.NoError(t, e.evaluator.evaluate(t.Context(), believed(now.Add(c.Lateness), true, true)))
			}
		}
		requireParts(t, e, now)
		closeIt(t, e)
	}
}

// TestPartsOfLateEvents: parts go to the minutes that the ledger books their events in, whatever the age of these, with restarts.
func TestPartsOfLateEvents(t *testing.T) {
	for seed := range uint64(3) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		db := newFakeTSDB()
		counts := map[string]float64{}
		for m := range 180 {
			for _, objective := range []string{"a", "b"} {
				for _, age := range []model.LabelValue{"0", "1", "7", "15", "late"} {
					for _, p := range []parts.Part{{Version: "1"}, {Version: "2"}, {Version: "1", Reason: "500"}, {Version: "2", Reason: "503"}} {
						key := fmt.Sprint(objective, age, p)
						if rnd.IntN(3) == 0 && m > 0 {
							counts[key] += float64(rnd.IntN(50))
						}
						db.sampleOf(objective, p, noon.Add(time.Duration(m)*time.Minute+30*time.Second), counts[key], age)
					}
				}
			}
		}
		c := parse(t, twoObjectives)
		e := openAt(t, c, db, noon)
		now := noon
		for now.Before(noon.Add(3 * time.Hour)) {
			now = now.Add(time.Duration(1+rnd.IntN(30)) * time.Minute)
			require.NoError(t, e.evaluator.evaluate(t.Context(), believed(now.Add(c.Lateness), true, true)))
			if rnd.IntN(3) == 0 {
				closeIt(t, e)
				e = openAt(t, c, db, now)
			}
		}
		requireParts(t, e, now)
		closeIt(t, e)
	}
}

// requireParts fails unless the parts of the objectives a and b add up to all of their events.
func requireParts(t *testing.T, e *Extension, now time.Time) {
	t.Helper()
	for _, name := range []string{"a", "b"} {
		s, _ := e.Status(name)
		require.Positive(t, s.Events.Total, name)
		b, err := e.Breakdown(name, noon.Add(-4*24*time.Hour), now, []parts.Dimension{parts.Service})
		require.NoError(t, err)
		assert.Zero(t, b.Uncovered, name)
		assert.Equal(t, slo.Events(s.Events), b.Events, name)
		var sum slo.Events
		for _, r := range b.Rows {
			sum = sum.Add(r.Events)
		}
		assert.Equal(t, b.Events, sum, name)
	}
}

// TestFullFile gives up parts, and then parts by hour, once slo.db reaches max_size. Budgets stay as they are, and what is missing in a
// breakdown is said.
func TestFullFile(t *testing.T) {
	db := newFakeTSDB()
	const hours = 30
	shop(db, hours*60, 0, []incident{{"1.9.0", "503", 10, hours * 60, 0.01}})
	c := parse(t, twoObjectives)
	c.MaxSize = 1 // whatever is used is too much
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	for m := 30; m <= hours*60; m += 30 {
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Duration(m)*time.Minute+c.Lateness), true, true)))
	}
	end := noon.Add(hours * time.Hour)
	s, _ := e.Status("a")
	assert.Equal(t, Events{Total: hours * 60 * (100 + newRate), Bad: hours*60 - 10}, s.Events)
	b, err := e.Breakdown("a", noon, end, []parts.Dimension{parts.Version})
	require.NoError(t, err)
	assert.Equal(t, slo.Events(s.Events), b.Events)
	assert.Equal(t, uint64(12*60*(100+newRate)), b.Uncovered.Total, "the hours of the first day are given up")
	b, err = e.Breakdown("a", end.Add(-time.Hour), end, []parts.Dimension{parts.Version})
	require.NoError(t, err)
	assert.Zero(t, b.Uncovered, "late events may still come")
	health := e.Probe(t.Context())
	assert.False(t, health.OK)
	assert.Contains(t, health.Message, "of max_size 1B")
	assert.Contains(t, health.Message, "raise slo::max_size")

	c.MaxSize = 1 << 30
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(end.Add(time.Minute+c.Lateness), true, true)))
	assert.NotContains(t, e.Probe(t.Context()).Message, "max_size")
}
