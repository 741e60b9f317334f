package ledger

import (
	"github.com/slowburn/slowburn/slo"
)

// Shift moves the account's minutes from next on back by `by` minutes, or by more if they would not all lie before next, and
// adds their events to the minutes there: a clock that was ahead counted them. Events that would lie before the first minute
// are added to that. next becomes the watermark. Shift does nothing if the watermark is not above next.
func (l *Ledger) Shift(a *Account, next, by Minute) error {
	if next >= a.Next {
		return nil
	}
	from := max(next, a.First)
	by = max(by, a.Next-next)
	moved, err := l.events(a, from)
	if err != nil {
		return err
	}
	late, err := l.late.of(a, from, a.Next)
	if err != nil {
		return err
	}
	totalCarry, badCarry := a.TotalCarry, a.BadCarry
	if err := l.Rewind(a, next); err != nil {
		return err
	}
	a.TotalCarry, a.BadCarry = totalCarry, badCarry
	if a.First == a.Next && len(moved) > 0 { // all of it was ahead
		a.First, a.Next = from-by, from-by
		deltas := make([]Delta, next-a.First)
		if err := l.Append(a, a.First, deltas); err != nil {
			return err
		}
	}
	if len(late) > 0 && a.First < a.Next {
		for i, e := range late { // a minute may be before the first
			if err := l.late.note(a, max(from-by+Minute(i), a.First), []slo.Events{e}); err != nil {
				return err
			}
		}
	}
	return l.add(a, from-by, moved)
}

// events returns the events of each minute from from up to the watermark.
func (l *Ledger) events(a *Account, from Minute) (all []slo.Events, err error) {
	var c chunk
	for m := from; m < a.Next; m++ {
		if m == from || m.ofHour() == 0 {
			if err := l.loadOld(&c, a, m.hour()); err != nil {
				return nil, err
			}
		}
		all = append(all, c.minutes[m.ofHour()])
	}
	return all, nil
}

// add adds events to minutes that the account has, the first of them to from.
func (l *Ledger) add(a *Account, from Minute, events []slo.Events) error {
	var sum slo.Events
	var c chunk
	for hour, i := max(from, a.First).hour(), 0; a.First < a.Next && hour <= (a.Next-1).hour(); hour++ {
		if err := l.loadOld(&c, a, hour); err != nil {
			return err
		}
		c.base = c.base.Add(sum)
		for ; i < len(events) && max(from+Minute(i), a.First) < firstOf(hour+1); i++ {
			n := max(from+Minute(i), a.First).ofHour()
			c.minutes[n] = c.minutes[n].Add(events[i])
			sum = sum.Add(events[i])
		}
		if err := l.minutes.Put(chunkKey(hour, a.ID), c.append(nil)); err != nil {
			return err
		}
	}
	a.Total += sum.Total
	a.Bad += sum.Bad
	return l.save(a)
}

// loadOld reads the chunk of an hour of the account. For an hour within a gap it makes an empty one.
func (l *Ledger) loadOld(c *chunk, a *Account, hour uint32) error {
	b := l.minutes.Get(chunkKey(hour, a.ID))
	if b == nil {
		base, err := a.gapAt(firstOf(hour))
		*c = chunk{base: base}
		return err
	}
	return c.decode(b)
}
