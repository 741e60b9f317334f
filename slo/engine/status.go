package engine

import (
	"encoding/json"
	"fmt"
	"slices"

	"sync/atomic"
	"time"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine/internal/covered"
	"github.com/slowburn/slowburn/slo/engine/internal/derive"
	"github.com/slowburn/slowburn/slo/engine/internal/readback"
	"github.com/slowburn/slowburn/slo/engine/internal/room"
	"github.com/slowburn/slowburn/slo/engine/internal/unmatched"
	"github.com/slowburn/slowburn/slo/ledger"
)

// board holds the statuses that people are shown. It is replaced as a whole after each evaluation.
type board struct {
	shown    atomic.Pointer[Statuses]
	next     atomic.Pointer[time.Time]     // when the next evaluation begins, nil until the first has ended
	replaced atomic.Pointer[chan struct{}] // is closed when shown is replaced
	instance atomic.Pointer[string]
	// configured are the objectives and definitions of the configuration, which do not change. defined are the objectives, with those that
	// definitions make.
	configured []slo.Objective
	defined    atomic.Pointer[[]slo.Objective]
	// beyond says which definitions have more services than their limit; nil if none has.
	beyond atomic.Pointer[string]
	// watcher has the conditions that matched nothing.
	watcher unmatched.Watcher
	full    atomic.Pointer[room.Report]
}

// find returns an objective by its name, and false if there is none.
func (b *board) find(name string) (slo.Objective, bool) {
	all := *b.defined.Load()
	i := slices.IndexFunc(all, func(o slo.Objective) bool { return o.Name == name })
	if i < 0 {
		return slo.Objective{}, false
	}
	return all[i], true
}

// room returns the last report of how full slo.db is.
func (b *board) room() room.Report {
	if r := b.full.Load(); r != nil {
		return *r
	}
	return room.Report{}
}

// Statuses implements Reader.
func (b *board) Statuses() Statuses {
	s := *b.shown.Load()
	s.NextEvaluation = b.next.Load()
	return s
}

// Changed returns a channel that is closed when Statuses returns something else than now.
func (b *board) Changed() <-chan struct{} { return *b.replaced.Load() }

// Instance returns the name of the gateway's ledger: the same for as long as the ledger goes on, over restarts, and another for
// each gateway.
func (b *board) Instance() string { return *b.instance.Load() }

// Status implements Reader.
func (b *board) Status(name string) (Status, bool) {
	all := b.shown.Load().Objectives
	i := slices.IndexFunc(all, func(s Status) bool { return s.Name == name })
	if i < 0 {
		return Status{}, false
	}
	return all[i], true
}

// show replaces what Statuses returns.
func (b *board) show(objectives []Status) {
	s := &Statuses{Objectives: objectives}
	for _, o := range objectives {
		if o.EvaluatedUntil == nil {
			s.EvaluatedUntil = nil
			break
		}
		if s.EvaluatedUntil == nil || o.EvaluatedUntil.Before(*s.EvaluatedUntil) {
			s.EvaluatedUntil = o.EvaluatedUntil
		}
	}
	b.shown.Store(s)
	next := make(chan struct{})
	if last := b.replaced.Swap(&next); last != nil {
		close(*last)
	}
}

// lastHour returns how many events an objective had in the last hour, and false if that is not known.
func (b *board) lastHour(objective string) (uint64, bool) {
	s, _ := b.Status(objective)
	i := slices.IndexFunc(s.BurnRates, func(r BurnRate) bool { return r.WindowSeconds == int64(time.Hour/time.Second) })
	if i < 0 {
		return 0, false
	}
	return s.BurnRates[i].Total, true
}

// burnWindows are the windows whose burn rates each objective shows, beside its own window.
var burnWindows = []time.Duration{
	5 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour, 72 * time.Hour,
}

// lateShown is over how many minutes late events are shown.
const lateShown = 24 * 60

// status returns the status of an objective at its watermark.
func (t *transaction) status(i int, a *ledger.Account, failure string) (Status, error) {
	o := t.v.objectives[i]
	as, windows, err := t.assessment(i, a, a.Next, a.Measured)
	if err != nil {
		return Status{}, err
	}
	s := Status{Definition: describe(o), Warnings: t.v.board.watcher.Of(o.Name)}
	if a.Measured > 0 {
		at := a.Measured.Start()
		s.LastMeasuredAt = &at
	}
	whole, budget := as.Whole, as.Budget
	if !as.UnmeasuredSince.IsZero() { // as of when something was measured last
		then, expected, err := t.read(i, a, a.Measured)
		if err != nil {
			return Status{}, err
		}
		own := then.Window(o.Window)
		whole, budget = own.Events, o.BudgetOf(own.Events, own.Coverage, expected)
	}
	s.State, s.Message = t.state(i, a, as.UnmeasuredSince, whole, failure)
	if a.Next > a.First {
		first := a.First.Start()
		s.CountedSince = &first
	}
	if a.Next > a.First {
		until := a.Next.Start()
		s.EvaluatedUntil = &until
	}
	s.Events = Events(whole)
	late, err := t.ledger.Late(a, a.Next-lateShown, a.Next)
	if err != nil {
		return Status{}, err
	}
	s.Late = Events(late)
	s.ErrorRatio = ptr(whole.ErrorRatio())
	s.Budget = budgetOf(budget)
	s.BurnRates = burnRatesOf(o, windows)
	s.Tiers = make([]Tier, len(as.Tiers))
	for j, tier := range as.Tiers {
		s.Tiers[j] = tierOf(&as, budget, tier)
	}
	if as.UnmeasuredSince.IsZero() { // otherwise the pace is unknown
		s.Budget.ExhaustedAt = exhaustedAt(&as, budget)
	}
	s.Alert = alertStateOf(t.alert(i))
	s.Coverage, err = t.coverage(o, a, as.Coverage)
	return s, err
}

