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
	Whole  slo.Events
	Budget slo.Budget
	Tiers  []TierState
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
	// Reachable says that the tier can ever fire; Active, that it fires now.
	Reachable, Active bool
}

// Assess computes the budget and the tiers at a time. The function events returns the events of the window that ends then.
func Assess(o slo.Objective, at time.Time, events func(window time.Duration) slo.Events) Assessment {
	return AssessOnTime(o, at, events, events)
}

// AssessOnTime is Assess where some events are late: they happened at an unknown time before their minute. onTime leaves them out. They
// spend the budget, but say nothing about whether the trouble still goes on, so short windows are without them.
func AssessOnTime(o slo.Objective, at time.Time, events, onTime func(window time.Duration) slo.Events) Assessment {
	a := Assessment{Objective: o, At: at, Whole: events(o.Window)}
	a.Budget = o.Budget(a.Whole)
	a.Tiers = make([]TierState, len(o.Tiers))
	for i, t := range o.Tiers {
		long, short := events(t.LongWindow), onTime(t.ShortWindow)
		reachable := o.Reachable(t)
		a.Tiers[i] = TierState{
			Tier: t, Factor: o.Factor(t), Long: long, Short: short, Reachable: reachable,
			Active: reachable && o.Active(t, long, short, a.Whole),
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
