package ledger

import (
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
)

// Earlier holds events of a minute that the account has already: they arrived after it was appended.
type Earlier struct {
	Minute Minute
	// Late says that the events happened before Minute, nobody knows when. Windows count them, Late tells how many.
	Late bool
	Delta
}

const (
	// lateKept is how many minutes back Late remembers.
	lateKept   = Minute(7 * 24 * minutesPerHour)
	lateFormat = 1
)

// lateEvents says which events of minutes are late, in a bucket of their own.
type lateEvents struct{ bucket *bbolt.Bucket }

// AddEarlier adds events to minutes below the watermark and saves the account. Events of minutes before the account's first are added to
// that, as late ones. The account must have a minute.
func (l *Ledger) AddEarlier(a *Account, all []Earlier) error {
	if a.First >= a.Next || len(all) == 0 {
		return nil
	}
	oldest := a.Next - 1
	for _, e := range all {
		oldest = min(oldest, max(e.Minute, a.First))
	}
	sums := make([]slo.Events, a.Next-oldest)
	late := make([]slo.Events, len(sums))
	for _, e := range all {
		i := min(max(e.Minute, a.First), a.Next-1) - oldest
		events := slo.Events{Total: carry(&a.TotalCarry, e.Total), Bad: carry(&a.BadCarry, e.Bad)}
		sums[i] = sums[i].Add(events)
		if e.Late || e.Minute < a.First {
			late[i] = late[i].Add(events)
		}
	}
	if err := l.late.note(a, oldest, late); err != nil {
		return err
	}
	return l.add(a, oldest, sums)
}

// Late returns how many events of the account's minutes from from up to, but not including, to are late, as far as it remembers:
// for a week.
func (l *Ledger) Late(a *Account, from, to Minute) (sum slo.Events, err error) {
	events, err := l.late.of(a, from, to)
	for _, e := range events {
		sum = sum.Add(e)
	}
	return sum, err
}

// of returns the late events of each minute from from on, as far as there are any.
func (l lateEvents) of(a *Account, from, to Minute) (events []slo.Events, err error) {
	from, to = max(from, a.First, a.LateUntil-lateKept), min(to, a.LateUntil)
	if from >= to {
		return nil, nil
	}
	events = make([]slo.Events, to-from)
	for hour := from.hour(); hour <= (to - 1).hour(); hour++ {
		err := eachLate(l.bucket.Get(chunkKey(hour, a.ID)), func(ofHour int, e slo.Events) {
			if m := firstOf(hour) + Minute(ofHour); m >= from && m < to {
				events[m-from] = e
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return events, nil
}

// note adds to the late events of minutes, the first of which is from. The caller saves the account.
func (l lateEvents) note(a *Account, from Minute, events []slo.Events) error {
	for len(events) > 0 {
		hour := from.hour()
		n := min(Minute(len(events)), firstOf(hour+1)-from)
		if err := l.noteHour(a, hour, from.ofHour(), events[:n]); err != nil {
			return err
		}
		from, events = from+n, events[n:]
	}
	return nil
}

func (l lateEvents) noteHour(a *Account, hour uint32, first int, events []slo.Events) error {
	last := len(events) - 1
	for last >= 0 && events[last] == (slo.Events{}) {
		last--
	}
	if last < 0 {
		return nil
	}
	var minutes [minutesPerHour]slo.Events
	key := chunkKey(hour, a.ID)
	if err := eachLate(l.bucket.Get(key), func(ofHour int, e slo.Events) { minutes[ofHour] = e }); err != nil {
		return err
	}
	for i, e := range events[:last+1] {
		minutes[first+i] = minutes[first+i].Add(e)
	}
	a.LateUntil = max(a.LateUntil, firstOf(hour)+Minute(first+last)+1)
	return l.put(key, &minutes)
}

func (l lateEvents) put(key []byte, minutes *[minutesPerHour]slo.Events) error {
	b := []byte{lateFormat}
	for i, e := range minutes {
		if e != (slo.Events{}) {
			b = appendEvents(append(b, byte(i)), e)
		}
	}
	if len(b) == 1 {
		return l.bucket.Delete(key)
	}
	return l.bucket.Put(key, b)
}

// eachLate yields the late events of the minutes of an hour. It returns state.ErrCorrupt for anything that put did not write.
func eachLate(b []byte, yield func(ofHour int, e slo.Events)) error {
	if b == nil {
		return nil
	}
	if len(b) == 0 || b[0] != lateFormat {
		return fmt.Errorf("%w: unknown format of late events", state.ErrCorrupt)
	}
	for r := chunkReader(b[1:]); len(r) > 0; {
		ofHour := int(r[0])
		r = r[1:]
		e, err := r.next()
		if err != nil {
			return err
		}
		if ofHour >= minutesPerHour {
			return fmt.Errorf("%w: late events of minute %d of an hour", state.ErrCorrupt, ofHour)
		}
		yield(ofHour, e)
	}
	return nil
}

// cut forgets which events from next on are late. The caller saves the account.
func (l lateEvents) cut(a *Account, next Minute) error {
	if a.LateUntil <= next {
		return nil
	}
	for hour := max(next, a.LateUntil-lateKept, 0).hour(); hour <= (a.LateUntil - 1).hour(); hour++ {
		key := chunkKey(hour, a.ID)
		var minutes [minutesPerHour]slo.Events
		err := eachLate(l.bucket.Get(key), func(ofHour int, e slo.Events) {
			if firstOf(hour)+Minute(ofHour) < next {
				minutes[ofHour] = e
			}
		})
		if err == nil {
			err = l.put(key, &minutes)
		}
		if err != nil {
			return err
		}
	}
	a.LateUntil = next
	return nil
}

// prune forgets which events before the hour of horizon are late.
func (l lateEvents) prune(horizon Minute) error {
	c := l.bucket.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.First() {
		if len(k) < 4 {
			return fmt.Errorf("%w: the late events %x have no hour", state.ErrCorrupt, k)
		}
		if binary.BigEndian.Uint32(k) >= max(horizon, 0).hour() {
			return nil
		}
		if err := c.Delete(); err != nil {
			return err
		}
	}
	return nil
}