// maxGaps is how many gaps of an objective's window are listed.
const maxGaps = 50

// coverage describes how much of the objective's window was measured.
func (t *transaction) coverage(o slo.Objective, a *ledger.Account, c slo.Coverage) (Coverage, error) {
	runs, all, err := t.ledger.Runs(a, max(a.Next-ledger.Minutes(o.Window), a.First), a.Next, maxGaps)
	gaps := make([]Gap, len(runs))
	for i, r := range runs {
		gaps[i] = Gap{From: r.From.Start(), To: r.To.Start(), Reason: r.Reason.String()}
	}
	return Coverage{
		SeenSeconds: int64(c.Seen / time.Second), CoveredSeconds: int64(c.Covered / time.Second), CoveredRatio: c.Ratio(), Young: c.Young(),
		LostSpans: c.LostSpans, Gaps: gaps, GapsTotal: all,
	}, err
}

// burnRatesOf describes the burn rates of all windows, from the shortest on.
func burnRatesOf(o slo.Objective, windows *covered.Reading) []BurnRate {
	list := make([]BurnRate, len(windows.Windows))
	for i, w := range windows.Windows {
		in := windows.Window(w)
		list[i] = BurnRate{
			Window: slo.FormatDuration(w), WindowSeconds: int64(w / time.Second), Total: in.Total, Bad: in.Bad, ErrorRatio: ptr(in.ErrorRatio()),
			CoveredSeconds: int64(in.Coverage.Covered / time.Second), CoveredRatio: in.Coverage.Ratio(),
		}
		if rate, ok := o.BurnRates(in.Events, in.Coverage); ok {
			list[i].BurnRate, list[i].BurnRateHigh = &rate.Low, &rate.High
		}
	}
	return list
}

// exhaustedAt returns when the budget is spent at the burn rate of the most urgent active tier's long window. While none is active, it is
// that of the longest window of a tier, which is the calmest, or of the objective's own where it has no tiers.
func exhaustedAt(as *alert.Assessment, b slo.Budget) *time.Time {
	window, events := time.Duration(0), as.Whole
	for _, t := range as.Tiers {
		if t.Active {
			events = t.Long
			break
		}
		if t.LongWindow > window {
			window, events = t.LongWindow, t.Long
		}
	}
	if rate, ok := as.Objective.BurnRate(events); ok {
		if at, ok := as.Objective.ExhaustedAt(as.At, b.Remaining, rate); ok {
			return &at
		}
	}
	return nil
}

func (t *transaction) state(i int, a *ledger.Account, unmeasured time.Time, whole slo.Events, failure string) (State, string) {
	o, back := t.v.objectives[i], t.back(i)
	young := a.First > a.Next-ledger.Minutes(o.Window)
	switch {
	case failure != "":
		return StateError, failure
	case !unmeasured.IsZero() && whole.Total > 0:
		return StateNoData, fmt.Sprintf("Nothing has been measured since %s: %s. Events and budget are as of then.",
			unmeasured.Format(time.RFC3339), whyUnmeasured(o))
	case whole.Total == 0 && derive.NoneYet(o.Indicator) != "":
		return StateNoData, derive.NoneYet(o.Indicator)
	case whole.Total == 0 && a.Total > 0 && !unmeasured.IsZero():
		return StateNoData, fmt.Sprintf("Nothing has been measured since %s: %s. The window of %s has no events any more: all are older.",
			unmeasured.Format(time.RFC3339), whyUnmeasured(o), slo.FormatDuration(o.Window))
	case whole.Total == 0 && a.Total > 0:
		return StateNoData, fmt.Sprintf("No events in the last %s: it is measured, and all events are older.", slo.FormatDuration(o.Window))
	case whole.Total == 0 && o.Indicator.Type == slo.PromQL:
		return StateNoData, fmt.Sprintf("No events yet. Try both queries with a window of %[1]s: an increase over %[1]s needs two samples "+
			"in it, so promql::resolution must be at least twice the interval between samples.", slo.FormatDuration(o.Indicator.Resolution))
	case back.Pending() && whole.Total > 0:
		return StateOK, fmt.Sprintf("Events before %s are being read back from the time series database.", back.Until.Start().Format(time.RFC3339))
	case whole.Total == 0:
		return StateNoData, "No events yet: no span matched the indicator within the window."
	case a.IndicatorSince > max(a.First, a.Next-ledger.Minutes(o.Window)):
		return StateOK, fmt.Sprintf("The indicator was changed: events before %s counted something else.",
			a.IndicatorSince.Start().Format(time.RFC3339))
	case back.Done && young && whole.Total > 0:
		return StateOK, fmt.Sprintf("Counted since %s, as far back as the time series database %s.", a.First.Start().Format(time.RFC3339),
			reached(back))
	default:
		return StateOK, ""
	}
}

