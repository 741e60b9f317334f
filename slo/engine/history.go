package engine

import (
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
)

// maxPoints is the most points of a history, Prometheus' limit per series.
const maxPoints = 11_000

// historyWindows are the windows whose burn rates a point of a history has.
var historyWindows = []time.Duration{5 * time.Minute, time.Hour, 6 * time.Hour}

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
		first := roundUp(max(ledger.Elapsed(start), a.First+1), every)
		last := min(ledger.Elapsed(end), a.Next)
		if n := (last-first)/every + 1; n > maxPoints {
			return fmt.Errorf("%w: it has %d points, and at most %d can be given: choose a longer step", ErrBadRange, n, maxPoints)
		}
		for at := first; at <= last; at += every {
			p, err := point(l, a, o, at, every)
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
func point(l *ledger.Ledger, a *ledger.Account, o slo.Objective, at, every ledger.Minute) (Point, error) {
	windows := []ledger.Minute{every, ledger.Minutes(o.Window)}
	for _, w := range historyWindows {
		windows = append(windows, ledger.Minutes(w))
	}
	events := make([]slo.Events, len(windows))
	if err := l.Windows(a, at, windows, events); err != nil {
		return Point{}, err
	}
	p := Point{Time: at.Start(), Total: events[0].Total, Bad: events[0].Bad, ErrorRatio: ptr(events[0].ErrorRatio()),
		BurnRates: map[string]*float64{}}
	if events[1].Total > 0 {
		p.BudgetRemainingRatio = ptr(o.Budget(events[1]).Remaining, true)
	}
	for i, w := range historyWindows {
		p.BurnRates[slo.FormatDuration(w)] = ptr(o.BurnRate(events[2+i]))
	}
	return p, nil
}

func roundUp(m, to ledger.Minute) ledger.Minute { return (m + to - 1) / to * to }
