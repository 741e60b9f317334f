package engine

import (
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/notify"
)

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