// reached ends a sentence about how far back a database goes.
func reached(back readback.Task) string {
	if back.Refused != "" {
		return "answers: " + back.Refused
	}
	return "goes"
}

// whyUnmeasured returns the likely reason why the database has no samples of an objective.
func whyUnmeasured(o slo.Objective) string {
	if reason := derive.Unmeasured(o.Indicator); reason != "" {
		return reason
	}
	if o.Indicator.Type == slo.PromQL {
		return "the query promql::total gives no value"
	}
	return "no span matched the indicator for so long that its series ended (sli::expiry), or its counts do not reach the database (see /readyz)"
}

func describe(o slo.Objective) Definition {
	in := o.Indicator
	d := Definition{
		Name: o.Name, Description: o.Description, Service: o.Service, Labels: orEmpty(o.Labels),
		Target: o.Target, Window: slo.FormatDuration(o.Window), WindowSeconds: int64(o.Window / time.Second),
		Indicator: Indicator{
			Type: in.Type, Service: in.Spans.Service, Kind: in.Spans.Kind,
			Operations: append([]string{}, in.Spans.Operations...), Attributes: orEmpty(in.Spans.Attributes),
			ThresholdMS: float64(in.Threshold) / float64(time.Millisecond), BadQuery: in.BadQuery, TotalQuery: in.TotalQuery,
			Sentence: in.Sentence(),
		},
	}
	d.Indicator.count(in)
	return d
}

// count sets the fields of an indicator whose events are not single spans.
func (i *Indicator) count(in slo.Indicator) {
	i.Unit, i.UnitParts = in.Unit()
	i.RatioQuery, i.MinimumPerMinute, i.Components = in.RatioQuery, in.Minimum, map[string]uint64{}
	if s := in.Slices; s != nil {
		i.SliceSeconds, i.SliceTarget = int64(s.Length/time.Second), s.Target
	}
	for _, c := range in.Components {
		i.Components[c.Objective] = c.Weight
	}
}

func budgetOf(b slo.Budget) Budget {
	return Budget{
		RemainingRatio: b.Remaining, RemainingPercent: 100 * b.Remaining,
		AllowedEvents: b.AllowedEvents, RemainingEvents: b.RemainingEvents,
		TotalMinutes: b.Total.Minutes(), RemainingMinutes: b.RemainingTime.Minutes(), Policy: b.Policy,
		RemainingRatioLow: b.RemainingLow, ExpectedEvents: b.ExpectedEvents, Young: b.Young,
	}
}

func tierOf(as *alert.Assessment, b slo.Budget, t alert.TierState) Tier {
	o := as.Objective
	out := Tier{
		Severity: t.Severity, LongWindow: slo.FormatDuration(t.LongWindow), ShortWindow: slo.FormatDuration(t.ShortWindow),
		Factor: t.Factor, BudgetPercent: 100 * t.Share,
		LongBurnRate: ptr(o.BurnRate(t.Long)), ShortBurnRate: ptr(o.BurnRate(t.Short)),
		Active: t.Active, Reachable: t.Reachable, AwaitsCoverage: t.Thin,
	}
	if rate, ok := o.BurnRate(t.Long); ok {
		if d, ok := o.TimeToExhaustion(b.Remaining, rate); ok {
			out.ExhaustionSeconds = ptr(d.Seconds(), true)
		}
		if at, ok := o.ExhaustedAt(as.At, b.Remaining, rate); ok && as.UnmeasuredSince.IsZero() {
			out.ExhaustedAt = &at
		}
	}
	return out
}

func alertStateOf(a alert.Alert) AlertState {
	s := AlertState{State: a.State, Severity: a.Severity, Summary: a.Summary}
	if s.State == "" {
		s.State = alert.Inactive
	}
	if s.State != alert.Inactive {
		s.Since = &a.Since
	}
	return s
}

// indicatorKey returns a text that changes when an objective counts something else.
func indicatorKey(in slo.Indicator) string {
	key, err := json.Marshal(in)
	if err != nil {
		panic(err) // strings, numbers and maps of strings always marshal
	}
	return string(key)
}

func ptr(v float64, ok bool) *float64 {
	if !ok {
		return nil
	}
	return &v
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
