package engine

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/ledger"
)

// A clock that jumps briefly and comes back changes nothing.
func TestBriefClockJump(t *testing.T) {
	for name, jump := range map[string]time.Duration{"ahead": 365 * 24 * time.Hour, "back": -365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := newFakeTSDB()
				e := created(t, parse(t, twoObjectives))
				var wrong atomic.Int64
				start := time.Now()
				e.clock = clock.NewGuard(func() (time.Time, time.Duration) {
					return time.Now().Add(time.Duration(wrong.Load())), time.Since(start)
				})
				require.NoError(t, e.Start(t.Context(), hostWith(db)))
				for i := range 30 {
					db.events("a", start.Add(time.Duration(i)*time.Minute+30*time.Second), float64(10*i), 0)
				}
				time.Sleep(10*time.Minute + 20*time.Second)
				synctest.Wait()
				wrong.Store(int64(jump))
				time.Sleep(3 * time.Minute)
				synctest.Wait()
				assert.Contains(t, e.clock.Look().Doubt, "clock jumped "+name)
				assert.True(t, e.Probe(t.Context()).OK)
				s, _ := e.Status("a")
				assert.Equal(t, Events{Total: 120}, s.Events)
				wrong.Store(0)
				time.Sleep(10 * time.Minute)
				synctest.Wait()
				assert.True(t, e.Probe(t.Context()).OK)
				s, _ = e.Status("a")
				assert.Equal(t, Events{Total: 220}, s.Events)
				assert.Less(t, time.Since(*s.EvaluatedUntil), 2*time.Minute)
				closeIt(t, e)
			})
		})
	}
}

// An outage that begins when a clock that jumped for good is believed is evaluated once its minute has ended, and not a minute later,
// wherever in a minute that is.
func TestJumpedClockDelaysNoMinute(t *testing.T) {
	for _, jump := range []time.Duration{time.Hour, -time.Hour, 25 * time.Hour, -25 * time.Hour} {
		for _, phase := range []time.Duration{0, 7 * time.Second, 20 * time.Second, 41 * time.Second, 57 * time.Second} {
			t.Run(fmt.Sprint(jump, " at ", phase), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					db := newFakeTSDB()
					e := created(t, parse(t, twoObjectives))
					var wrong atomic.Int64
					start := time.Now()
					e.clock = clock.NewGuard(func() (time.Time, time.Duration) {
						return time.Now().Add(time.Duration(wrong.Load())), time.Since(start)
					})
					require.NoError(t, e.Start(t.Context(), hostWith(db)))
					defer closeIt(t, e)
					total, bad := 0.0, 0.0
					var last time.Time
					// count stores the counts so far, as the connector does, after it moved samples of later times aside, as the database does.
					count := func() {
						now := e.clock.Wall()
						if now.Before(last) {
							db.forgetFrom(now)
						}
						total += 10
						db.events("a", now, total, bad)
						last = now
						time.Sleep(time.Second)
						synctest.Wait()
					}
					for time.Since(start) < 10*time.Minute+phase {
						count()
					}
					wrong.Store(int64(jump))
					for count(); e.clock.Look().Doubt != ""; {
						count()
					}
					began := time.Now()
					for bad = 500; ; count() {
						if s, _ := e.Status("a"); s.Events.Bad > 0 {
							break
						}
						require.Less(t, time.Since(began), time.Minute+e.config.Lateness+lookEvery+2*time.Second)
					}
				})
			})
		}
	}
}

// When a clock that was ahead long enough to be believed is set back, evaluation continues from now.
func TestClockSetBack(t *testing.T) {
	db := newFakeTSDB()
	e := openAt(t, parse(t, twoObjectives), db, noon)
	defer closeIt(t, e)
	ahead := noon.Add(48 * time.Hour)
	for m := range 30 {
		db.events("a", noon.Add(time.Duration(m)*time.Minute+time.Second), float64(10*m), 0)
	}
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(10*time.Minute+e.config.Lateness), true, true)))
	db.events("a", ahead.Add(-time.Second), 1000, 0)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(ahead.Add(e.config.Lateness), true, true)))
	s, _ := e.Status("a")
	require.Equal(t, Events{Total: 1000}, s.Events)

	now := noon.Add(20*time.Minute + e.config.Lateness)
	require.ErrorContains(t, e.evaluator.evaluate(t.Context(), believed(now, false, false)), "far from the clock, which is believed when it has stayed there for 5m0s")
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(now, true, true)))
	s, _ = e.Status("a")
	assert.Equal(t, noon.Add(20*time.Minute), *s.EvaluatedUntil)
	assert.Equal(t, Events{Total: 1000}, s.Events, "what was counted two days from now moves back")

	db.series = newFakeTSDB().series
	db.events("a", noon.Add(25*time.Minute), 1007, 0)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(30*time.Minute+e.config.Lateness), true, true)))
	s, _ = e.Status("a")
	assert.Equal(t, Events{Total: 1007}, s.Events, "and what comes counts")
	closeIt(t, e)
	e = openAt(t, e.config, db, noon.Add(31*time.Minute))
	assert.Equal(t, ledger.Elapsed(noon.Add(30*time.Minute)), e.evaluator.spans.watermark, "in the file too")
}

