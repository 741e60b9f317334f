package parts

import (
	"github.com/slowburn/slowburn/slo/ledger"
)

// Shift moves the parts of an account as ledger.Shift has moved its minutes: those from next up to was, the watermark before, by `by`
// minutes or more. It is called after ledger.Shift, with the same account.
func (s *Store) Shift(a *ledger.Account, next, was, by ledger.Minute) error {
	if next >= was {
		return nil
	}
	by = max(by, was-next)
	moved := movedEvents{}
	err := s.eachHour(a.ID, next, was, func(hour uint32, t *table) error {
		for slot := max(0, int(next-firstOf(hour))); slot < minutesPerHour; slot++ {
			to := max(firstOf(hour)+ledger.Minute(slot)-by, a.First)
			for _, r := range t.rows {
				moved.add(to, r.key, r.n[slot])
			}
		}
		t.clear(max(0, int(next-firstOf(hour))))
		t.fold()
		return s.put(s.minutes, hour, a.ID, t)
	})
	if err != nil {
		return err
	}
	if err := s.unroll(a, next, was, by, moved); err != nil {
		return err
	}
	tables := map[uint32]*table{}
	for m, events := range moved {
		t := tables[hourOf(m)]
		if t == nil {
			if t, err = s.load(s.minutes, hourOf(m), a.ID, minutesPerHour); err != nil {
				return err
			}
			tables[hourOf(m)] = t
		}
		for k, n := range events {
			t.at(k).n[m-firstOf(hourOf(m))] += n
		}
	}
	for hour, t := range tables {
		t.fold()
		if err := s.put(s.minutes, hour, a.ID, t); err != nil {
			return err
		}
	}
	return nil
}

// movedEvents holds events by the minute that they move to.
type movedEvents map[ledger.Minute]map[key]uint64

func (e movedEvents) add(m ledger.Minute, k key, n uint64) {
	if n == 0 {
		return
	}
	if e[m] == nil {
		e[m] = map[key]uint64{}
	}
	e[m][k] += n
}

// unroll moves whole hours: a clock that was ahead for long has turned its minutes into hours. Their events move to one minute each.
func (s *Store) unroll(a *ledger.Account, next, was, by ledger.Minute, moved movedEvents) error {
	for day := dayOf(next); day <= dayOf(was-1); day++ {
		v := s.hours.Get(keyOf(day, a.ID))
		if v == nil {
			continue
		}
		t, err := decode(v, hoursPerDay)
		if err != nil {
			return err
		}
		first := ledger.Minute(day) * minutesPerDay
		slot := int(max(0, (next-first+minutesPerHour-1)/minutesPerHour)) // of the first hour that begins at next or later
		for _, r := range t.rows {
			for h := slot; h < hoursPerDay; h++ {
				moved.add(max(first+ledger.Minute(h)*minutesPerHour-by, a.First), r.key, r.n[h])
			}
		}
		if slot < hoursPerDay {
			t.clear(slot)
			t.fold()
			if err := s.put(s.hours, day, a.ID, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// eachHour calls f with the account's tables of minutes from the hour of from up to that of to. f may change the table.
func (s *Store) eachHour(id uint32, from, to ledger.Minute, f func(hour uint32, t *table) error) error {
	for hour := hourOf(from); firstOf(hour) < to; hour++ {
		v := s.minutes.Get(keyOf(hour, id))
		if v == nil {
			continue
		}
		t, err := decode(v, minutesPerHour)
		if err != nil {
			return err
		}
		if err := f(hour, t); err != nil {
			return err
		}
	}
	return nil
}
