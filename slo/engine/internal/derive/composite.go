package derive

import (
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
		events, err := l.Minutes(accounts[i], from, end)
		if err != nil {
			return from, nil, err
		}
		factor := float64(c.Weight * c.Scale)
		for j, e := range events {
			out.Deltas[j].Total += factor * float64(e.Total)
			out.Deltas[j].Bad += factor * float64(e.Bad)
			out.Measured[j] = out.Measured[j] || from+ledger.Minute(j) < accounts[i].Measured
		}
	}
	return end, out, nil
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
	return l.Append(a, a.Next, counts.Deltas)
}
