package parts

import (
	"time"

	"github.com/slowburn/slowburn/slo/ledger"
)

// MinutesKept is how long parts are kept by minute. After that they are kept by hour.
const MinutesKept = 7 * 24 * time.Hour

// pruneAtOnce bounds the tables that one Prune turns into hours: those that are left are for the next.
const pruneAtOnce = 50_000

// Prune turns minutes of the hours before that of minutes into hours, and deletes hours of the days before that of hours.
func (s *Store) Prune(minutes, hours ledger.Minute) error {
	for range pruneAtOnce {
		if _, more, err := s.rollFirst(hourOf(minutes)); err != nil || !more {
			if err != nil {
				return err
			}
			break
		}
	}
	for {
		if _, more, err := s.dropFirst(dayOf(hours)); err != nil || !more {
			return err
		}
	}
}

func dayOf(m ledger.Minute) uint32 { return uint32(m / minutesPerDay) }

// GiveUpMinutes turns the oldest minutes before the hour of horizon into hours until that has freed so many bytes. It returns the bytes
// that it freed.
func (s *Store) GiveUpMinutes(bytes int64, horizon ledger.Minute) (freed int64, err error) {
	return giveUp(bytes, func() (int, bool, error) { return s.rollFirst(hourOf(horizon)) })
}

// GiveUpHours deletes the oldest hours before the day of horizon until that has freed so many bytes. It returns the bytes that it freed.
func (s *Store) GiveUpHours(bytes int64, horizon ledger.Minute) (freed int64, err error) {
	return giveUp(bytes, func() (int, bool, error) { return s.dropFirst(dayOf(horizon)) })
}

func giveUp(bytes int64, step func() (freed int, more bool, err error)) (freed int64, err error) {
	for freed < bytes {
		n, more, err := step()
		freed += int64(n)
		if err != nil || !more {
			return freed, err
		}
	}
	return freed, nil
}

// rollFirst turns the first table of minutes into hours if it is of an earlier hour than horizon. It returns the bytes that this freed,
// and false if there is no such table.
func (s *Store) rollFirst(horizon uint32) (freed int, more bool, err error) {
	c := s.minutes.Cursor()
	k, v := c.First()
	if k == nil {
		return 0, false, nil
	}
	hour, id, err := parseKey(k)
	if err != nil || hour >= horizon {
		return 0, false, err
	}
	minutes, err := decode(v, minutesPerHour)
	if err != nil {
		return 0, false, err
	}
	day := hour / hoursPerDay
	before := len(s.hours.Get(keyOf(day, id)))
	hours, err := s.load(s.hours, day, id, hoursPerDay)
	if err != nil {
		return 0, false, err
	}
	for _, r := range minutes.rows {
		if n := r.sum(); n > 0 {
			hours.at(r.key).n[hour%hoursPerDay] += n
		}
	}
	freed = len(k) + len(v) + before
	if err := c.Delete(); err != nil {
		return 0, false, err
	}
	hours.fold()
	if err := s.put(s.hours, day, id, hours); err != nil {
		return 0, false, err
	}
	return freed - len(s.hours.Get(keyOf(day, id))), true, nil
}

// dropFirst deletes the first table of hours if it is of an earlier day than horizon. It returns the bytes that this freed, and false if
// there is no such table.
func (s *Store) dropFirst(horizon uint32) (freed int, more bool, err error) {
	c := s.hours.Cursor()
	k, v := c.First()
	if k == nil {
		return 0, false, nil
	}
	day, _, err := parseKey(k)
	if err != nil || day >= horizon {
		return 0, false, err
	}
	freed = len(k) + len(v)
	return freed, true, c.Delete()
}

// First returns the first minute that has parts, and the first that has them by minute; 0 where there is none.
func (s *Store) First() (all, byMinute ledger.Minute, err error) {
	if k, _ := s.minutes.Cursor().First(); k != nil {
		hour, _, err := parseKey(k)
		if err != nil {
			return 0, 0, err
		}
		byMinute = firstOf(hour)
	}
	all = byMinute
	if k, _ := s.hours.Cursor().First(); k != nil {
		day, _, err := parseKey(k)
		if err != nil {
			return 0, 0, err
		}
		all = ledger.Minute(day) * minutesPerDay
	}
	return all, byMinute, nil
}
