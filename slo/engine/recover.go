package engine

import (
	"errors"
	"fmt"
	"os"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/notify"
)

// load opens the file and takes over what it holds.
func (e *Extension) load(path string, now time.Time) (*state.DB, error) {
	db, err := openFile(path)
	if err != nil {
		return nil, err
	}
	err = state.Guard(func() error { return e.recover(db, now) })
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, state.ErrCorrupt):
		return nil, err // and the file stays open; see Guard
	default:
		return nil, errors.Join(err, db.Close())
	}
}

// startAnew moves a damaged file aside and begins a new one: spans are to be taken and alerts to be told of, with
// budgets that start anew. A file that cannot be opened for another reason is left to whoever starts the gateway.
func (e *Extension) startAnew(path string, now time.Time, damage error) (*state.DB, error) {
	aside := path + ".damaged-" + now.Format("20060102T150405Z")
	if err := os.Rename(path, aside); err != nil {
		return nil, errors.Join(damage, err)
	}
	e.damaged = "budgets start anew; the damaged file is " + aside
	e.settings.Logger.Error("The file of the ledger, the alerts and the outbox is damaged. It was moved aside: budgets start anew, "+
		"and notifications that waited in it are not sent", zap.String("moved_to", aside), zap.Error(damage))
	return e.load(path, now)
}

// recover brings memory to where the file is, and the file to the configuration: alerts of objectives that are gone
// resolve, and deliveries to receivers that are gone are dead letters.
func (e *Extension) recover(db *state.DB, now time.Time) error {
	e.evaluating.Lock()
	defer e.evaluating.Unlock()
	var t *transaction
	err := db.Update(func(tx *bbolt.Tx) (err error) {
		if e.cursors, err = loadCursors(tx); err != nil {
			return err
		}
		watermark, ok, err := spanWatermark(tx)
		if err != nil {
			return err
		}
		e.spanWatermark = watermark
		if !ok { // the minute that is going on is the first to be counted
			e.spanWatermark = ledger.Elapsed(now)
		}
		t = newTransaction(e, tx, now)
		if err := e.recoverObjectives(t); err != nil {
			return err
		}
		names := make([]string, len(e.config.Receivers))
		for i, r := range e.config.Receivers {
			names[i] = r.Name
		}
		n, err := notify.Abandon(tx, names, now)
		if err != nil {
			return err
		}
		if n > 0 {
			t.later(func() {
				e.settings.Logger.Warn("Alerts were waiting for receivers that are no longer configured", zap.Int("deliveries", n))
			})
		}
		return t.assess()
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", db.Path(), err)
	}
	t.publish()
	return nil
}

// recoverObjectives loads the alerts and watermarks, and resolves the alerts of objectives that are gone.
func (e *Extension) recoverObjectives(t *transaction) error {
	alerts, err := loadAlerts(t.tx)
	if err != nil {
		return err
	}
	e.alerts = make([]alert.Alert, len(e.objectives))
	e.watermarks = make([]ledger.Minute, len(e.objectives))
	for i, o := range e.objectives {
		e.alerts[i] = alerts[o.Name]
		delete(alerts, o.Name)
		account, ok, err := t.ledger.Find(o.Name)
		if err != nil {
			return err
		}
		e.watermarks[i] = ledger.Elapsed(t.now)
		if ok {
			e.watermarks[i] = account.Next
		}
	}
	for name, a := range alerts {
		if a.Close(t.now) {
			if err := archive(t.tx, a); err != nil {
				return err
			}
			if err := t.notify(&a, nil); err != nil {
				return err
			}
		}
		if err := deleteAlert(t.tx, name); err != nil {
			return err
		}
	}
	return nil
}
