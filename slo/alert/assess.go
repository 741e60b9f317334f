package alert

import (
	"time"

	"github.com/slowburn/slowburn/slo"
)

// Assessment is an objective at the end of a minute.
type Assessment struct {
	Objective slo.Objective
	At        time.Time
	// Whole are the events of the objective's window.
	Whole  slo.Events
	Budget slo.Budget
	Tiers  []TierState
	// UnmeasuredSince is since when nothing was measured, so that no events say nothing; zero where something was a moment ago.
	UnmeasuredSince time.Time
}

// TierState is a tier at the end of a minute.
type TierState struct {
	slo.Tier
	Factor      float64
	Long, Short slo.Events
	// Reachable says that the tier can fire at all; Active, that it does.
	Reachable, Active bool
}

// Assess works out the budget and the tiers. The function gives the events of a window that ends at the time.
func Assess(o slo.Objective, at time.Time, events func(window time.Duration) slo.Events) Assessment {
	a := Assessment{Objective: o, At: at, Whole: events(o.Window)}
	a.Budget = o.Budget(a.Whole)
	a.Tiers = make([]TierState, len(o.Tiers))
	for i, t := range o.Tiers {
		long, short := events(t.LongWindow), events(t.ShortWindow)
		reachable := o.Reachable(t)
		a.Tiers[i] = TierState{
			Tier: t, Factor: o.Factor(t), Long: long, Short: short, Reachable: reachable,
			Active: reachable && o.Active(t, long, short, a.Whole),
		}
	}
	return a
}

// severities are all severities, the most urgent first.
var severities = []slo.Severity{slo.Page, slo.Ticket}

// active is the first tier of the severity that is active.
func (a *Assessment) active(s slo.Severity) *TierState {
	return a.first(func(t *TierState) bool { return t.Active && t.Severity == s })
}

// burningLong is the first tier of the severity that burns in its long window, whatever its short window has.
func (a *Assessment) burningLong(s slo.Severity) *TierState {
	return a.first(func(t *TierState) bool {
		return t.Reachable && t.Severity == s && t.Long.Bad > 0 && a.Objective.Burning(t.Tier, t.Long)
	})
}

// pending is the first tier, the most urgent first, that may come to be active: its short window burns too fast, and it
// has what bad events it takes.
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
