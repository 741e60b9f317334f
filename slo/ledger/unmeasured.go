package ledger

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
)

// Reason is why minutes were not measured.
type Reason byte

// The reasons. Their numbers are stored.
const (
	// GatewayDown: the process that counts did not run.
	GatewayDown Reason = 1 + iota
	// DatabaseAway: the time series database could not be queried, or counts did not reach it.
	DatabaseAway
	// NoValue: the query gave no value.
	NoValue
	// ClockJump: the clock jumped ahead, over minutes that nobody lived through.
	ClockJump
	// CountedLate: the database was away, and the events of the minutes were counted when it came back. These minutes are covered.
	CountedLate
)

var reasons = [...]string{GatewayDown: "gateway_down", DatabaseAway: "database_away", NoValue: "no_value", ClockJump: "clock_jump", CountedLate: "counted_late"}

// String returns the reason in snake case, as the API writes it.
func (r Reason) String() string {
	if int(r) < len(reasons) && reasons[r] != "" {
		return reasons[r]
	}
	return fmt.Sprintf("reason_%d", byte(r))
}

// Run is a run of minutes that were not measured.
type Run struct {
	// From is the first minute, To the first after the run.
	From, To Minute
	Reason   Reason
}

// missing returns how many minutes of the run are not covered.
func (r Run) missing() Minute {
	if r.Reason == CountedLate {
		return 0
	}
	return r.To - r.From
}

// Unmeasured holds the runs of all accounts, within one transaction. It is part of a Ledger.
type Unmeasured struct{ bucket *bbolt.Bucket }

// Covered says how much of a window was measured, in minutes.
type Covered struct {
	// Seen is the part of the window since the account's first minute, Measured the part of Seen that was measured.
	Seen, Measured Minute
}

// record is a run as it is stored, with the sum of the missing minutes of the account's runs before it.
type record struct {
	Run
	before Minute
}

const recordSize = 1 + 4 + 4

func runKey(id uint32, from Minute) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(make([]byte, 0, 8), id), uint32(from))
}

func decodeRun(k, v []byte) (r record, err error) {
	if len(k) != 8 || len(v) != recordSize {
		return record{}, fmt.Errorf("%w: a run of unmeasured minutes has %d and %d bytes", state.ErrCorrupt, len(k), len(v))
	}
	r.From, r.Reason = Minute(binary.BigEndian.Uint32(k[4:])), Reason(v[0])
	r.To, r.before = Minute(binary.BigEndian.Uint32(v[1:])), Minute(binary.BigEndian.Uint32(v[5:]))
	if r.To <= r.From {
		return record{}, fmt.Errorf("%w: a run of unmeasured minutes ends before it begins", state.ErrCorrupt)
	}
	return r, nil
}

func (u *Unmeasured) put(a *Account, r record) error {
	v := binary.BigEndian.AppendUint32([]byte{byte(r.Reason)}, uint32(r.To))
	return u.bucket.Put(runKey(a.ID, r.From), binary.BigEndian.AppendUint32(v, uint32(r.before)))
}

// lastBefore returns the last record before a key; nil if there is none.
func lastBefore(c *bbolt.Cursor, key []byte) (k, v []byte) {
	if at, _ := c.Seek(key); at == nil {
		return c.Last()
	}
	return c.Prev()
}

// before returns the account's last run that begins before the minute, and false if there is none.
func (u *Unmeasured) before(a *Account, m Minute) (record, bool, error) {
	c := u.bucket.Cursor()
	k, v := lastBefore(c, runKey(a.ID, m))
	if len(k) < 4 || binary.BigEndian.Uint32(k) != a.ID {
		return record{}, false, nil
	}
	r, err := decodeRun(k, v)
	return r, err == nil, err
}

// Miss records that the minutes of a run were not measured. It follows the account's earlier runs; minutes that one of those
// has are left out.
func (u *Unmeasured) Miss(a *Account, r Run) error {
	last, ok, err := u.before(a, lastMinute)
	if err != nil {
		return err
	}
	if r.From = max(r.From, 0); ok {
		r.From = max(r.From, last.To)
	}
	switch {
	case r.From >= r.To:
		return nil
	case ok && last.To == r.From && last.Reason == r.Reason:
		last.To = r.To
		return u.put(a, last)
	default:
		return u.put(a, record{r, last.before + last.missing()})
	}
}

