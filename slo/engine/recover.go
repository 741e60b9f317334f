package engine

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/failpoint"
	"github.com/slowburn/slowburn/internal/otherformat"
	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine/internal/book"
	"github.com/slowburn/slowburn/slo/engine/internal/covered"
	"github.com/slowburn/slowburn/slo/engine/internal/derive"
	"github.com/slowburn/slowburn/slo/engine/internal/readback"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
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
		v.spans.began, v.spans.lost = v.spans.watermark, v.spans.watermark
		v.spans.outages = covered.Outages{}
		v.spans.outages.Add(ledger.Run{From: v.spans.watermark, To: ledger.Elapsed(now), Reason: ledger.GatewayDown})
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
	v.define()
	for _, d := range v.spans.each {
		services, err := t.services(d)
		if err != nil {
			return err
		}
		for _, service := range services[:min(len(services), d.Each.Limit)] {
			v.add(d.For(service), 0)
		}
	}
	v.progress = make([]progress, len(v.objectives))
	for i, o := range v.objectives {
		v.progress[i].alert = alerts[o.Name]
		delete(alerts, o.Name)
		account, ok, err := t.ledger.Find(o.Name)
		if !ok && err == nil && o.Indicator.Type == slo.PromQL { // likewise; span objectives share a watermark
			account, _, err = t.ledger.Open(o.Name, ledger.Elapsed(t.now), indicatorKey(o.Indicator))
			ok = true
			err = errors.Join(err, t.beginReadBack(i, ledger.Elapsed(t.now)))
		} else if err == nil {
			v.progress[i].back, err = readback.Find(t.tx, o.Name)
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
	if err := readback.Keep(t.tx, func(name string) bool {
		return slices.ContainsFunc(v.objectives, func(o slo.Objective) bool { return o.Name == name && o.Indicator.Type == slo.PromQL })
	}); err != nil {
		return err
	}
	for _, a := range alerts {
		if err := t.resolve(a); err != nil {
			return err
		}
	}
	return nil
}

// resolve ends the alert of an objective that there is no longer.
func (t *transaction) resolve(a alert.Alert) error {
	if a.Close(t.now) {
		if err := book.Archive(t.tx, a); err != nil {
			return err
		}
		if err := t.notify(&a, nil); err != nil {
			return err
		}
	}
	return book.DeleteAlert(t.tx, a.Objective)
}

// define makes the evaluator's objectives those of the configuration, without those that definitions make.
func (v *evaluator) define() {
	v.objectives, v.spans.each, v.progress = nil, nil, nil
	for _, o := range v.board.configured {
		if o.Each.By != "" {
			v.spans.each = append(v.spans.each, o)
		} else {
			v.add(o, 0)
		}
	}
	v.board.defined.Store(new(slices.Clone(v.objectives)))
}

// add adds an objective.
func (v *evaluator) add(o slo.Objective, watermark ledger.Minute) {
	v.objectives = append(v.objectives, o)
	v.progress = append(v.progress, progress{watermark: watermark})
	v.board.defined.Store(new(slices.Clone(v.objectives)))
}

// services returns the services of a definition that the ledger has measured within the window.
func (t *transaction) services(definition slo.Objective) (services []string, err error) {
	names, err := ledger.Names(t.ledger)
	for _, name := range names {
		service, ok := definition.ServiceOf(name)
		if !ok || err != nil {
			continue
		}
		var a *ledger.Account
		if a, _, err = t.ledger.Find(name); err == nil && a.Measured > ledger.Elapsed(t.now)-ledger.Minutes(definition.Window) {
			services = append(services, service)
		}
	}
	return services, err
}

// definitions returns the names of the definitions of objectives for each service.
func (s *spanProgress) definitions() (names []string) {
	for _, d := range s.each {
		names = append(names, d.Name)
	}
	return names
}

// nameOf returns the name under which samples.ReadSpans gives the counts of an objective.
func (s *spanProgress) nameOf(objective string) string {
	for _, d := range s.each {
		if service, ok := d.ServiceOf(objective); ok {
			return d.Name + samples.EachMark + service
		}
	}
	return objective
}

// adopt adds the objectives of services that a round found, up to the limit of their definition, those with the most events first.
func (v *evaluator) adopt(r *round) {
	if r.spansTo == 0 || len(v.spans.each) == 0 {
		return
	}
	known := map[string]bool{}
	for _, o := range v.objectives {
		known[o.Name] = true
	}
	var beyond []string
	for _, d := range v.spans.each {
		of := 0
		for name := range known {
			if _, ok := d.ServiceOf(name); ok {
				of++
			}
		}
		var found []string
		for name := range r.services {
			if service, ok := strings.CutPrefix(name, d.Name+samples.EachMark); ok && service != "" && !known[d.For(service).Name] {
				found = append(found, service)
			}
		}
		total := func(service string) (n float64) {
			for _, delta := range r.services[d.Name+samples.EachMark+service].Deltas {
				n += delta.Total
			}
			return n
		}
		slices.SortFunc(found, func(a, b string) int { return cmp.Or(cmp.Compare(total(b), total(a)), cmp.Compare(a, b)) })
		for i, service := range found {
			if of == d.Each.Limit {
				beyond = append(beyond, fmt.Sprintf("Objective %s has its limit of %d services: %d more are not evaluated, such as %s; raise its limit.",
					d.Name, d.Each.Limit, len(found)-i, service))
				break
			}
			of++
			counts := r.services[d.Name+samples.EachMark+service]
			r.readings = append(r.readings, reading{objective: len(v.objectives), from: v.spans.watermark, to: r.spansTo, counts: counts})
			v.add(d.For(service), v.spans.watermark)
		}
	}
	v.board.tellBeyond(strings.Join(beyond, " "), v.logger)
}

// tellBeyond logs, and keeps for Probe, that definitions have more services than their limit; empty if none has.
func (b *board) tellBeyond(text string, logger *zap.Logger) {
	if text == "" {
		b.beyond.Store(nil)
		return
	}
	if before := b.beyond.Swap(&text); before == nil {
		logger.Warn("definition of objectives has more services than its limit", zap.String("reason", text))
	}
}

// forget drops the objectives of services that had no traffic for a window. Their history stays as long as that of others.
func (v *evaluator) forget(now time.Time) error {
	if len(v.spans.each) == 0 {
		return nil
	}
	gone := map[string]bool{}
	err := v.db.Update(func(tx *bbolt.Tx) error {
		t := newTransaction(v, tx, now)
		for _, d := range v.spans.each {
			services, err := t.services(d)
			if err != nil {
				return err
			}
			for i, o := range v.objectives {
				service, ok := d.ServiceOf(o.Name)
				if !ok || slices.Contains(services, service) {
					continue
				}
				gone[o.Name] = true
				if a := v.progress[i].alert; a.Objective != "" {
					if err := t.resolve(a); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", v.db.Path(), err)
	}
	for i := len(v.objectives) - 1; i >= 0; i-- {
		if gone[v.objectives[i].Name] {
			v.objectives, v.progress = slices.Delete(v.objectives, i, i+1), slices.Delete(v.progress, i, i+1)
		}
	}
	v.board.defined.Store(new(slices.Clone(v.objectives)))
	return nil
}
