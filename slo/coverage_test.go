package slo_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
)

// A burn rate is known up to what was not measured: time at the traffic of the rest, and lost spans, taken as bad.
func TestBurnRateIntervals(t *testing.T) {
	o := threeNines()
	e := slo.Events{Total: 50_000, Bad: 50}
	for name, c := range map[string]struct {
		coverage  slo.Coverage
		low, high float64
	}{
		"all measured":         {slo.WholeWindow(time.Hour), 1, 1},
		"half an hour missing": {slo.Coverage{Window: time.Hour, Seen: time.Hour, Covered: time.Hour / 2}, 1, 500.5}, // 50,050 of 100,000
		"a tenth missing":      {slo.Coverage{Window: time.Hour, Seen: time.Hour, Covered: 54 * time.Minute}, 1, (50 + 50_000/9.0) / (50_000 + 50_000/9.0) / 0.001},
		"spans lost":           {slo.Coverage{Window: time.Hour, Seen: time.Hour, Covered: time.Hour, LostSpans: 50}, 1, 100 / 50_050.0 / 0.001},
		"young":                {slo.Coverage{Window: time.Hour, Seen: time.Minute, Covered: time.Minute}, 1, 1}, // the time before is no doubt
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := o.BurnRates(e, c.coverage)
			require.True(t, ok)
			assert.InDelta(t, c.low, got.Low, 1e-9)
			assert.InDelta(t, c.high, got.High, 1e-9)
		})
	}
	_, ok := o.BurnRates(slo.Events{}, slo.Coverage{Window: time.Hour, Seen: time.Hour, LostSpans: 5})
	assert.False(t, ok)
}

// The upper bound is sound: whatever happened in the time that was not measured, at the traffic of the rest, the truth is below it. It
// rises with what is missing.
func TestUpperBoundIsSound(t *testing.T) {
	o := threeNines()
	for minutes := 1; minutes <= 60; minutes++ { // covered, of an hour of 600 a minute
		c := slo.Coverage{Window: time.Hour, Seen: time.Hour, Covered: time.Duration(minutes) * time.Minute}
		e := slo.Events{Total: uint64(600 * minutes), Bad: uint64(minutes)}
		got, ok := o.BurnRates(e, c)
		require.True(t, ok)
		worst, _ := o.BurnRate(slo.Events{Total: 36_000, Bad: uint64(minutes + 600*(60-minutes))})
		require.InDelta(t, worst, got.High, 1e-6)
		require.LessOrEqual(t, got.Low, got.High)
		left := o.BudgetOf(e, slo.Coverage{Window: o.Window, Seen: time.Hour, Covered: c.Covered}, float64(e.Total))
		require.LessOrEqual(t, left.RemainingLow, left.Remaining)
	}
}

// The budget of a young window is rated against what its name promises: 85 s after the first span, 15 failures of 150 are next to
// nothing of 30 days, and the level is normal.
func TestYoungBudget(t *testing.T) {
	o := threeNines()
	e := slo.Events{Total: 150, Bad: 15}
	assert.InDelta(t, -99, o.Budget(e).Remaining, 1e-9, "of the first minute alone")

	young := slo.Coverage{Window: o.Window, Seen: time.Minute, Covered: time.Minute}
	b := o.BudgetOf(e, young, young.Expected(e))
	assert.True(t, b.Young)
	assert.Equal(t, slo.Normal, b.Policy)
	assert.InDelta(t, 150*30*24*60, b.ExpectedEvents, 1e-6)
	assert.InDelta(t, 6480, b.AllowedEvents, 1e-6)
	assert.InDelta(t, 6465, b.RemainingEvents, 1e-6)
	assert.InDelta(t, 1-15/6480.0, b.Remaining, 1e-9)
	assert.Equal(t, b.Remaining, b.RemainingLow)

	// A total outage of the first hour has spent more than 43.2 min of full outage, at any age.
	outage := slo.Events{Total: 6000, Bad: 6000}
	c := slo.Coverage{Window: o.Window, Seen: time.Hour, Covered: time.Hour}
	assert.Equal(t, slo.Exhausted, o.BudgetOf(outage, c, c.Expected(outage)).Policy)
}

