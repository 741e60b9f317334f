package engine

import (
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine/internal/covered"
	"github.com/slowburn/slowburn/slo/engine/internal/onset"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/ledger/parts"
)

// maxPoints is the most points of a history, Prometheus' limit per series.
const maxPoints = 11_000

// History implements Reader.
func (e *Extension) History(name string, start, end time.Time, step time.Duration) (History, error) {
	o, ok := e.find(name)
	if !ok {
		return History{}, ErrUnknownObjective
	}
	switch {
	case step < time.Minute || step%time.Minute != 0:
		return History{}, fmt.Errorf("%w: a step of %s must be whole minutes", ErrBadRange, step)
	case end.Before(start):
		return History{}, fmt.Errorf("%w: its end is before its start", ErrBadRange)
	}
	h := History{StepSeconds: int64(step / time.Second), Points: []Point{}}
	err := e.view(func(tx *bbolt.Tx) error {
		l := ledger.New(tx)
		a, ok, err := l.Find(name)
		if err != nil || !ok {
			return err
		}
		// Points are at multiples of the step, so that a chart that scrolls does not flicker.
		every := ledger.Minutes(step)
		var week covered.Whole
		first := roundUp(max(ledger.Elapsed(start), a.First+1), every)
		last := min(ledger.Elapsed(end), a.Next)
		if n := (last-first)/every + 1; n > maxPoints {
			return fmt.Errorf("%w: it has %d points, and at most %d can be given: choose a longer step", ErrBadRange, n, maxPoints)
		}
		for at := first; at <= last; at += every {
			p, err := point(l, a, o, &week, at, every)
			if err != nil {
				return err
			}
			h.Points = append(h.Points, p)
		}
		return nil
	})
	return h, err
}

// point returns the objective's state at the start of the minute at.
func point(l *ledger.Ledger, a *ledger.Account, o slo.Objective, week *covered.Whole, at, every ledger.Minute) (Point, error) {
	step := time.Duration(every) * time.Minute
	windows, err := covered.Read(l, a, nil, at, covered.Windows(o, append(slices.Clone(burnWindows), step)))
	if err != nil {
		return Point{}, err
	}
	own, last := windows.Window(o.Window), windows.Window(step)
	p := Point{Time: at.Start(), Total: last.Total, Bad: last.Bad, ErrorRatio: ptr(last.ErrorRatio()), BurnRates: map[string]*float64{}}
	if own.Total > 0 {
		expected, err := covered.Expected(l, a, o, at, own, week)
		if err != nil {
			return Point{}, err
		}
		p.BudgetRemainingRatio = ptr(o.BudgetOf(own.Events, own.Coverage, expected).Remaining, true)
	}
	for _, w := range covered.Windows(o, burnWindows) {
		p.BurnRates[slo.FormatDuration(w)] = ptr(o.BurnRate(windows.Window(w).Events))
	}
	return p, nil
}

// Breakdown implements Reader.
func (e *Extension) Breakdown(name string, start, end time.Time, by []parts.Dimension) (Breakdown, error) {
	status, ok := e.Status(name)
	o, defined := e.find(name)
	switch {
	case !ok || !defined:
		return Breakdown{}, ErrUnknownObjective
	case !start.IsZero() && !end.IsZero() && end.Before(start):
		return Breakdown{}, fmt.Errorf("%w: its end is before its start", ErrBadRange)
	}
	b := Breakdown{By: by, Basis: BasisRequest}
	err := e.view(func(tx *bbolt.Tx) error {
		l := ledger.New(tx)
		a, ok, err := l.Find(name)
		if err != nil {
			return err
		}
		if !ok { // nothing was evaluated yet
			now := ledger.Elapsed(e.clock.Wall())
			a = &ledger.Account{Name: name, First: now, Next: now}
		}
		to := a.Next
		if !end.IsZero() {
			to = min(to, ledger.Elapsed(end))
		}
		from := ledger.Elapsed(start)
		if start.IsZero() {
			if from, b.Basis, err = since(l, a, o, status, to); err != nil {
				return err
			}
		}
		b.Breakdown, err = parts.New(tx).Break(l, a, from, max(from, to), by)
		return err
	})
	return b, err
}

// since returns the first minute of a breakdown that ends before the minute to: when the burn began that the alert is about.
func since(l *ledger.Ledger, a *ledger.Account, o slo.Objective, s Status, to ledger.Minute) (ledger.Minute, Basis, error) {
	hour := to - ledger.Minutes(time.Hour)
	if s.Alert.Since == nil || s.Alert.State != alert.Firing && s.Alert.State != alert.Pending {
		return hour, BasisLastHour, nil
	}
	tier, ok := urgentTier(o, s)
	if !ok {
		return hour, BasisLastHour, nil
	}
	// The minutes before the alert that made its tier active are in the tier's windows.
	first := max(ledger.Elapsed(*s.Alert.Since)-ledger.Minutes(tier.LongWindow), a.First)
	if first >= to {
		return hour, BasisLastHour, nil
	}
	minutes, err := l.ByMinute(a, first, to)
	if err != nil {
		return 0, "", err
	}
	if i, ok := onset.Find(minutes, int(ledger.Minutes(tier.ShortWindow)), onset.Share*o.Factor(tier)*(1-o.Target)); ok {
		return first + ledger.Minute(i), BasisAlert, nil
	}
	return max(first, min(ledger.Elapsed(*s.Alert.Since), to-1)-ledger.Minutes(tier.ShortWindow)), BasisAlert, nil
}

// urgentTier returns the tier that the alert is about: of its severity, an active one if there is any, with the shortest short window.
func urgentTier(o slo.Objective, s Status) (tier slo.Tier, ok bool) {
	active := false
	for i, t := range o.Tiers {
		is := i < len(s.Tiers) && s.Tiers[i].Active
		if t.Severity != s.Alert.Severity || active && !is {
			continue
		}
		if !ok || is && !active || t.ShortWindow < tier.ShortWindow {
			tier, ok, active = t, true, is
		}
	}
	return tier, ok
}

func roundUp(m, to ledger.Minute) ledger.Minute { return (m + to - 1) / to * to }
