package ledger

import (
	"encoding/binary"
	"fmt"
	"math"

	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
)

const (
	accountsBucket   = "ledger_accounts"
	minutesBucket    = "ledger_minutes"
	lateBucket       = "ledger_late"
	unmeasuredBucket = "ledger_unmeasured"
)

// Buckets names the top-level buckets that New needs.
var Buckets = []string{accountsBucket, minutesBucket, lateBucket, unmeasuredBucket}

// Ledger is the ledger within one transaction. It is valid as long as the transaction, and not safe for concurrent use.
type Ledger struct {
	accounts, minutes *bbolt.Bucket
	late              lateEvents
	*Unmeasured
}

// New returns the ledger in a file that was opened with Buckets.
func New(tx *bbolt.Tx) *Ledger {
	return &Ledger{tx.Bucket([]byte(accountsBucket)), tx.Bucket([]byte(minutesBucket)), lateEvents{tx.Bucket([]byte(lateBucket))},
		&Unmeasured{tx.Bucket([]byte(unmeasuredBucket))}}
}

// Account holds the totals of one objective.
type Account struct {
	ID   uint32 `json:"id"`
	Name string `json:"name"`
	// First is the first minute counted.
	First Minute `json:"first"`
	// Next is the first minute that is not counted yet: the watermark.
	Next Minute `json:"next"`
	// Total and Bad count the events from First, or before where minutes were pruned, up to Next.
	Total uint64 `json:"total"`
	Bad   uint64 `json:"bad"`
	// TotalCarry and BadCarry are what rounding left over, to be added to the next minute.
	TotalCarry float64 `json:"total_carry,omitempty"`
	BadCarry   float64 `json:"bad_carry,omitempty"`
	// Indicator identifies what the latest minutes count; IndicatorSince is the first minute counted by it.
	Indicator      string `json:"indicator"`
	IndicatorSince Minute `json:"indicator_since"`
	// Measured is the first minute after the last measured one; 0 when none was.
	Measured Minute `json:"measured,omitempty"`
	// Gaps lists the runs of unmeasured minutes that have no chunks, in order.
	Gaps []Gap `json:"gaps,omitempty"`
	// LateUntil is the first minute after the last one with late events; 0 if there is none.
	LateUntil Minute `json:"late_until,omitempty"`
}

// Events returns all events of the account so far.
func (a *Account) Events() slo.Events { return slo.Events{Total: a.Total, Bad: a.Bad} }

// Delta holds the events of one minute. Counts need not be whole: PromQL extrapolates, and a head-sampled span stands for 1/p
// spans. NaN, infinite and negative counts are taken as 0.
type Delta struct{ Total, Bad float64 }

// Find returns the account of an objective, and false if there is none.
func (l *Ledger) Find(name string) (*Account, bool, error) {
	a, ok, err := state.Get[Account](l.accounts, []byte(name))
	if ok && err == nil {
		err = a.check([]byte(name))
	}
	return &a, ok, err
}

// check returns state.ErrCorrupt if the account is stored under another name: saving it would overwrite the account of its own
// name.
func (a *Account) check(key []byte) error {
	if a.Name == string(key) {
		return nil
	}
	return fmt.Errorf("%w: the account of %q is under the name %q", state.ErrCorrupt, a.Name, key)
}

// Open returns the account of an objective, and makes one that starts at the minute if there is none. The indicator is any text
// that changes when the objective counts something else; changed says that it did since the last Open. History is kept in any
// case.
func (l *Ledger) Open(name string, start Minute, indicator string) (a *Account, changed bool, err error) {
	a, ok, err := l.Find(name)
	if err != nil {
		return nil, false, err
	}
	switch {
	case !ok:
		id, err := l.accounts.NextSequence()
		if err != nil {
			return nil, false, err
		}
		if id > math.MaxUint32 {
			return nil, false, fmt.Errorf("the ledger has had %d objectives, more than it can number", id)
		}
		a = &Account{ID: uint32(id), Name: name, First: start, Next: start, Indicator: indicator, IndicatorSince: start}
	case a.Indicator != indicator:
		a.Indicator, a.IndicatorSince, changed = indicator, a.Next, true
	default:
		return a, false, nil
	}
	return a, changed, l.save(a)
}

func (l *Ledger) save(a *Account) error { return state.Put(l.accounts, []byte(a.Name), *a) }

// Append counts minutes, the first of which is from, and saves the account. Minutes below the watermark are ignored; minutes
// between the watermark and from become zeros.
func (l *Ledger) Append(a *Account, from Minute, deltas []Delta) error {
	end := from + Minute(len(deltas))
	var c chunk
	for a.Next < end {
		hour := a.Next.hour()
		if err := l.load(&c, a, hour); err != nil {
			return err
		}
		for stop := min(end, firstOf(hour+1)); a.Next < stop; a.Next++ {
			if a.Next < from {
				continue
			}
			d := deltas[a.Next-from]
			e := slo.Events{Total: carry(&a.TotalCarry, d.Total), Bad: carry(&a.BadCarry, d.Bad)}
			c.minutes[a.Next.ofHour()] = e
			a.Total += e.Total
			a.Bad += e.Bad
		}
		if err := l.minutes.Put(chunkKey(hour, a.ID), c.append(nil)); err != nil {
			return err
		}
	}
	return l.save(a)
}

