package samples

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/prometheus/common/model"

	"github.com/slowburn/slowburn/slo/ledger"
)

// ageLabel has how many minutes before the minute of a sample the spans of its events ended: 0 to oldestAge, or lateAge. A series
// without it has age 0.
const (
	ageLabel  = "age"
	lateAge   = "late"
	oldestAge = 15
)

// ageOf returns the age of a series in minutes, and true if its events are older than any age.
func ageOf(m model.Metric) (age ledger.Minute, late bool) {
	text := string(m[ageLabel])
	if text == lateAge {
		return 0, true
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, false
	}
	return ledger.Minute(n), n > oldestAge
}

// Earlier holds events of a minute that arrived in a later one: their spans ended before that, or their samples came late.
type Earlier struct {
	// Arrived is the minute of their samples.
	Arrived ledger.Minute
	ledger.Earlier
}

// add counts events of an indicator whose samples arrived in a minute, and returns the minute that they belong to. from is the first minute that is not in the ledger yet.
// Events belong to the minute that is age minutes before that of their sample, or to the oldest minute of the window if they are older.
func (c *Counts) add(arrived, from, age, window ledger.Minute, late, bad bool, n float64) (belongs ledger.Minute) {
	d := ledger.Delta{Total: n}
	if bad {
		d = ledger.Delta{Bad: n}
	}
	seen := max(arrived, from) // a sample of a minute before is seen now
	belongs = arrived - age
	if oldest := seen - window; late || belongs < oldest {
		belongs, late = oldest, window > 0
	}
	if n == 0 || belongs == seen {
		c.Deltas[seen-from].Total += d.Total
		c.Deltas[seen-from].Bad += d.Bad
		return seen
	}
	key := Earlier{Arrived: seen, Earlier: ledger.Earlier{Minute: belongs, Late: late}}
	i, ok := slices.BinarySearchFunc(c.Earlier, key, compareEarlier)
	if !ok {
		c.Earlier = slices.Insert(c.Earlier, i, key)
	}
	c.Earlier[i].Total += d.Total
	c.Earlier[i].Bad += d.Bad
	return belongs
}

// compareEarlier orders events by their arrival, then by their minute.
func compareEarlier(a, b Earlier) int {
	if order := cmp.Or(cmp.Compare(a.Arrived, b.Arrived), cmp.Compare(a.Minute, b.Minute)); order != 0 || a.Late == b.Late {
		return order
	}
	if a.Late {
		return -1
	}
	return 1
}
