package engine

import (
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
