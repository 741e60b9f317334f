package ledger

import (
	"github.com/slowburn/slowburn/slo"
)

// Shift moves the account's minutes from next on back by so many, so far at least that all end before next, and adds them to those
// that it has: they were counted by a clock that was ahead. What comes to lie before the first minute is added to that. Next is the
// next minute to be counted. An account that has not come so far is left as it is.
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
	return l.add(a, from-by, moved)
}

// events are those of each minute from the given one up to the watermark.
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

// add adds events to minutes that the account has, from the given one on.
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

// loadOld reads the chunk of an hour of the account, or makes an empty one for an unmeasured hour.
func (l *Ledger) loadOld(c *chunk, a *Account, hour uint32) error {
	b := l.minutes.Get(chunkKey(hour, a.ID))
	if b == nil {
		base, err := a.gapAt(firstOf(hour))
		*c = chunk{base: base}
		return err
	}
	return c.decode(b)
}
