package alert

import (
	"time"

	"github.com/slowburn/slowburn/slo"
)

// Assessment holds the budget and the tiers of an objective at the end of a minute.
type Assessment struct {
	Objective slo.Objective
	At        time.Time
	// Whole counts the events of the objective's window.
	Whole slo.Events
	// Coverage says how much of the objective's window was measured.
	Coverage slo.Coverage
	Budget   slo.Budget
	Tiers    []TierState
	// UnmeasuredSince is when measuring stopped; zero while it goes on. After that, an absence of events means nothing.
	UnmeasuredSince time.Time
	// Silence is nil unless the objective's traffic has stopped.
	Silence *Silence
}

// TierState holds what a tier sees at the end of a minute.
type TierState struct {
	slo.Tier
	Factor      float64
	Long, Short slo.Events
	// LongCoverage and ShortCoverage say how much of the windows was measured.
	LongCoverage, ShortCoverage slo.Coverage
	// Reachable says that the tier can ever fire; Active, that it fires now.
	Reachable, Active bool
	// Thin says that the tier would be active, and is not because too little of its long window is covered: no alert begins by it,
	// and one that fires goes on.
	Thin bool
}

// Window holds the events of a window, and how much of it was measured.
type Window struct {
	slo.Events
	// OnTime are those of the Events that are not late. Only the short windows of tiers need them.
	OnTime   slo.Events
	Coverage slo.Coverage
}

// Assess computes the budget and the tiers at a time, where all of each window was measured. The function events returns the events of
// the window that ends then.
func Assess(o slo.Objective, at time.Time, events func(window time.Duration) slo.Events) Assessment {
	return AssessOnTime(o, at, events, events)
}

// AssessOnTime is Assess where some events are late: they happened at an unknown time before their minute. onTime leaves them out. They
// spend the budget, but say nothing about whether the trouble still goes on, so short windows are without them.
func AssessOnTime(o slo.Objective, at time.Time, events, onTime func(window time.Duration) slo.Events) Assessment {
	return AssessCovered(o, at, func(w time.Duration) Window {
		return Window{Events: events(w), OnTime: onTime(w), Coverage: slo.WholeWindow(w)}
	}, float64(events(o.Window).Total))
}

// AssessCovered is AssessOnTime of windows that were measured in part. The budget is rated against the expected events of the objective's
// whole window.
func AssessCovered(o slo.Objective, at time.Time, window func(time.Duration) Window, expected float64) Assessment {
	whole := window(o.Window)
	a := Assessment{Objective: o, At: at, Whole: whole.Events, Coverage: whole.Coverage,
		Budget: o.BudgetOf(whole.Events, whole.Coverage, expected), Tiers: make([]TierState, len(o.Tiers))}
	for i, t := range o.Tiers {
		long, short := window(t.LongWindow), window(t.ShortWindow)
		reachable := o.Reachable(t)
		active := reachable && o.ActiveOf(t, long.Events, short.OnTime, expected)
		judged := o.Judged(t, long.Events, long.Coverage, expected)
		a.Tiers[i] = TierState{
			Tier: t, Factor: o.Factor(t), Long: long.Events, Short: short.OnTime, LongCoverage: long.Coverage, ShortCoverage: short.Coverage,
			Reachable: reachable, Active: active && judged, Thin: active && !judged,
		}
	}
	return a
}

// severities lists all severities, most urgent first.
var severities = []slo.Severity{slo.Page, slo.Ticket}

// active returns the first active tier of the severity, or nil.
func (a *Assessment) active(s slo.Severity) *TierState {
	return a.first(func(t *TierState) bool { return t.Active && t.Severity == s })
}

// thin returns the first tier of the severity that is not active only because too little of its long window is covered, or nil.
func (a *Assessment) thin(s slo.Severity) *TierState {
	return a.first(func(t *TierState) bool { return t.Thin && t.Severity == s })
}

// unseen returns the first tier of the severity whose long window burns, and of whose short window nothing was measured, or nil.
func (a *Assessment) unseen(s slo.Severity) *TierState {
	return a.first(func(t *TierState) bool {
		return t.Reachable && t.Severity == s && t.Short.Total == 0 && t.ShortCoverage.Covered == 0 && t.Long.Bad > 0 &&
			a.Objective.Burning(t.Tier, t.Long)
	})
}

// burningLong returns the first tier of the severity whose long window burns, whatever its short window has, or nil.
func (a *Assessment) burningLong(s slo.Severity) *TierState {
	return a.first(func(t *TierState) bool {
		return t.Reachable && t.Severity == s && t.Long.Bad > 0 && a.Objective.Burning(t.Tier, t.Long)
	})
}

// pending returns the most urgent tier that may become active, or nil: its short window burns too fast and has enough bad
// events.
func (a *Assessment) pending() *TierState {
	for _, s := range severities {
		t := a.first(func(t *TierState) bool {
			return t.Reachable && t.Severity == s && t.Short.Bad >= max(a.Objective.MinBadEvents, 1) && a.Objective.Burning(t.Tier, t.Short)
		})
		if t != nil {
			return t
		}
	}
	return nil
}

func (a *Assessment) first(match func(*TierState) bool) *TierState {
	for i := range a.Tiers {
		if match(&a.Tiers[i]) {
			return &a.Tiers[i]
		}
	}
	return nil
}
