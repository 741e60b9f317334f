package engine

import (
	"fmt"
	"maps"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/slo/engine/internal/book"
	"github.com/slowburn/slowburn/slo/engine/internal/derive"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
	"github.com/slowburn/slowburn/slo/ledger"
)

// aheadAllowed is how far a watermark may be ahead of the clock before the clock counts as set back.
const aheadAllowed = 5 * time.Minute

// latest returns the latest watermark.
func (v *evaluator) latest() ledger.Minute {
	last := v.spans.watermark
	for i := range v.progress {
		last = max(last, v.progress[i].watermark)
	}
	return last
}

// jump follows a clock that jumped ahead and is now believed: it moves the cursors ahead by as much. Those series were read a
// moment ago, so their cursors are not old and their next increment counts.
func (v *evaluator) jump(jumped time.Duration, now time.Time) error {
	by := jumped - v.jumped
	if by > 0 {
		v.spans.outages.Add(ledger.Run{From: v.spans.watermark, To: ledger.Elapsed(now), Reason: ledger.ClockJump})
		carried := samples.Cursors{}
		for id, c := range v.spans.cursors {
			carried[id] = samples.Cursor{At: max(c.At, min(c.At+by.Milliseconds(), now.UnixMilli())), Value: c.Value}
		}
		if err := v.db.Update(func(tx *bbolt.Tx) error { return book.PutCursors(tx, carried) }); err != nil {
			return fmt.Errorf("write %s: %w", v.db.Path(), err)
		}
		v.spans.cursors = carried
	}
	v.jumped = jumped
	return nil
}

// rewind moves everything back to the minute end, after the clock was set back permanently. Minutes after it were counted by a
// clock that was ahead: their events move back by as much, and the minutes are evaluated again when they come. Cursors after
// now move to now, so that the next samples of these series add only what came since.
func (v *evaluator) rewind(end ledger.Minute, now time.Time) error {
	was := v.latest()
	rewound := samples.Cursors{}
	for id, c := range v.spans.cursors {
		if c.At > now.UnixMilli() {
			rewound[id] = samples.Cursor{At: now.UnixMilli(), Value: c.Value}
		}
	}
	var t *transaction
	failpoint.Before(failpoint.LedgerRewind)
	err := v.db.Update(func(tx *bbolt.Tx) error {
		t = newTransaction(v, tx, now)
		for i, o := range v.objectives {
			t.watermarks[i] = min(v.progress[i].watermark, end)
			for _, name := range derive.Accounts(o) {
				a, ok, err := t.ledger.Find(name)
				if err != nil {
					return err
				}
				if !ok {
					continue
				}
				next := a.Next
				if err := t.ledger.Shift(a, end, was-end); err != nil {
					return fmt.Errorf("objective %s: %w", o.Name, err)
				}
				if err := t.parts.Shift(a, end, next, was-end); err != nil {
					return fmt.Errorf("objective %s: %w", o.Name, err)
				}
			}
			al := t.alert(i)
			if al.Rewind(now) {
				t.alerts[i] = al
				if err := book.PutAlert(tx, al); err != nil {
					return err
				}
			}
		}
		if err := book.PutSpanWatermark(tx, min(v.spans.watermark, end)); err != nil {
			return err
		}
		if err := book.PutCursors(tx, rewound); err != nil {
			return err
		}
		return t.assess()
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", v.db.Path(), err)
	}
	failpoint.After(failpoint.LedgerRewind)
	v.spans.watermark = min(v.spans.watermark, end)
	v.spans.began = min(v.spans.began, v.spans.watermark)
	v.spans.outages.Forget(end)
	v.spans.lost = min(v.spans.lost, end)
	v.pruned = min(v.pruned, end-v.retention)
	maps.Copy(v.spans.cursors, rewound)
	t.publish()
	v.logger.Warn("clock set back: evaluation goes on from now, and later minutes that were evaluated move back by as much",
		zap.Time("evaluated_until", was.Start()), zap.Time("now", now), zap.Duration("by", was.Start().Sub(end.Start())))
	return nil
}