// An alert that fired days ahead, under a clock that is then set back, continues from now, and so do the watermarks.
func TestClockSetBackUnderAnAlert(t *testing.T) {
	db := newFakeTSDB()
	e := openAt(t, parse(t, twoObjectives), db, noon)
	defer func() { closeIt(t, e) }()
	ahead := noon.Add(48 * time.Hour)
	db.events("a", noon.Add(time.Second), 0, 0)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Minute+e.config.Lateness), true, true)))
	db.events("a", ahead.Add(-61*time.Second), 0, 0)
	db.events("a", ahead.Add(-time.Second), 1000, 900)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(ahead.Add(e.config.Lateness), true, true)))
	s, _ := e.Status("a")
	require.Equal(t, alert.Firing, s.Alert.State)
	require.True(t, s.Alert.Since.After(noon.Add(24*time.Hour)))

	now := noon.Add(20*time.Minute + e.config.Lateness)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(now, true, true)))
	s, _ = e.Status("a")
	assert.False(t, s.Alert.Since.After(now), "%s", s.Alert.Since)
	closeIt(t, e)
	e = openAt(t, e.config, db, now)
	s, _ = e.Status("a")
	assert.False(t, s.Alert.Since.After(now), "%s in the file", s.Alert.Since)
	assert.Equal(t, ledger.Elapsed(noon.Add(20*time.Minute)), e.evaluator.spans.watermark, "what is written behind the alerts, too")
}

// A process that starts with a clock far ahead prunes nothing at its first evaluation.
func TestFirstEvaluationPrunesNothing(t *testing.T) {
	db := newFakeTSDB()
	db.events("a", noon.Add(time.Second), 0, 0)
	db.events("a", noon.Add(30*time.Second), 10, 0)
	e := openAt(t, parse(t, twoObjectives), db, noon)
	defer func() { closeIt(t, e) }()
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Minute+e.config.Lateness), true, true)))
	require.ErrorContains(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(365*24*time.Hour), false, false)), "far from the clock")
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(5*time.Minute), true, true)))
	s, _ := e.Status("a")
	assert.Equal(t, Events{Total: 10}, s.Events)
}

// A process that starts an hour before what was evaluated goes by that for as long as it doubts its clock, and then goes back: each
// minute is evaluated when it ends, and an outage pages within 2 min, while the clock is in doubt, and once it is believed.
func TestStartBehindWhatWasEvaluated(t *testing.T) {
	for name, outage := range map[string]time.Duration{"in doubt": 5 * time.Minute, "believed": 25 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { startBehind(t, outage) })
		})
	}
}

func startBehind(t *testing.T, outage time.Duration) {
	const ahead, within = time.Hour, 2 * time.Minute
	db := newFakeTSDB()
	config := parse(t, "objectives: [{name: a, target: 99, availability: {service: checkout}, "+
		"tiers: [{severity: page, long_window: 10m, short_window: 5m, budget: 0.1}]}]")
	start := time.Now()
	var e *Extension
	begin := func(ahead time.Duration) {
		e = created(t, config)
		e.clock = clock.NewGuard(func() (time.Time, time.Duration) { return time.Now().Add(ahead), time.Since(start) })
		require.NoError(t, e.Start(t.Context(), hostWith(db)))
	}
	total, bad := 0.0, 0.0
	// pass has ten events be counted every ten seconds, at the time that is believed, and holds what people see of it.
	pass := func(lasts time.Duration, failing float64) {
		t.Helper()
		for range lasts / (10 * time.Second) {
			db.events("a", e.clock.Wall(), total, bad)
			total, bad = total+10, bad+failing
			time.Sleep(10 * time.Second)
			synctest.Wait()
			s, _ := e.Status("a")
			require.NotNil(t, s.EvaluatedUntil)
			require.Less(t, e.clock.Wall().Sub(*s.EvaluatedUntil), within, "%s", e.clock.Look().Doubt)
			require.True(t, e.Probe(t.Context()).OK, e.Probe(t.Context()).Message)
		}
	}
	begin(ahead)
	time.Sleep(within)
	synctest.Wait()
	pass(20*time.Minute, 0)
	closeIt(t, e)

	begin(0)
	restarted := time.Now()
	require.Contains(t, e.clock.Look().Doubt, "behind what was evaluated")
	pass(outage, 0)
	require.Equal(t, outage > clock.DoubtTime, e.clock.Look().Doubt == "")
	s, _ := e.Status("a")
	require.NotEqual(t, alert.Firing, s.Alert.State)
	pass(within, 10)
	s, _ = e.Status("a")
	assert.Equal(t, alert.Firing, s.Alert.State)
	pass(40*time.Minute-time.Since(restarted), 10)
	s, _ = e.Status("a")
	assert.Equal(t, alert.Firing, s.Alert.State)
	assert.False(t, s.Alert.Since.After(time.Now()), "%s is yet to come", s.Alert.Since)
	assert.InDelta(t, total, s.Events.Total, 10*float64(within/(10*time.Second)), "no event is lost")
	assert.Empty(t, e.clock.Look().Doubt)
	closeIt(t, e)
}