// lastMinute is the last minute that a key can hold.
const lastMinute Minute = 1<<32 - 1

// Returned notes that the database is back at a minute, of which it has samples. If it was away before that, for at most the given number
// of minutes, these become CountedLate: their events are in the counts that come now.
func (u *Unmeasured) Returned(a *Account, at, limit Minute) error {
	last, ok, err := u.before(a, lastMinute)
	if err != nil || !ok || last.To > at || last.Reason != DatabaseAway || last.To-last.From > limit {
		return err
	}
	last.Reason = CountedLate
	return u.put(a, last)
}

// Coverage fills result with how much of windows was measured, that all end before the minute to: result[i] is for windows[i].
func (u *Unmeasured) Coverage(a *Account, to Minute, windows []Minute, result []Covered) error {
	end := min(to, a.Next)
	last, some, err := u.before(a, end)
	if err != nil {
		return err
	}
	upTo := last.upTo(end)
	for i, w := range windows {
		from := max(to-w, a.First)
		result[i] = Covered{Seen: max(end-from, 0)}
		missing := Minute(0)
		switch {
		case !some || from >= end || last.To <= from:
		case last.From <= from:
			missing = upTo - last.upTo(from)
		default:
			earlier, err := u.missingBefore(a, from)
			if err != nil {
				return err
			}
			missing = upTo - earlier
		}
		result[i].Measured = result[i].Seen - missing
	}
	return nil
}

// missingBefore returns the missing minutes of the account before m, where it has a run that begins at m or later.
func (u *Unmeasured) missingBefore(a *Account, m Minute) (Minute, error) {
	c := u.bucket.Cursor()
	k, v := c.Seek(runKey(a.ID, m))
	next, err := decodeRun(k, v)
	if err != nil {
		return 0, err
	}
	k, v = c.Prev()
	if len(k) < 4 || binary.BigEndian.Uint32(k) != a.ID { // none is left: those before were pruned
		return next.before, nil
	}
	r, err := decodeRun(k, v)
	return r.upTo(m), err
}

// upTo returns the missing minutes of the account before m, where r is its last run that begins before m.
func (r *record) upTo(m Minute) Minute {
	cut := r.Run
	cut.To = max(min(cut.To, m), cut.From)
	return r.before + cut.missing()
}

// Runs returns the account's unmeasured runs within the minutes from from up to, but not including, to: the latest first, at most limit
// of them, and how many there are.
func (u *Unmeasured) Runs(a *Account, from, to Minute, limit int) (runs []Run, all int, err error) {
	c := u.bucket.Cursor()
	k, v := lastBefore(c, runKey(a.ID, to))
	for ; len(k) >= 4 && binary.BigEndian.Uint32(k) == a.ID; k, v = c.Prev() {
		r, err := decodeRun(k, v)
		if err != nil {
			return nil, 0, err
		}
		if r.To <= from {
			break
		}
		if all++; all <= limit {
			runs = append(runs, Run{From: max(r.From, from), To: min(r.To, to), Reason: r.Reason})
		}
	}
	return runs, all, nil
}

// cut deletes what the account's runs have before from, where whole runs are, and all they have from to on.
func (u *Unmeasured) cut(a *Account, from, to Minute) error {
	c := u.bucket.Cursor()
	prefix := runKey(a.ID, 0)
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix[:4]); {
		r, err := decodeRun(k, v)
		if err != nil {
			return err
		}
		if r.To > from {
			break
		}
		if err := c.Delete(); err != nil {
			return err
		}
		k, v = c.Seek(prefix)
	}
	for {
		r, ok, err := u.before(a, lastMinute)
		if err != nil || !ok || r.To <= to {
			return err
		}
		if r.From < to {
			r.To = to
			return u.put(a, r)
		}
		if err := u.bucket.Delete(runKey(a.ID, r.From)); err != nil {
			return err
		}
	}
}
