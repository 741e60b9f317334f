package engine

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine/internal/book"
	"github.com/slowburn/slowburn/slo/engine/internal/covered"
	"github.com/slowburn/slowburn/slo/engine/internal/derive"
	"github.com/slowburn/slowburn/slo/engine/internal/lost"
	"github.com/slowburn/slowburn/slo/engine/internal/readback"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/ledger/parts"
	"github.com/slowburn/slowburn/slo/notify"
)

// transaction is an evaluation while it is being written. It changes copies, which publish makes the evaluator's state after
// the commit.
type transaction struct {
	v      *evaluator
	tx     *bbolt.Tx
	ledger *ledger.Ledger
	parts  *parts.Store
	now    time.Time
	// unread is when the oldest counts were sent that did not arrive in the database; zero if there are none.
	unread time.Time
	// sampled are the minutes of the round of which the database has samples of any objective that counts spans.
	sampled []bool

	// lost are the accounts of lost spans by objective, as far as they were looked up; nil if there is none.
	lost       map[int]*ledger.Account
	alerts     map[int]alert.Alert
	watermarks map[int]ledger.Minute
	backs      map[int]readback.Task
	statuses   []Status
	log        []func()
	notices    int
}

func newTransaction(v *evaluator, tx *bbolt.Tx, now time.Time) *transaction {
	return &transaction{v: v, tx: tx, ledger: ledger.New(tx), parts: parts.New(tx), now: now,
		lost: map[int]*ledger.Account{}, alerts: map[int]alert.Alert{}, watermarks: map[int]ledger.Minute{}, backs: map[int]readback.Task{}}
}

// advance appends the minutes of a reading to the ledger, and steps the alert through each.
func (t *transaction) advance(r reading) error {
	o := t.v.objectives[r.objective]
	a, changed, err := t.ledger.Open(o.Name, r.from, indicatorKey(o.Indicator))
	if err != nil {
		return err
	}
	if changed {
		t.later(func() {
			t.v.logger.Warn("indicator of an objective changed: its history is kept, but counted something else",
				zap.String("objective", o.Name), zap.Time("since", a.IndicatorSince.Start()))
		})
		if err := t.beginReadBack(r.objective, a.Next); err != nil {
			return err
		}
	}
	gone := r.from // later than the watermark where the minutes between are too old to matter
	if r.gap {
		gone = r.to
	}
	if err := t.unmeasured(o, a, a.Next, gone, nil, nil); err != nil {
		return err
	}
	if r.gap {
		if derive.Derived(o.Indicator) {
			if _, err := derive.Book(t.ledger, o, r.from, r.to, nil); err != nil {
				return err
			}
		}
		err := t.skip(o, a, r)
		t.watermarks[r.objective] = a.Next
		return err
	}
	from := r.from
	if from-a.Next >= minAhead { // the minutes between are too old to matter, and were skipped
		if err := t.ledger.Skip(a, from); err != nil {
			return err
		}
	}
	counts := r.counts
	if counts == nil {
		counts = &samples.Counts{Deltas: make([]ledger.Delta, r.to-r.from), Measured: make([]bool, r.to-r.from)}
	}
	if derive.Derived(o.Indicator) {
		if counts, err = derive.Book(t.ledger, o, from, r.to, counts); err != nil {
			return err
		}
	}
	measured := a.Measured
	if i := lastOf(counts.Measured); i >= 0 {
		a.Measured = max(a.Measured, from+ledger.Minute(i)+1)
	}
	began := a.Next
	if begin := max(began, from); begin < r.to {
		if err := t.unmeasured(o, a, begin, r.to, counts.Measured[begin-from:], t.sampled); err != nil {
			return err
		}
	}
	for earlier := counts.Earlier; from < r.to; {
		// Up to the next minute in which events of earlier ones arrived: the assessments before must not see these.
		to := r.to
		if len(earlier) > 0 {
			to = earlier[0].Arrived + 1
		}
		arrived := arrivedBefore(earlier, to)
		first := a.Next
		if err := t.ledger.Append(a, from, counts.Deltas[from-r.from:to-r.from]); err != nil {
			return err
		}
		for m := first; m < a.Next; m++ {
			if m >= from && counts.Measured[m-r.from] {
				measured = m + 1
			}
			if m == to-1 {
				if err := t.ledger.AddEarlier(a, arrived); err != nil {
					return err
				}
			}
			as, _, err := t.assessment(r.objective, a, m+1, measured)
			if err != nil {
				return err
			}
			if err := t.step(r.objective, as); err != nil {
				return err
			}
		}
		from, earlier = to, earlier[len(arrived):]
	}
	if err := t.parts.Book(t.ledger, a, began, counts.Parts); err != nil {
		return err
	}
	t.watermarks[r.objective] = a.Next
	return nil
}

