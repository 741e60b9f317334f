package engine

import (
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/slo/ledger"
)

// aheadAllowed is how far a watermark may be ahead of the clock before the clock counts as set back.
const aheadAllowed = 5 * time.Minute

// latest is the furthest watermark.
func (e *Extension) latest() ledger.Minute {
	last := e.spanWatermark
	for _, m := range e.watermarks {
		last = max(last, m)
	}
	return last
}

// rewind takes everything back to the minute, after the clock was set back for good: what was evaluated for later minutes
// is forgotten, in budgets too, and those minutes are evaluated when they come. What series counted up to now counts as
// seen: their next samples add what came after.
func (e *Extension) rewind(end ledger.Minute, now time.Time) error {
	was := e.latest()
	rewound := cursors{}
	for id, c := range e.cursors {
		if c.at > now.UnixMilli() {
			rewound[id] = cursor{now.UnixMilli(), c.value}
		}
	}
	var t *transaction
	err := e.db.Update(func(tx *bbolt.Tx) error {
		t = newTransaction(e, tx, now)
		for i, o := range e.objectives {
			t.watermarks[i] = min(e.watermarks[i], end)
			a, ok, err := t.ledger.Find(o.Name)
			if err != nil {
				return err
			}
			if ok {
				if err := t.ledger.Rewind(a, end); err != nil {
					return fmt.Errorf("objective %s: %w", o.Name, err)
				}
			}
			al := t.alert(i)
			if al.Rewind(now) {
				t.alerts[i] = al
				if err := putAlert(tx, al); err != nil {
					return err
				}
			}
		}
		if err := putSpanWatermark(tx, min(e.spanWatermark, end)); err != nil {
			return err
		}
		if err := rewound.save(tx); err != nil {
			return err
		}
		return t.assess()
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", e.db.Path(), err)
	}
	e.spanWatermark = min(e.spanWatermark, end)
	e.pruned = min(e.pruned, end-e.retention)
	for id, c := range rewound {
		e.cursors[id] = c
	}
	t.publish()
	e.settings.Logger.Warn("The clock was set back: evaluation goes on from now, and what was evaluated for later minutes is forgotten",
		zap.Time("evaluated_until", was.Start()), zap.Time("now", now))
	return nil
}
