package derive

import (
	"cmp"
	"slices"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
	"github.com/slowburn/slowburn/slo/ledger"
)

// Composites returns the indexes of the composite objectives, components before what is made of them.
func Composites(objectives []slo.Objective) []int {
	var order []int
	index := map[string]int{}
	for i, o := range objectives {
		if o.Indicator.Type == slo.Composite {
			index[o.Name] = i
		}
	}
	var visit func(i int)
	visit = func(i int) { // the configuration has no cycles
		for _, c := range objectives[i].Indicator.Components {
			if at, ok := index[c.Objective]; ok {
				visit(at)
			}
		}
		if !slices.Contains(order, i) {
			order = append(order, i)
		}
	}
	for i, o := range objectives {
		if o.Indicator.Type == slo.Composite {
			visit(i)
		}
	}
	return order
}

// Compose returns what a composite objective counts in the minutes from from up to, but not including, to: at most limit, and as far as
// all of its components were evaluated. Where none of them measured for hours, counts is nil.
//
// A minute has Σ weight · scale · total events, of which Σ weight · scale · bad are bad. It is measured if any component was.
func Compose(l *ledger.Ledger, in slo.Indicator, from, limit ledger.Minute) (to ledger.Minute, counts *samples.Counts, err error) {
	accounts := make([]*ledger.Account, len(in.Components))
	end := from + limit
	for i, c := range in.Components {
		a, ok, err := l.Find(c.Objective)
		if err != nil || !ok {
			return from, nil, err
		}
		accounts[i] = a
		end = min(end, a.Next)
	}
	if end <= from {
		return from, nil, nil
	}
	if gap := gapFrom(accounts, from); gap-from >= longGap {
		return gap, nil, nil
	}
	out := &samples.Counts{Deltas: make([]ledger.Delta, end-from), Measured: make([]bool, end-from)}
	for i, c := range in.Components {
		on, late, err := onTimeAndLate(l, accounts[i], from, end)
		if err != nil {
			return from, nil, err
		}
		for j := range on {
			m := from + ledger.Minute(j)
			d := weighed(c, on[j])
			out.Deltas[j].Total += d.Total
			out.Deltas[j].Bad += d.Bad
			out.Measured[j] = out.Measured[j] || m < accounts[i].Measured
			if late[j] != (slo.Events{}) {
				out.Earlier = append(out.Earlier, samples.Earlier{Arrived: m, Earlier: ledger.Earlier{Minute: m, Late: true, Delta: weighed(c, late[j])}})
			}
		}
	}
	slices.SortStableFunc(out.Earlier, func(a, b samples.Earlier) int { return cmp.Compare(a.Arrived, b.Arrived) })
	return end, out, nil
}

func weighed(c slo.Component, e slo.Events) ledger.Delta {
	factor := float64(c.Weight * c.Scale)
	return ledger.Delta{Total: factor * float64(e.Total), Bad: factor * float64(e.Bad)}
}

// onTimeAndLate returns the events of an account's minutes, those that are late apart.
func onTimeAndLate(l *ledger.Ledger, a *ledger.Account, from, to ledger.Minute) (on, late []slo.Events, err error) {
	if on, err = l.ByMinute(a, from, to); err != nil {
		return nil, nil, err
	}
	late = make([]slo.Events, len(on))
	if all, err := l.Late(a, from, to); err != nil || all == (slo.Events{}) {
		return on, late, err
	}
	for i := range on {
		m := from + ledger.Minute(i)
		if late[i], err = l.Late(a, m, m+1); err != nil {
			return nil, nil, err
		}
		on[i] = slo.Events{Total: on[i].Total - late[i].Total, Bad: on[i].Bad - late[i].Bad}
	}
	return on, late, nil
}

// lateWindow is the longest time for which events are added to an earlier minute.
const lateWindow = 15

// CatchUp adds to a composite account the events that were added to its components' earlier minutes, which it had composed already.
// An account whose key is another has sums of other weights, and stays as it is.
func CatchUp(l *ledger.Ledger, in slo.Indicator, a *ledger.Account, key string) error {
	from, to := max(a.Next-lateWindow-1, a.First, a.IndicatorSince), a.Next
	if to <= from || a.Indicator != key {
		return nil
	}
	on, late, err := onTimeAndLate(l, a, from, to)
	if err != nil {
		return err
	}
	missing := make([][2]ledger.Delta, len(on))
	for _, c := range in.Components {
		component, ok, err := l.Find(c.Objective)
		if err != nil || !ok {
			return err
		}
		itsOn, itsLate, err := onTimeAndLate(l, component, from, to)
		if err != nil {
			return err
		}
		for i := range missing {
			for j, e := range []slo.Events{itsOn[i], itsLate[i]} {
				d := weighed(c, e)
				missing[i][j].Total += d.Total
				missing[i][j].Bad += d.Bad
			}
		}
	}
	var earlier []ledger.Earlier
	for i, both := range missing {
		for j, has := range []slo.Events{on[i], late[i]} {
			d := ledger.Delta{Total: max(both[j].Total-float64(has.Total), 0), Bad: max(both[j].Bad-float64(has.Bad), 0)}
			if d != (ledger.Delta{}) {
				earlier = append(earlier, ledger.Earlier{Minute: from + ledger.Minute(i), Late: j == 1, Delta: d})
			}
		}
	}
	return l.AddEarlier(a, earlier)
}

// gapFrom returns the first minute after the gaps that all accounts have at a minute, or the minute if one has none.
func gapFrom(accounts []*ledger.Account, from ledger.Minute) ledger.Minute {
	var end ledger.Minute
	for i, a := range accounts {
		to := from
		for _, g := range a.Gaps {
			if g.From <= from && from < g.To {
				to = g.To
			}
		}
		if i == 0 || to < end {
			end = to
		}
	}
	return end
}

// backlog is how many minutes are composed at once.
const backlog = 1000

// Begin makes the account of a composite objective and fills it with the history of its components: nothing has to be waited for.
// It starts with the first minute of any of them, and no later than start.
func Begin(l *ledger.Ledger, o slo.Objective, start ledger.Minute, key string) (*ledger.Account, error) {
	for _, c := range o.Indicator.Components {
		a, ok, err := l.Find(c.Objective)
		if err != nil {
			return nil, err
		}
		if ok {
			start = min(start, a.First)
		}
	}
	a, _, err := l.Open(o.Name, start, key)
	if err != nil {
		return nil, err
	}
	for {
		to, counts, err := Compose(l, o.Indicator, a.Next, backlog)
		if err != nil || to <= a.Next {
			return a, err
		}
		if err := put(l, a, to, counts); err != nil {
			return nil, err
		}
	}
}

func put(l *ledger.Ledger, a *ledger.Account, to ledger.Minute, counts *samples.Counts) error {
	if counts == nil {
		return l.Skip(a, to)
	}
	for i, ok := range counts.Measured {
		if ok {
			a.Measured = max(a.Measured, a.Next+ledger.Minute(i)+1)
		}
	}
	if err := l.Append(a, a.Next, counts.Deltas); err != nil {
		return err
	}
	var late []ledger.Earlier
	for _, e := range counts.Earlier {
		late = append(late, e.Earlier)
	}
	return l.AddEarlier(a, late)
}
