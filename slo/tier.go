package slo

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Severity says how fast a person must look: a page now, a ticket within days.
type Severity string

// The severities, most urgent first.
const (
	Page   Severity = "page"
	Ticket Severity = "ticket"
)

// Tier is one rule of a multiwindow, multi-burn-rate alert: it is active while the burn rate of both its windows is at
// least its factor. The long window says that it matters, the short one that it still goes on.
// (Google SRE Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".)
type Tier struct {
	Severity    Severity
	LongWindow  time.Duration
	ShortWindow time.Duration
	// Share of the error budget that a burn at the factor spends in the long window, between 0 and 1.
	Share float64
}

// DefaultTiers are the four tiers of the SRE Workbook: 2 % of the budget in 1h and 5 % in 6h page, 10 % in 1d and in 3d
// make a ticket.
func DefaultTiers() []Tier {
	return []Tier{
		{Page, time.Hour, 5 * time.Minute, 0.02},
		{Page, 6 * time.Hour, 30 * time.Minute, 0.05},
		{Ticket, 24 * time.Hour, 2 * time.Hour, 0.10},
		{Ticket, 72 * time.Hour, 6 * time.Hour, 0.10},
	}
}

// Factor is the burn rate at which the tier fires for the objective: share · window / long window.
func (o Objective) Factor(t Tier) float64 {
	return round12(t.Share * float64(o.Window) / float64(t.LongWindow))
}

// Reachable reports whether the tier can fire at all: an error ratio cannot pass 1, so factor · error budget must stay
// below 1.
func (o Objective) Reachable(t Tier) bool {
	return !atLeast(o.Factor(t)*o.ErrorBudget(), 1)
}

// Burning reports whether the events burn the budget at the tier's factor at least.
func (o Objective) Burning(t Tier, e Events) bool {
	rate, ok := o.BurnRate(e)
	return ok && atLeast(rate, o.Factor(t))
}

// convincing is how many bad events are never put down to quiet times. At an error ratio within the objective, fewer than
// 0.7 are to be expected where 10 burn at 14.4, and chance makes 10 of those in less than one window of 10⁸. So quiet times
// hold a page up by ten failed requests at the most.
const convincing = 10

// Active reports whether the tier fires on the events of its two windows. Both must burn at its factor at least. Quiet times
// must not page for one or two events, so the long window also needs MinBadEvents, and bad events that are worth the tier's
// share of the budget at the traffic of the objective's whole window, or so many that they are convincing anyway.
//
// At even traffic the burn rate and the share say the same, and where traffic grows the share asks for less. It asks for
// more, by as much as the whole window is busier, when traffic is low: at night, and when an outage keeps requests from
// arriving at all. There a full outage is worth little of the budget, and the share alone would page for it late or never:
// a tenth of the usual traffic, all failing, is 10 % of an hour's events, and at a target of 99 % the first tier's share is
// 14.4 % of them. Hence the bound.
func (o Objective) Active(t Tier, long, short, whole Events) bool {
	share := min(t.Share*o.ErrorBudget()*float64(whole.Total), convincing)
	return long.Bad >= max(o.MinBadEvents, 1) && atLeast(float64(long.Bad), share) &&
		o.Burning(t, long) && o.Burning(t, short)
}

// TimeToExhaustion is how long the remaining budget lasts at a burn rate, and false where it lasts for ever.
// It is 0 when nothing is left.
func (o Objective) TimeToExhaustion(remaining, burnRate float64) (time.Duration, bool) {
	if burnRate <= 0 {
		return 0, false
	}
	if remaining <= 0 {
		return 0, true
	}
	d := remaining * float64(o.Window) / burnRate
	if d > float64(100*365*24*time.Hour) {
		return 0, false
	}
	return time.Duration(d), true
}

// TiersFor are the default tiers whose long window fits into an objective's window. The windows stay, so that detection
// is as fast for any objective, and the factors follow from their share of the budget.
func TiersFor(window time.Duration) []Tier {
	return slices.DeleteFunc(DefaultTiers(), func(t Tier) bool { return t.LongWindow > window })
}

// ShareOf is the share of the budget that a burn at the factor spends in the long window: factor · long window / window.
func ShareOf(factor float64, long, window time.Duration) float64 {
	return round12(factor * float64(long) / float64(window))
}

func (t Tier) validate() error {
	var errs []error
	if t.Severity != Page && t.Severity != Ticket {
		errs = append(errs, fmt.Errorf("severity: %q is not one of page, ticket", t.Severity))
	}
	if t.ShortWindow < time.Minute || t.ShortWindow%time.Minute != 0 {
		errs = append(errs, fmt.Errorf("short_window: %s is not whole minutes; write a duration of at least 1m", FormatDuration(t.ShortWindow)))
	}
	if t.LongWindow <= t.ShortWindow || t.LongWindow%time.Minute != 0 {
		errs = append(errs, fmt.Errorf("long_window: %s is not whole minutes, or not longer than short_window; write a longer one", FormatDuration(t.LongWindow)))
	}
	if !(t.Share > 0 && t.Share <= 1) {
		errs = append(errs, fmt.Errorf("budget: %v %% is not above 0 and at most 100; write percent of the budget", t.Share*100))
	}
	return errors.Join(errs...)
}
