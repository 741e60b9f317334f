package parts

import (
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo/ledger"
)

const (
	minutesBucket = "ledger_part_minutes"
	hoursBucket   = "ledger_part_hours"
)

// Buckets names the top-level buckets that New needs.
var Buckets = []string{minutesBucket, hoursBucket}

const (
	minutesPerHour = 60
	hoursPerDay    = 24
	minutesPerDay  = minutesPerHour * hoursPerDay
)

// Store is the parts of all objectives within one transaction. It is valid as long as the transaction, and not safe for concurrent
// use.
type Store struct {
	minutes, hours *bbolt.Bucket
}

// New returns the parts in a file that was opened with Buckets.
func New(tx *bbolt.Tx) *Store {
	s := &Store{tx.Bucket([]byte(minutesBucket)), tx.Bucket([]byte(hoursBucket))}
	s.hours.FillPercent = 0.9 // days are written one after the other; tables of minutes grow where they are, and need bbolt's half
	return s
}

// Book books events of an account by part, after the ledger has: those of the minutes from from up to the account's watermark, which
// have no parts yet, and late ones of earlier minutes. It needs no delta for an event that the ledger has: that is one of Other.
func (s *Store) Book(l *ledger.Ledger, a *ledger.Account, from ledger.Minute, deltas []Delta) error {
	first, byHour := from, map[uint32][]Delta{}
	for _, d := range deltas {
		d.Minute = min(max(d.Minute, a.First), a.Next-1) // as in the ledger
		first = min(first, d.Minute)
		byHour[hourOf(d.Minute)] = append(byHour[hourOf(d.Minute)], d)
	}
	if first >= a.Next {
		return nil
	}
	for hour := hourOf(first); hour <= hourOf(a.Next-1); hour++ {
		fresh := max(from, firstOf(hour))
		if len(byHour[hour]) == 0 && fresh >= min(a.Next, firstOf(hour+1)) {
			continue // an hour between late events, or before from
		}
		if err := s.bookHour(l, a, hour, from, byHour[hour]); err != nil {
			return err
		}
	}
	return nil
}

// bookHour books the events of one hour.
func (s *Store) bookHour(l *ledger.Ledger, a *ledger.Account, hour uint32, from ledger.Minute, deltas []Delta) error {
	start, end := max(firstOf(hour), a.First), min(firstOf(hour+1), a.Next)
	events, err := l.ByMinute(a, start, end)
	if err != nil {
		return err
	}
	t, err := s.load(s.minutes, hour, a.ID, minutesPerHour)
	if err != nil {
		return err
	}
	byMinute := map[ledger.Minute][]Delta{}
	for _, d := range deltas {
		byMinute[d.Minute] = append(byMinute[d.Minute], d)
	}
	booked := false
	for i, e := range events {
		m := start + ledger.Minute(i)
		if wanted := byMinute[m]; len(wanted) > 0 || m >= from && (e.Total > 0 || e.Bad > 0) {
			t.book(int(m-firstOf(hour)), e, wanted, m >= from)
			booked = true
		}
	}
	if !booked {
		return nil
	}
	t.fold()
	return s.put(s.minutes, hour, a.ID, t)
}

// load reads a table, and makes an empty one where there is none.
func (s *Store) load(b *bbolt.Bucket, slot, id uint32, slots int) (*table, error) {
	v := b.Get(keyOf(slot, id))
	if v == nil {
		return newTable(slots), nil
	}
	return decode(v, slots)
}

// put stores a table; an empty one is deleted.
func (s *Store) put(b *bbolt.Bucket, slot, id uint32, t *table) error {
	if len(t.rows) == 0 {
		return b.Delete(keyOf(slot, id))
	}
	return b.Put(keyOf(slot, id), t.append(nil))
}

func hourOf(m ledger.Minute) uint32 { return uint32(m / minutesPerHour) }

func firstOf(hour uint32) ledger.Minute { return ledger.Minute(hour) * minutesPerHour }

func keyOf(slot, id uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(make([]byte, 0, 8), slot), id)
}

// parseKey returns the hour or day, and the account, of a key.
func parseKey(k []byte) (slot, id uint32, err error) {
	if len(k) != 8 {
		return 0, 0, fmt.Errorf("%w: the key %x of a table of parts has %d bytes", state.ErrCorrupt, k, len(k))
	}
	return binary.BigEndian.Uint32(k), binary.BigEndian.Uint32(k[4:]), nil
}
