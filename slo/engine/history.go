package engine

import (
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine/internal/covered"
	"github.com/slowburn/slowburn/slo/ledger"
)

// maxPoints is the most points of a history, Prometheus' limit per series.
const maxPoints = 11_000

// History implements Reader.
func (e *Extension) History(name string, start, end time.Time, step time.Duration) (History, error) {
	i := slices.IndexFunc(e.evaluator.objectives, func(o slo.Objective) bool { return o.Name == name })
	if i < 0 {
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
			p, err := point(l, a, e.evaluator.objectives[i], &week, at, every)
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

func roundUp(m, to ledger.Minute) ledger.Minute { return (m + to - 1) / to * to }