// compose advances the composite objectives as far as their components were evaluated.
func (t *transaction) compose() error {
	for _, i := range derive.Composites(t.v.objectives) {
		from, ok := t.watermarks[i]
		if !ok {
			from = t.v.progress[i].watermark
		}
		if a, ok, err := t.ledger.Find(t.v.objectives[i].Name); err != nil {
			return err
		} else if ok {
			if err := derive.CatchUp(t.ledger, t.v.objectives[i].Indicator, a, indicatorKey(t.v.objectives[i].Indicator)); err != nil {
				return fmt.Errorf("objective %s: %w", t.v.objectives[i].Name, err)
			}
		}
		for {
			to, counts, err := derive.Compose(t.ledger, t.v.objectives[i].Indicator, from, promqlBatch)
			if err == nil && to > from {
				err = t.advance(reading{objective: i, from: from, to: to, counts: counts, gap: counts == nil})
			}
			if err != nil {
				return fmt.Errorf("objective %s: %w", t.v.objectives[i].Name, err)
			}
			if to <= from {
				break
			}
			from = to
		}
	}
	return nil
}

// beginReadBack stores that the past of a PromQL objective is to be read, which was first counted in a minute.
func (t *transaction) beginReadBack(i int, until ledger.Minute) error {
	o := t.v.objectives[i]
	if o.Indicator.Type != slo.PromQL {
		return nil
	}
	t.backs[i] = readback.Task{From: until - ledger.Minutes(o.Window), Until: until}
	return readback.Put(t.tx, o.Name, t.backs[i])
}

// back returns the task of reading an objective's past.
func (t *transaction) back(i int) readback.Task {
	if task, ok := t.backs[i]; ok {
		return task
	}
	return t.v.progress[i].back
}

// arrivedBefore returns the events that arrived before a minute.
func arrivedBefore(earlier []samples.Earlier, to ledger.Minute) (arrived []ledger.Earlier) {
	for _, e := range earlier {
		if e.Arrived >= to {
			break
		}
		arrived = append(arrived, e.Earlier)
	}
	return arrived
}

// lastOf returns the index of the last true, or -1.
func lastOf(list []bool) int {
	i := len(list) - 1
	for i >= 0 && !list[i] {
		i--
	}
	return i
}

// measuredFor is how many minutes after a measured one still count as measured: as long as Prometheus looks back for a sample.
const measuredFor = 5

// assessment assesses an objective at the end of the minute before next, and returns the windows that it read. measured is the first
// minute after the last measured one before next.
func (t *transaction) assessment(i int, a *ledger.Account, next, measured ledger.Minute) (alert.Assessment, *covered.Reading, error) {
	o := t.v.objectives[i]
	windows, expected, err := t.read(i, a, next)
	if err != nil {
		return alert.Assessment{}, nil, err
	}
	as := alert.AssessCovered(o, next.Start(), func(window time.Duration) alert.Window {
		in := windows.Window(window)
		if slices.ContainsFunc(o.Tiers, func(t slo.Tier) bool { return t.ShortWindow == window }) {
			late, lateErr := t.ledger.Late(a, next-ledger.Minutes(window), next)
			if err == nil {
				err = lateErr
			}
			in.OnTime = slo.Events{Total: in.Total - late.Total, Bad: in.Bad - late.Bad}
		}
		return in
	}, expected)
	if o.Indicator.Type == slo.Freshness && measured > 0 && err == nil {
		err = derive.AssessSilence(t.ledger, a, measured-1, &as)
	}
	if next-measured > measuredFor {
		as.UnmeasuredSince = max(measured, a.First).Start()
	}
	return as, windows, err
}

// read reads all windows of an objective at the end of the minute before next, in one pass, and how many events are expected of its own.
func (t *transaction) read(i int, a *ledger.Account, next ledger.Minute) (*covered.Reading, float64, error) {
	o := t.v.objectives[i]
	account, known := t.lost[i]
	if !known {
		found, ok, err := t.ledger.Find(lost.Account(o.Name))
		if err != nil {
			return nil, 0, err
		}
		if ok {
			account = found
		}
		t.lost[i] = account
	}
	windows, err := covered.Read(t.ledger, a, account, next, covered.Windows(o, burnWindows))
	if err != nil {
		return nil, 0, err
	}
	expected, err := covered.Expected(t.ledger, a, o, next, windows.Window(o.Window), &t.v.progress[i].week)
	return windows, expected, err
}

// unmeasured records which of the minutes from from up to, but not including, to were not measured. has says for each whether the
// database has a sample of it; nil means that it has none of any.
func (t *transaction) unmeasured(o slo.Objective, a *ledger.Account, from, to ledger.Minute, has, sampled []bool) error {
	in := covered.Minutes{To: to, Has: has, Outages: &t.v.spans.outages}
	if o.Indicator.Type != slo.PromQL {
		in.Spans, in.Unread, in.Recovers = true, t.unread, maxBirths
		if n := int(to - from); n <= len(sampled) {
			in.Any = sampled[len(sampled)-n:]
		}
	}
	return covered.Record(t.ledger, a, from, in)
}

