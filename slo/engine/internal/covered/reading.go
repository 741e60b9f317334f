package covered

import (
	"slices"
	"time"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/ledger"
)

// Windows returns the windows of an objective in one list: those given, its tiers' and its own, from the shortest to the longest.
func Windows(o slo.Objective, given []time.Duration) []time.Duration {
	list := make([]time.Duration, 0, len(given)+2*len(o.Tiers)+1)
	list = append(append(list, given...), o.Window)
	for _, t := range o.Tiers {
		list = append(list, t.LongWindow, t.ShortWindow)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Reading holds windows that end at the same minute, with their events and coverage. It is read-only.
type Reading struct {
	Windows []time.Duration
	events  []slo.Events
	covered []ledger.Covered
	lost    []float64
}

// Read reads windows that end before the minute to, in one pass. lost is the account of the spans that were not measured, or nil.
func Read(l *ledger.Ledger, a, lost *ledger.Account, to ledger.Minute, windows []time.Duration) (*Reading, error) {
	n := len(windows)
	r := &Reading{Windows: windows, events: make([]slo.Events, n), covered: make([]ledger.Covered, n), lost: make([]float64, n)}
	minutes := make([]ledger.Minute, n)
	for i, w := range windows {
		minutes[i] = ledger.Minutes(w)
	}
	if lost != nil {
		if err := l.Windows(lost, to, minutes, r.events); err != nil {
			return nil, err
		}
		for i, e := range r.events {
			r.lost[i] = float64(e.Total)
		}
	}
	if err := l.Windows(a, to, minutes, r.events); err != nil {
		return nil, err
	}
	return r, l.Coverage(a, to, minutes, r.covered)
}

// Window returns one of the windows, which must be among those that were read.
func (r *Reading) Window(w time.Duration) alert.Window {
	i, _ := slices.BinarySearch(r.Windows, w)
	return alert.Window{Events: r.events[i], Coverage: slo.Coverage{
		Window: w, Seen: time.Duration(r.covered[i].Seen) * time.Minute, Covered: time.Duration(r.covered[i].Measured) * time.Minute,
		LostSpans: r.lost[i],
	}}
}
