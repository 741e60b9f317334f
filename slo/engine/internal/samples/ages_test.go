package samples

import (
	"testing"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo/ledger"
)

// TestAges checks to which minute events belong, by the age of their series, the minute of their sample and the window.
func TestAges(t *testing.T) {
	at := first + 30 // the minute that is read
	late := func(m ledger.Minute) []Earlier {
		return []Earlier{{at, ledger.Earlier{Minute: m, Late: true, Delta: ledger.Delta{Total: 7, Bad: 7}}}}
	}
	earlier := func(m ledger.Minute) []Earlier {
		return []Earlier{{at, ledger.Earlier{Minute: m, Delta: ledger.Delta{Total: 7, Bad: 7}}}}
	}
	for name, c := range map[string]struct {
		age     string
		window  ledger.Minute
		minute  float64 // of the sample, after first
		now     float64 // events of the minute that is read
		earlier []Earlier
	}{
		"no age":                        {"", 15, 30, 7, nil},
		"age 0":                         {"0", 15, 30, 7, nil},
		"age 1":                         {"1", 15, 30, 0, earlier(at - 1)},
		"the oldest age":                {"15", 15, 30, 0, earlier(at - 15)},
		"late":                          {"late", 15, 30, 0, late(at - 15)},
		"an age that sli does not have": {"16", 15, 30, 0, late(at - 15)},
		"not a number":                  {"old", 15, 30, 7, nil},
		"negative":                      {"-3", 15, 30, 7, nil},
		"a shorter window":              {"6", 5, 30, 0, late(at - 5)},
		"the edge of a shorter window":  {"5", 5, 30, 0, earlier(at - 5)},
		"no window":                     {"5", 0, 30, 7, nil},
		"no window, late":               {"late", 0, 30, 7, nil},
		"a late sample":                 {"0", 15, 28, 0, earlier(at - 2)},
		"a late sample of old events":   {"3", 15, 28, 0, earlier(at - 5)},
		"beyond the window by both":     {"14", 15, 28, 0, late(at - 15)},
		"a late sample without window":  {"3", 0, 28, 7, nil},
	} {
		t.Run(name, func(t *testing.T) {
			db := new(database)
			for _, metric := range []string{TotalMetric, BadMetric} {
				db.sample(metric, "a", "x", [2]float64{60*c.minute + 1, 0}, [2]float64{60*c.minute + 10, 7})
				db.series[len(db.series)-1].Metric[ageLabel] = model.LabelValue(c.age)
			}
			counts, _, err := ReadSpans(t.Context(), db, Cursors{}, at, at+1, 60, 60, c.window)
			require.NoError(t, err)
			assert.Equal(t, []ledger.Delta{{Total: c.now, Bad: c.now}}, counts["a"].Deltas)
			assert.Equal(t, c.earlier, counts["a"].Earlier)
		})
	}
}

// TestEarlierByArrival checks that earlier events are in the order of their arrival, and added up by minute.
func TestEarlierByArrival(t *testing.T) {
	c := newCounts(first, first+3)
	for _, e := range []struct {
		arrived, age ledger.Minute
		late         bool
	}{{2, 1, false}, {0, 3, false}, {2, 1, false}, {1, 0, true}, {1, 15, false}, {0, 1, false}, {1, 0, false}} {
		c.add(first+e.arrived, first, e.age, 15, e.late, false, 1)
	}
	one := func(minute ledger.Minute, late bool, n float64) ledger.Earlier {
		return ledger.Earlier{Minute: first + minute, Late: late, Delta: ledger.Delta{Total: n}}
	}
	assert.Equal(t, []Earlier{
		{first, one(-3, false, 1)}, {first, one(-1, false, 1)},
		{first + 1, one(-14, true, 1)}, {first + 1, one(-14, false, 1)},
		{first + 2, one(1, false, 2)},
	}, c.Earlier)
	assert.Equal(t, []ledger.Delta{{}, {Total: 1}, {}}, c.Deltas)
}