// lose writes the lost spans of minutes to the accounts of the objectives whose events may be among them.
func (t *transaction) lose(minutes map[ledger.Minute]lost.Spans) error {
	for _, m := range slices.Sorted(maps.Keys(minutes)) {
		for i, o := range t.v.objectives {
			n := minutes[m].Of(o.Indicator.Spans.Service)
			if o.Indicator.Type == slo.PromQL || n == 0 {
				continue
			}
			a, _, err := t.ledger.Open(lost.Account(o.Name), m, "")
			if err != nil {
				return err
			}
			if m-a.Next >= minAhead {
				if err := t.ledger.Skip(a, m); err != nil {
					return err
				}
			}
			if err := t.ledger.Append(a, m, []ledger.Delta{{Total: n}}); err != nil {
				return err
			}
			t.lost[i] = a
		}
	}
	return nil
}

// sampledOf returns the minutes of the round of which the database has samples of any objective that counts spans.
func (r *round) sampledOf(objectives []slo.Objective) (sampled []bool) {
	for _, reading := range r.readings {
		if reading.counts == nil || objectives[reading.objective].Indicator.Type == slo.PromQL {
			continue
		}
		if sampled == nil {
			sampled = make([]bool, len(reading.counts.Measured))
		}
		for i, m := range reading.counts.Measured {
			sampled[i] = sampled[i] || m
		}
	}
	return sampled
}

// step advances an objective's alert to the assessment, and puts its notices into the outbox.
func (t *transaction) step(i int, as alert.Assessment) error {
	o := as.Objective
	a := t.alert(i)
	before := a.State
	transition := a.Step(as, t.v.config.link(o.Name))
	if transition != alert.None {
		t.later(func() {
			t.v.logger.Info("alert changed", zap.String("objective", o.Name), zap.String("transition", string(transition)),
				zap.String("severity", string(a.Severity)), zap.Time("at", as.At), zap.String("summary", a.Summary))
		})
	}
	if transition == alert.Ended {
		if err := book.Archive(t.tx, a); err != nil {
			return err
		}
	}
	if err := t.notify(&a, o.Receivers); err != nil {
		return err
	}
	t.alerts[i] = a
	if a.State == alert.Inactive && (before == alert.Inactive || before == "") {
		return nil // no state that a restart would lose
	}
	return book.PutAlert(t.tx, a)
}

// alert returns a copy of the objective's alert, which may be changed.
func (t *transaction) alert(i int) alert.Alert {
	a, ok := t.alerts[i]
	if !ok {
		a = t.v.progress[i].alert.Clone()
	}
	return a
}

// notify puts the alert's notices into the outbox.
func (t *transaction) notify(a *alert.Alert, receivers []string) error {
	for _, n := range a.Notices(t.v.routes, receivers) {
		d, err := notify.New(*a, n, t.v.config.externalURL(), t.now)
		if err != nil {
			return err
		}
		if err := notify.Put(t.tx, d); err != nil {
			return err
		}
		t.notices++
	}
	return nil
}

// assess computes the statuses of all objectives.
func (t *transaction) assess() error {
	t.statuses = make([]Status, len(t.v.objectives))
	for i, o := range t.v.objectives {
		a, ok, err := t.ledger.Find(o.Name)
		if err != nil {
			return err
		}
		if !ok {
			a = &ledger.Account{Name: o.Name}
		}
		if t.statuses[i], err = t.status(i, a, cmp.Or(failing(t.v, i), t.v.progress[i].trouble(a.Next))); err != nil {
			return err
		}
	}
	return nil
}

// failing describes why an objective, or a component of it, cannot be evaluated; empty if it can.
func failing(v *evaluator, i int) string {
	for _, c := range v.objectives[i].Indicator.Components {
		at := slices.IndexFunc(v.objectives, func(o slo.Objective) bool { return o.Name == c.Objective })
		if reason := failing(v, at); reason != "" {
			return "Its component " + c.Objective + " cannot be evaluated: " + reason
		}
	}
	return v.progress[i].failing
}

// later defers a call until the transaction is committed.
func (t *transaction) later(f func()) { t.log = append(t.log, f) }

// publish makes the transaction's state the evaluator's, once it is committed.
func (t *transaction) publish() {
	for i, a := range t.alerts {
		t.v.progress[i].alert = a
	}
	for i, m := range t.watermarks {
		t.v.progress[i].watermark = m
	}
	for i, task := range t.backs {
		if p := &t.v.progress[i]; p.back != task {
			p.back, p.job = task, nil
		}
	}
	t.v.board.show(t.statuses)
	for _, f := range t.log {
		f()
	}
	if t.notices > 0 && t.v.wake != nil { // a sender that does not exist yet looks when it starts
		t.v.wake()
	}
}