// load reads the chunk of the hour that is appended to, or makes it.
func (l *Ledger) load(c *chunk, a *Account, hour uint32) error {
	b := l.minutes.Get(chunkKey(hour, a.ID))
	if b == nil {
		*c = chunk{base: a.Events()}
		return nil
	}
	return c.decode(b)
}

// carry rounds the sum of v and rest to a whole number, which it returns, and stores what is left in rest. A negative rest
// stays, so that an event that was rounded up is not counted again.
func carry(rest *float64, v float64) uint64 {
	if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
		v = 0
	}
	sum := v + *rest
	n := math.Round(sum)
	if n < 0 {
		n = 0
	}
	*rest = sum - n
	return uint64(n)
}

// Sum returns the events of the account's minutes from from up to, but not including, to. Minutes that the account does not
// have count 0.
func (l *Ledger) Sum(a *Account, from, to Minute) (slo.Events, error) {
	if from >= to {
		return slo.Events{}, nil
	}
	upTo, err := l.before(a, to)
	if err != nil {
		return slo.Events{}, err
	}
	return l.since(a, from, upTo)
}

// Windows fills result with the events of windows that all end before the minute to: result[i] is for windows[i], in minutes.
func (l *Ledger) Windows(a *Account, to Minute, windows []Minute, result []slo.Events) error {
	upTo, err := l.before(a, to)
	if err != nil {
		return err
	}
	for i, w := range windows {
		if result[i], err = l.since(a, to-w, upTo); err != nil {
			return err
		}
	}
	return nil
}

func (l *Ledger) since(a *Account, from Minute, upTo slo.Events) (slo.Events, error) {
	e, err := l.before(a, from)
	return slo.Events{Total: upTo.Total - e.Total, Bad: upTo.Bad - e.Bad}, err
}

// before returns all events of the account before the minute.
func (l *Ledger) before(a *Account, m Minute) (slo.Events, error) {
	m = max(m, a.First)
	if m >= a.Next {
		return a.Events(), nil
	}
	b := l.minutes.Get(chunkKey(m.hour(), a.ID))
	if b == nil {
		return a.gapAt(m)
	}
	return eventsBefore(b, m.ofHour())
}

// Rewind deletes the account's minutes from next on, which becomes the watermark. It does nothing if the watermark is not above
// next.
func (l *Ledger) Rewind(a *Account, next Minute) error {
	if next >= a.Next {
		return nil
	}
	events, err := l.before(a, next)
	if err != nil {
		return err
	}
	for hour := next.hour(); hour <= (a.Next - 1).hour(); hour++ {
		if hour > next.hour() || next <= a.First || next.ofHour() == 0 {
			if err := l.minutes.Delete(chunkKey(hour, a.ID)); err != nil {
				return err
			}
			continue
		}
		var c chunk
		if err := l.loadOld(&c, a, hour); err != nil {
			return err
		}
		clear(c.minutes[next.ofHour():])
		if err := l.minutes.Put(chunkKey(hour, a.ID), c.append(nil)); err != nil {
			return err
		}
	}
	if err := l.late.cut(a, next); err != nil {
		return err
	}
	a.cutGaps(0, next)
	if err := l.cut(a, 0, next); err != nil {
		return err
	}
	a.Measured = min(a.Measured, next)
	a.Next, a.First, a.IndicatorSince = next, min(a.First, next), min(a.IndicatorSince, next)
	a.Total, a.Bad, a.TotalCarry, a.BadCarry = events.Total, events.Bad, 0, 0
	return l.save(a)
}

// Prune deletes the minutes before the hour of horizon, and accounts that end there. Windows that reach back further then count
// fewer events.
func (l *Ledger) Prune(horizon Minute) error {
	hour := horizon.hour()
	c := l.minutes.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.First() {
		if len(k) < 4 {
			return fmt.Errorf("%w: the chunk %x has no hour", state.ErrCorrupt, k)
		}
		if binary.BigEndian.Uint32(k) >= hour {
			break
		}
		if err := c.Delete(); err != nil {
			return err
		}
	}
	var gone, moved []Account
	newest := horizon
	accounts := l.accounts.Cursor()
	for k, v := accounts.First(); k != nil; k, v = accounts.Next() {
		a, err := state.Decode[Account](v)
		if err == nil {
			err = a.check(k)
		}
		newest = max(newest, a.Next)
		switch {
		case err != nil:
			return fmt.Errorf("account %q: %w", k, err)
		case a.Next <= firstOf(hour):
			gone = append(gone, a)
		case a.First < firstOf(hour):
			moved = append(moved, a)
		}
	}
	for _, a := range gone {
		if err := l.cut(&a, 0, 0); err != nil {
			return err
		}
		if err := l.accounts.Delete([]byte(a.Name)); err != nil {
			return err
		}
	}
	for _, a := range moved {
		a.First = firstOf(hour)
		a.cutGaps(a.First, a.Next)
		if err := l.cut(&a, a.First, a.Next); err != nil {
			return err
		}
		if err := l.save(&a); err != nil {
			return err
		}
	}
	return l.late.prune(max(horizon, newest-lateKept))
}

func chunkKey(hour, id uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(make([]byte, 0, 8), hour), id)
}
