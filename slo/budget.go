package slo

import (
	"math"
	"time"
)

// Events counts the total and the bad events of a window.
type Events struct {
	Total uint64
	Bad   uint64
}

// Add returns the sum of both.
func (e Events) Add(o Events) Events { return Events{e.Total + o.Total, e.Bad + o.Bad} }

// ErrorRatio returns bad/total, and false without events.
func (e Events) ErrorRatio() (float64, bool) {
	if e.Total == 0 {
		return 0, false
	}
	return float64(e.Bad) / float64(e.Total), true
}

// BurnRate returns how many times faster than allowed the budget burns, and false without events. At 1 the objective's window
// spends exactly the budget. (Google SRE Workbook, chapter 5.)
func (o Objective) BurnRate(e Events) (float64, bool) {
	ratio, ok := e.ErrorRatio()
	return ratio / o.ErrorBudget(), ok
}

// minErrorBudget is the smallest error budget that an objective may have: one bad event among 1e9.
const minErrorBudget = 1e-9

// ErrorBudget returns the share of events that may be bad, 1 − target. It is rounded to 12 decimals, so that a target of 99.9 %
// has a budget of 0.001 and not of 0.0010000000000000009.
func (o Objective) ErrorBudget() float64 { return round12(1 - o.Target) }

func round12(f float64) float64 { return math.Round(f*1e12) / 1e12 }

// atLeast reports whether a ≥ b up to rounding: 0.0144/0.001 is 14.399999999999999, and a factor of 14.4 is meant to
// match it.
func atLeast(a, b float64) bool { return a >= b-1e-9*math.Abs(b) }

// Budget is what is left of an objective's error budget, as a share, in events and in time.
type Budget struct {
	// Remaining is 1 − bad/(B·total) over the objective's window: 1 untouched, 0 spent, below 0 overspent.
	Remaining float64
	// RemainingLow is Remaining with what was not measured taken as bad events; the same where all was measured.
	RemainingLow float64
	// ExpectedEvents is how many events the window has, or will have had when all of it has been seen: see Coverage.Expected.
	ExpectedEvents float64
	// Young says that counting began after the window's start, so that the budget is rated against what is expected.
	Young bool
	// AllowedEvents is B·ExpectedEvents: how many bad events the window allows.
	AllowedEvents float64
	// RemainingEvents is how many of AllowedEvents are left; below 0 when overspent.
	RemainingEvents float64
	// Total is B·W, how long a full outage the window allows; RemainingTime is how much of that is left.
	Total, RemainingTime time.Duration
	Policy               PolicyLevel
}

// Budget computes what is left of the budget after the events of the objective's window. Without events nothing is spent.
func (o Objective) Budget(e Events) Budget {
	b := o.ErrorBudget()
	remaining := 1.0
	if e.Total > 0 {
		remaining = round12(1 - float64(e.Bad)/(b*float64(e.Total)))
	}
	out := o.budget(remaining)
	out.ExpectedEvents = float64(e.Total)
	out.AllowedEvents = b * float64(e.Total)
	out.RemainingEvents = b*float64(e.Total) - float64(e.Bad)
	return out
}

// budget returns the budget of which a share remains, without its events.
func (o Objective) budget(remaining float64) Budget {
	outage := time.Duration(o.ErrorBudget() * float64(o.Window))
	return Budget{Remaining: remaining, RemainingLow: remaining, Total: outage, RemainingTime: time.Duration(remaining * float64(outage)),
		Policy: Policy(remaining)}
}

// PolicyLevel is what an error budget policy asks of a team.
type PolicyLevel string

// The levels of the error budget policy.
const (
	// Normal, above 50 % left: deploy as usual.
	Normal PolicyLevel = "normal"
	// Cautious, 10 to 50 % left: slower deploys, extra review.
	Cautious PolicyLevel = "cautious"
	// Freeze, below 10 % left: reliability fixes only.
	Freeze PolicyLevel = "freeze"
	// Exhausted, nothing left: no deploys until the budget is restored.
	Exhausted PolicyLevel = "exhausted"
)

// Policy returns the level for the remaining share of the budget.
func Policy(remaining float64) PolicyLevel {
	switch {
	case remaining > 0.5:
		return Normal
	case remaining >= 0.1:
		return Cautious
	case remaining > 0:
		return Freeze
	default:
		return Exhausted
	}
}
