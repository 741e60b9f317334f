package derive

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
	"github.com/slowburn/slowburn/slo/ledger"
)

// Derived reports whether an objective's account holds what Book derives from its events.
func Derived(in slo.Indicator) bool { return in.Slices != nil || in.WantsTraffic() }

// EventsAccount returns the name of the account that holds the events of a derived objective. No objective can have it.
func EventsAccount(objective string) string { return objective + "/events" }

// Accounts returns the names of all accounts of an objective.
func Accounts(o slo.Objective) []string {
	if Derived(o.Indicator) {
		return []string{o.Name, EventsAccount(o.Name)}
	}
	return []string{o.Name}
}

// longGap is from how many minutes on a gap is recorded in one piece.
const longGap = 240

// Book appends the events of the minutes from from on to the account of a derived objective's events, and returns what these minutes
// count for the objective. Counts of nil are a gap up to, but not including, to; for it Book returns nil.
func Book(l *ledger.Ledger, o slo.Objective, from, to ledger.Minute, counts *samples.Counts) (*samples.Counts, error) {
	events := o.Indicator
	events.Slices = nil
	key, err := json.Marshal(events)
	if err != nil {
		return nil, err
	}
	a, _, err := l.Open(EventsAccount(o.Name), from, string(key))
	if err != nil {
		return nil, err
	}
	if counts == nil {
		return nil, l.Skip(a, to)
	}
	if from-a.Next >= longGap {
		if err := l.Skip(a, from); err != nil {
			return nil, err
		}
	}
	counts = byArrival(counts, from)
	measured := a.Measured
	for i, ok := range counts.Measured {
		if ok {
			a.Measured = max(a.Measured, from+ledger.Minute(i)+1)
		}
	}
	if err := l.Append(a, from, counts.Deltas); err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	switch o.Indicator.Type {
	case slo.Throughput:
		return throughput(o.Indicator.Minimum, counts), nil
	case slo.Freshness:
		return freshness(l, o, a, from, counts)
	}
	return judge(l, a, *o.Indicator.Slices, from, counts, measured)
}

// byArrival returns counts in which events belong to the minute in which they arrived: a minute is judged when it ends, and
// most events arrive within seconds. Late events say nothing of any minute, and are left out.
func byArrival(counts *samples.Counts, from ledger.Minute) *samples.Counts {
	out := *counts
	out.Deltas = slices.Clone(counts.Deltas)
	for _, e := range counts.Earlier {
		if d := &out.Deltas[e.Arrived-from]; !e.Late {
			d.Total += e.Total
			d.Bad += e.Bad
		}
	}
	return &out
}

// throughput counts each minute in which the connector sli counted, as bad if it has fewer events than the minimum.
func throughput(minimum float64, events *samples.Counts) *samples.Counts {
	out := &samples.Counts{Deltas: make([]ledger.Delta, len(events.Deltas)), Measured: events.Measured}
	for i, counting := range events.Counting {
		if !counting {
			continue
		}
		out.Deltas[i].Total = 1
		if events.Deltas[i].Total < minimum*(1-1e-9) {
			out.Deltas[i].Bad = 1
		}
	}
	return out
}

// judge counts each slice that ends in the minutes from from on. measured is the first minute after the last measured one before
// from.
func judge(l *ledger.Ledger, a *ledger.Account, s slo.Slices, from ledger.Minute, events *samples.Counts, measured ledger.Minute) (*samples.Counts, error) {
	out := &samples.Counts{Deltas: make([]ledger.Delta, len(events.Deltas)), Measured: events.Measured}
	length := ledger.Minutes(s.Length)
	for i := range events.Deltas {
		m := from + ledger.Minute(i)
		if events.Measured[i] {
			measured = m + 1
		}
		begins := m + 1 - length
		if (m+1)%length != 0 || begins < a.First || measured <= begins {
			continue
		}
		e, err := l.Sum(a, begins, m+1)
		if err != nil {
			return nil, err
		}
		if e == (slo.Events{}) && s.Empty == slo.EmptySkip {
			continue
		}
		out.Deltas[i].Total = 1
		if !s.Good(e) {
			out.Deltas[i].Bad = 1
		}
	}
	return out, nil
}
