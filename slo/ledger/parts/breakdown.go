package parts

import (
	"cmp"
	"slices"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
)

// maxRows is the most rows of a Breakdown.
const maxRows = 100

// Breakdown says which parts the events of an objective came from.
type Breakdown struct {
	// From is the first minute, To the first after the last. They lie on whole hours where only those are kept.
	From, To ledger.Minute
	// Events are all events of the objective in the range.
	Events slo.Events
	// Rows are the parts, the most bad events first.
	Rows []Row
	// Omitted are the events of parts beyond the first maxRows.
	Omitted Omitted
	// Other are the events in rows of which a value is Other.
	Other slo.Events
	// Uncovered are the events whose parts are not kept: from before parts were kept, or given up.
	Uncovered slo.Events
}

// Omitted counts what a Breakdown has no rows for.
type Omitted struct {
	Rows   int
	Events slo.Events
}

// Row is one part. Its Part has only the dimensions that were chosen. With the dimension Reason a row has the bad events of one reason,
// and Total counts all events of the part, whatever came of them, so rows of one part have the same Total.
type Row struct {
	Part   Part
	Events slo.Events
}

// Break breaks the events of an account down by the given dimensions, from the minute from up to, but not including, to.
func (s *Store) Break(l *ledger.Ledger, a *ledger.Account, from, to ledger.Minute, by []Dimension) (Breakdown, error) {
	b := Breakdown{From: max(from, a.First), To: min(to, a.Next)}
	if b.From >= b.To {
		b.From, b.To = from, to
		return b, nil
	}
	sums := map[key]uint64{}
	if err := s.sumHours(a.ID, &b, sums); err != nil {
		return b, err
	}
	b.From, b.To = max(b.From, a.First), min(b.To, a.Next)
	if err := s.sumMinutes(a.ID, b.From, b.To, sums); err != nil {
		return b, err
	}
	var err error
	if b.Events, err = l.Sum(a, b.From, b.To); err != nil {
		return b, err
	}
	b.Uncovered = b.Events
	for k, n := range sums {
		if k.bad {
			b.Uncovered.Bad = lacking(b.Uncovered.Bad, n)
		} else {
			b.Uncovered.Total = lacking(b.Uncovered.Total, n)
		}
	}
	b.Rows = rowsOf(sums, by)
	for _, r := range b.Rows {
		if r.Part.other(by) {
			b.Other = b.Other.Add(r.Events)
		}
	}
	if len(b.Rows) > maxRows {
		for _, r := range b.Rows[maxRows:] {
			b.Omitted.Events = b.Omitted.Events.Add(r.Events)
		}
		b.Omitted.Rows = len(b.Rows) - maxRows
		b.Rows = b.Rows[:maxRows]
	}
	return b, nil
}

// sumHours adds the events of the range that are kept by hour, and widens the range to whole hours where it cuts one.
func (s *Store) sumHours(id uint32, b *Breakdown, sums map[key]uint64) error {
	first, last := hourOf(b.From), hourOf(b.To-1)
	for day := first / hoursPerDay; day <= last/hoursPerDay; day++ {
		v := s.hours.Get(keyOf(day, id))
		if v == nil {
			continue
		}
		t, err := decode(v, hoursPerDay)
		if err != nil {
			return err
		}
		for hour := max(first, day*hoursPerDay); hour <= min(last, day*hoursPerDay+hoursPerDay-1); hour++ {
			if t.events(int(hour%hoursPerDay)) == (slo.Events{}) {
				continue
			}
			t.sum(int(hour%hoursPerDay), int(hour%hoursPerDay)+1, sums)
			b.From, b.To = min(b.From, firstOf(hour)), max(b.To, firstOf(hour+1))
		}
	}
	return nil
}

// sumMinutes adds the events of the range that are kept by minute.
func (s *Store) sumMinutes(id uint32, from, to ledger.Minute, sums map[key]uint64) error {
	return s.eachHour(id, from, to, func(hour uint32, t *table) error {
		t.sum(max(0, int(from-firstOf(hour))), min(minutesPerHour, int(to-firstOf(hour))), sums)
		return nil
	})
}

// sum adds the events of some slots.
func (t *table) sum(first, end int, sums map[key]uint64) {
	for _, r := range t.rows {
		for _, n := range r.n[first:end] {
			sums[r.key] += n
		}
	}
}

// rowsOf groups sums by dimensions, the rows with the most bad events first, then those with the most events.
func rowsOf(sums map[key]uint64, by []Dimension) []Row {
	groups := slices.DeleteFunc(slices.Clone(by), func(d Dimension) bool { return d == Reason })
	byReason := len(groups) < len(by)
	totals, bads := map[Part]uint64{}, map[Part]uint64{}
	for k, n := range sums {
		switch {
		case n == 0:
		case k.bad:
			bads[k.part.project(by)] += n
		default:
			totals[k.part.project(groups)] += n
		}
	}
	var rows []*Row
	for part, n := range bads {
		rows = append(rows, &Row{part, slo.Events{Total: totals[part.project(groups)], Bad: n}})
	}
	for part, n := range totals {
		if _, listed := bads[part]; !listed && !byReason {
			rows = append(rows, &Row{part, slo.Events{Total: n}})
		}
	}
	slices.SortFunc(rows, func(a, b *Row) int {
		return cmp.Or(cmp.Compare(b.Events.Bad, a.Events.Bad), cmp.Compare(b.Events.Total, a.Events.Total), a.Part.compare(b.Part))
	})
	sorted := make([]Row, len(rows))
	for i, r := range rows {
		sorted[i] = *r
	}
	return sorted
}
