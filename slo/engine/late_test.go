package engine

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
	"github.com/slowburn/slowburn/slo/ledger"
)

// aged adds a sample to the series of an age.
func (f *fakeTSDB) aged(metric, objective, age string, at time.Time, v float64) {
	f.sample(metric, objective, "aged "+age, at, v)
	f.series[metric+objective+"aged "+age].Metric["age"] = model.LabelValue(age)
}

// TestOldEventsDoNotPage: 100 failed spans that ended two hours ago spend the budget and page nobody, however young the ledger is.
// The same spans counted by their arrival page.
func TestOldEventsDoNotPage(t *testing.T) {
	for _, c := range []struct {
		age    string
		window string
		pages  bool
	}{
		{"late", "15m", false}, {"late", "1m", false}, {"late", "0s", true},
		{"0", "15m", true},
		{"10", "15m", false}, // before the ledger began
	} {
		for _, after := range []int{1, 4, 40} { // minutes for which the ledger exists
			if c.age == "10" && after == 40 {
				continue // they are in the 30 minutes of the second tier
			}
			t.Run(fmt.Sprint(c.age, " within ", c.window, " after ", after), func(t *testing.T) {
				db := newFakeTSDB()
				e := openAt(t, parse(t, "late_window: "+c.window+twoObjectives), db, noon)
				defer closeIt(t, e)
				at := noon.Add(time.Duration(after)*time.Minute - time.Second)
				for _, metric := range []string{samples.TotalMetric, samples.BadMetric} {
					db.aged(metric, "a", c.age, at.Add(-10*time.Second), 0)
					for i := range 120 {
						db.aged(metric, "a", c.age, at.Add(time.Duration(10*i)*time.Second), 100)
					}
				}
				for m := range 80 {
					require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Duration(m)*time.Minute+20*time.Second), true, true)))
				}
				assert.Equal(t, c.pages, len(toldOf(t, e, "a")) > 0, "%v", told(t, e))
				s, _ := e.Status("a")
				assert.Equal(t, Events{Total: 100, Bad: 100}, s.Events)
				assert.Less(t, s.Budget.RemainingRatio, 1.0)
				late := Events{}
				if !c.pages {
					late = Events{Total: 100, Bad: 100}
				}
				assert.Equal(t, late, s.Late)
			})
		}
	}
}

// TestEventsByTheirMinute checks that the ledger has in each minute the spans that ended in it, and alerts follow from it in the same
// way, whether minutes are evaluated one by one or many at once, with restarts between.
func TestEventsByTheirMinute(t *testing.T) {
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 9))
		db := newFakeTSDB()
		const minutes, late = 150, 16
		want := map[ledger.Minute]slo.Events{}
		first := ledger.Elapsed(noon)
		var sums [late + 1]slo.Events
		for m := range ledger.Minute(minutes) {
			bad := 0.02
			if m > 70 && m < 85 {
				bad = 0.5
			}
			for step := range 6 {
				for range rng.IntN(8) {
					age := ledger.Minute(0)
					if rng.IntN(3) == 0 {
						age = ledger.Minute(rng.IntN(late + 1))
					}
					event := slo.Events{Total: 1}
					if rng.Float64() < bad {
						event.Bad = 1
					}
					belongs := max(first+m-min(age, 15), first)
					want[belongs] = want[belongs].Add(event)
					sums[age] = sums[age].Add(event)
				}
				for age, sum := range sums {
					label := fmt.Sprint(age)
					if age == late {
						label = "late"
					}
					at := (first + m).Start().Add(time.Duration(10*step+5) * time.Second)
					if m == 0 && step == 0 {
						db.aged(samples.TotalMetric, "a", label, noon, 0)
						db.aged(samples.BadMetric, "a", label, noon, 0)
					}
					db.aged(samples.TotalMetric, "a", label, at, float64(sum.Total))
					db.aged(samples.BadMetric, "a", label, at, float64(sum.Bad))
				}
			}
		}
		var statuses []Status
		var notices [][]string
		for _, every := range []int{1, 7, minutes} {
			config := parse(t, strings.TrimPrefix(twoObjectives, "\n"))
			e := openAt(t, config, db, noon)
			for m := every; m <= minutes+every; m += every {
				now := noon.Add(time.Duration(min(m, minutes))*time.Minute + 20*time.Second)
				require.NoError(t, e.evaluator.evaluate(t.Context(), believed(now, true, true)))
				if every == 7 && rng.IntN(4) == 0 {
					closeIt(t, e)
					e = openAt(t, config, db, now)
				}
			}
			require.Equal(t, want, minuteCounts(t, e, "a", noon, noon.Add(minutes*time.Minute)), "seed %d, every %d", seed, every)
			s, _ := e.Status("a")
			statuses, notices = append(statuses, s), append(notices, toldOf(t, e, "a"))
			closeIt(t, e)
		}
		require.NotEmpty(t, notices[0], "seed %d", seed)
		for i := range statuses {
			require.Equal(t, notices[0], notices[i], "seed %d", seed)
			require.Equal(t, statuses[0], statuses[i], "seed %d", seed)
		}
	}
}

func TestLateWindowIsValidated(t *testing.T) {
	for text, valid := range map[string]bool{"0s": true, "1m": true, "15m": true, "16m": false, "90s": false, "-1m": false} {
		err := parse(t, "late_window: "+text).Validate()
		if valid {
			assert.NoError(t, err, text)
		} else {
			assert.ErrorContains(t, err, "late_window: ", text)
		}
	}
}
