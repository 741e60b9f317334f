package engine

import (
	"errors"
	"fmt"
	"os"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/internal/otherformat"
	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine/internal/book"
	"github.com/slowburn/slowburn/slo/engine/internal/derive"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/notify"
)

// load opens the file and recovers the evaluator's state from it.
func (e *Extension) load(path string, now time.Time) (*state.DB, error) {
	db, err := book.Open(path, e.setMoved)
	if err != nil {
		return nil, err
	}
	err = state.Guard(func() error { return e.evaluator.recover(db, now) })
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, state.ErrCorrupt):
		return nil, err // and the file stays open; see Guard
	default:
		return nil, errors.Join(err, db.Close())
	}
}

// startAnew moves a damaged file aside and makes a new one: spans are accepted and alerts fire, with fresh budgets. A file that
// cannot be opened for another reason fails the start.
func (e *Extension) startAnew(path string, now time.Time, damage error) (*state.DB, error) {
	aside := asideOf(path, now)
	failpoint.Before(failpoint.LedgerAside)
	if err := os.Rename(path, aside); err != nil {
		return nil, errors.Join(damage, err)
	}
	failpoint.After(failpoint.LedgerAside)
	e.tellDamage(aside, damage)
	return e.load(path, now)
}

func asideOf(path string, now time.Time) string {
	return path + ".damaged-" + now.Format("20060102T150405Z")
}

// lostBudgets describes what is lost with the file.
const lostBudgets = "budgets start anew, and notifications that waited are not sent"

// setMoved logs, and keeps for Probe, that the file was of another format version.
func (e *Extension) setMoved(m otherformat.Moved) {
	moved := []otherformat.Moved{m}
	otherformat.Log(e.settings.Logger, moved, book.FormatVersion, lostBudgets)
	text := otherformat.Message(moved, book.FormatVersion, lostBudgets)
	e.damaged.Store(&text)
}

func (e *Extension) tellDamage(aside string, damage error) {
	text := lostBudgets + ": the damaged file was moved to " + aside
	e.damaged.Store(&text)
	e.settings.Logger.Error("the file of the ledger, the alerts and the outbox is damaged: it was moved aside; "+lostBudgets,
		zap.String("moved_to", aside), zap.Error(damage))
}

// replace replaces a damaged file while the gateway runs, and reports whether it could.
func (e *Extension) replace(now time.Time) bool {
	damage := e.db.View(func(*bbolt.Tx) error { return nil })
	if !errors.Is(damage, state.ErrCorrupt) {
		return true // it was replaced already
	}
	aside := asideOf(e.db.Path(), now)
	err := e.db.Replace(aside)
	if err == nil {
		e.tellDamage(aside, damage)
		err = state.Guard(func() error { return e.evaluator.recover(e.db, now) })
	}
	if err != nil {
		text := fmt.Sprintf("%s is damaged and cannot be replaced: %v", e.db.Path(), err)
		e.damaged.Store(&text)
		e.settings.Logger.Error("the file of the ledger, the alerts and the outbox is damaged, and replacing it failed", zap.Error(err))
	}
	return err == nil
}

// recover loads the state from the file, and applies the configuration to the file: alerts of removed objectives resolve, and
// deliveries to removed receivers become dead letters.
func (v *evaluator) recover(db *state.DB, now time.Time) error {
	v.evaluating.Lock()
	defer v.evaluating.Unlock()
	var t *transaction
	v.db = db
	err := db.Update(func(tx *bbolt.Tx) (err error) {
		if v.spans.cursors, err = book.Cursors(tx); err != nil {
			return err
		}
		watermark, ok, err := book.SpanWatermark(tx)
		if err != nil {
			return err
		}
		v.spans.watermark = watermark
		if !ok { // the current minute is the first to be counted, even if a later process evaluates it
			v.spans.watermark = ledger.Elapsed(now)
			if err := book.PutSpanWatermark(tx, v.spans.watermark); err != nil {
				return err
			}
		}
		v.spans.began = v.spans.watermark
		instance, err := book.Instance(tx, v.board.Instance())
		if err != nil {
			return err
		}
		v.board.instance.Store(&instance)
		t = newTransaction(v, tx, now)
		if err := v.recoverObjectives(t); err != nil {
			return err
		}
		names := make([]string, len(v.config.Receivers))
		for i, r := range v.config.Receivers {
			names[i] = r.Name
		}
		n, err := notify.Abandon(tx, names, now)
		if err != nil {
			return err
		}
		if n > 0 {
			t.later(func() {
				v.logger.Warn("deliveries dropped: their receivers are no longer configured", zap.Int("deliveries", n))
			})
		}
		err = t.assess()
		failpoint.Before(failpoint.LedgerRecover)
		return err
	})
	failpoint.After(failpoint.LedgerRecover)
	if err != nil {
		return fmt.Errorf("read %s: %w", db.Path(), err)
	}
	t.publish()
	return nil
}

// recoverObjectives loads the alerts and watermarks, and resolves the alerts of removed objectives.
func (v *evaluator) recoverObjectives(t *transaction) error {
	alerts, err := book.Alerts(t.tx)
	if err != nil {
		return err
	}
	v.progress = make([]progress, len(v.objectives))
	for i, o := range v.objectives {
		v.progress[i].alert = alerts[o.Name]
		delete(alerts, o.Name)
		account, ok, err := t.ledger.Find(o.Name)
		if !ok && err == nil && o.Indicator.Type == slo.PromQL { // likewise; span objectives share a watermark
			account, _, err = t.ledger.Open(o.Name, ledger.Elapsed(t.now), indicatorKey(o.Indicator))
			ok = true
		}
		if err == nil && ok && !derive.SameUnit(account.Indicator, o.Indicator) {
			account, err = t.ledger.Restart(account, indicatorKey(o.Indicator))
			t.later(func() {
				v.logger.Warn("indicator of an objective changed, and with it the unit of its counts: its budget starts anew",
					zap.String("objective", o.Name))
			})
		}
		if err != nil {
			return err
		}
		v.progress[i].watermark = ledger.Elapsed(t.now)
		if ok {
			v.progress[i].watermark = account.Next
		}
		if ok && o.Indicator.CountsSpans() {
			v.spans.began = min(v.spans.began, account.First)
		}
	}
	for _, i := range derive.Composites(v.objectives) { // the accounts of their components exist by now
		o := v.objectives[i]
		account, ok, err := t.ledger.Find(o.Name)
		if err == nil && !ok {
			account, err = derive.Begin(t.ledger, o, min(ledger.Elapsed(t.now), v.spans.watermark), indicatorKey(o.Indicator))
		}
		if err != nil {
			return err
		}
		v.progress[i].watermark = account.Next
	}
	for name, a := range alerts {
		if a.Close(t.now) {
			if err := book.Archive(t.tx, a); err != nil {
				return err
			}
			if err := t.notify(&a, nil); err != nil {
				return err
			}
		}
		if err := book.DeleteAlert(t.tx, name); err != nil {
			return err
		}
	}
	return nil
}