// At even traffic the budget is the same just before and after the window is whole, with gaps and without.
func TestExpectedEventsAreContinuous(t *testing.T) {
	for _, gap := range []time.Duration{0, 7 * 24 * time.Hour} {
		seen := 30*24*time.Hour - time.Minute
		e := slo.Events{Total: uint64((seen - gap) / time.Second)}
		young := slo.Coverage{Window: 30 * 24 * time.Hour, Seen: seen, Covered: seen - gap}
		old := slo.Coverage{Window: 30 * 24 * time.Hour, Seen: 30 * 24 * time.Hour, Covered: seen - gap}
		assert.InEpsilon(t, old.Expected(e), young.Expected(e), 1e-4)
		assert.False(t, old.Young())
	}
	c := slo.Coverage{Window: time.Hour, Seen: time.Minute}
	assert.InDelta(t, 7, c.Expected(slo.Events{Total: 7}), 0, "of what nothing was measured nothing is known")
	assert.Zero(t, slo.Coverage{}.Ratio())
	assert.InDelta(t, 0.25, slo.Coverage{Window: time.Hour, Seen: time.Hour, Covered: 15 * time.Minute}.Ratio(), 0)
}

// A tier is judged where a tenth of its long window is covered, or its bad events are worth its share of the whole budget.
func TestJudged(t *testing.T) {
	o := threeNines()
	page := o.Tiers[0]
	hour := func(minutes int) slo.Coverage {
		d := time.Duration(minutes) * time.Minute
		return slo.Coverage{Window: time.Hour, Seen: d, Covered: d}
	}
	expected := 100.0 * 43_200 // events of 30 days at 100 a minute; 2 % of the budget are 86.4
	for _, c := range []struct {
		minutes int
		bad     uint64
		want    bool
	}{{1, 20, false}, {1, 86, false}, {1, 87, true}, {5, 86, false}, {6, 1, true}, {6, 0, true}, {0, 0, false}} {
		assert.Equal(t, c.want, o.Judged(page, slo.Events{Total: 100, Bad: c.bad}, hour(c.minutes), expected), "%d bad in %d min", c.bad, c.minutes)
	}
	assert.False(t, o.Judged(page, slo.Events{}, hour(1), 0), "of nothing, no share is reached")
}

// A total outage from the first minute on pages by the second minute at 99.9 % and by the sixth at any target that can page.
func TestFirstMinutesOutagePages(t *testing.T) {
	for target, within := range map[float64]int{0.9999: 1, 0.999: 1, 0.995: 5, 0.99: 6, 0.95: 6} {
		for _, perMinute := range []uint64{20, 1000} {
			o := threeNines()
			o.Target = target
			for minute := 1; ; minute++ {
				c := slo.Coverage{Window: time.Hour, Seen: time.Duration(minute) * time.Minute, Covered: time.Duration(minute) * time.Minute}
				e := slo.Events{Total: perMinute * uint64(minute), Bad: perMinute * uint64(minute)}
				whole := c
				whole.Window = o.Window
				expected := whole.Expected(e)
				if o.ActiveOf(o.Tiers[0], e, e, expected) && o.Judged(o.Tiers[0], e, c, expected) {
					assert.Equal(t, within, minute, "%v at %d a minute", target, perMinute)
					break
				}
				require.LessOrEqual(t, minute, within, "%v at %d a minute", target, perMinute)
			}
		}
	}
}

func TestExhaustedAt(t *testing.T) {
	o := threeNines()
	now := time.Date(2026, 11, 12, 3, 0, 0, 0, time.UTC)
	at, ok := o.ExhaustedAt(now, 0.5, 15)
	require.True(t, ok)
	assert.Equal(t, now.Add(24*time.Hour), at)
	for _, c := range [][2]float64{{0, 15}, {-1, 15}, {0.5, 0}, {1, 1e-9}} {
		_, ok := o.ExhaustedAt(now, c[0], c[1])
		assert.False(t, ok, "%v", c)
	}
}

// A profile expects each hour of the week as it was learnt, and those that nothing is known of as the mean of the others.
func TestProfile(t *testing.T) {
	var p slo.Profile
	for i := range p {
		p[i] = float64(i)
	}
	const week = 167 * 168 / 2
	for _, c := range []struct {
		from, to int64
		want     float64
	}{{0, 168, week}, {5, 5, 0}, {7, 6, 0}, {166, 170, 166 + 167 + 0 + 1}, {168 * 9, 168 * 11, 2 * week}, {3, 168 + 5, week + 3 + 4}} {
		got, ok := p.Between(c.from, c.to)
		require.True(t, ok)
		assert.InDelta(t, c.want, got, 1e-6, "%v", c)
	}
	p[0] = math.NaN()
	got, ok := p.Between(0, 168)
	require.True(t, ok)
	assert.InDelta(t, week+week/167.0, got, 1e-6)
	got, _ = p.Between(168, 170)
	assert.InDelta(t, week/167.0+1, got, 1e-6)
	for i := range p {
		p[i] = math.NaN()
	}
	_, ok = p.Between(0, 5)
	assert.False(t, ok)
}
