package slo

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Severity is how fast a person must look: a page now, a ticket within days.
type Severity string

// The severities, most urgent first.
const (
	Page   Severity = "page"
	Ticket Severity = "ticket"
)

// Tier is one rule of a multiwindow, multi-burn-rate alert: it is active while the burn rate of both its windows is at
// least its factor. The long window shows that the trouble matters, the short one that it still goes on.
// (Google SRE Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts".)
type Tier struct {
	Severity    Severity
	LongWindow  time.Duration
	ShortWindow time.Duration
	// Share is the part of the error budget, between 0 and 1, that burning at the factor spends in the long window.
	Share float64
}

// DefaultTiers returns the four tiers of the SRE Workbook: 2 % of the budget in 1h and 5 % in 6h page; 10 % in 1d and 10 % in
// 3d open a ticket.
func DefaultTiers() []Tier {
	return []Tier{
		{Page, time.Hour, 5 * time.Minute, 0.02},
		{Page, 6 * time.Hour, 30 * time.Minute, 0.05},
		{Ticket, 24 * time.Hour, 2 * time.Hour, 0.10},
		{Ticket, 72 * time.Hour, 6 * time.Hour, 0.10},
	}
}

// Factor returns the burn rate at which the tier fires for the objective: share · window / long window.
func (o Objective) Factor(t Tier) float64 {
	return round12(t.Share * float64(o.Window) / float64(t.LongWindow))
}

// Reachable reports whether the tier can ever fire: an error ratio cannot pass 1, so factor · error budget must be below 1.
func (o Objective) Reachable(t Tier) bool {
	return !atLeast(o.Factor(t)*o.ErrorBudget(), 1)
}

// Burning reports whether the events burn the budget at least at the tier's factor.
func (o Objective) Burning(t Tier, e Events) bool {
	rate, ok := o.BurnRate(e)
	return ok && atLeast(rate, o.Factor(t))
}

// convincing is how many bad events let a tier fire whatever share of the budget they are. Within the objective fewer than 0.7
// are expected where 10 burn at 14.4, and chance makes 10 of those in less than one window of 10⁸. So low traffic delays a page
// by at most ten failed requests.
const convincing = 10

// Active reports whether the tier fires on the events of its two windows. Both must burn at least at its factor. One or two
// events at low traffic must not page, so the long window also needs MinBadEvents bad events, and as many as either the tier's
// share of the budget at the traffic of the objective's whole window, or convincing.
//
// At even traffic the burn rate and the share demand the same, and where traffic grows the share demands less. It demands more
// when traffic is low: at night, and when an outage keeps requests from arriving at all. Then even a full outage spends little
// of the budget, and the share alone would page late or never: a tenth of the usual traffic, all failing, is 10 % of an hour's
// events, and at a target of 99 % the first tier's share is 14.4 % of them. Hence the bound by convincing.
func (o Objective) Active(t Tier, long, short, whole Events) bool {
	return o.ActiveOf(t, long, short, float64(whole.Total))
}

// ActiveOf reports whether the tier fires, as Active does, by the expected events of the objective's whole window: see Coverage.Expected.
func (o Objective) ActiveOf(t Tier, long, short Events, expected float64) bool {
	share := min(t.Share*o.ErrorBudget()*expected, convincing)
	return long.Bad >= max(o.MinBadEvents, 1) && atLeast(float64(long.Bad), share) &&
		o.Burning(t, long) && o.Burning(t, short)
}

// TimeToExhaustion returns how long the remaining budget lasts at a burn rate, 0 when nothing is left. It returns false when
// the budget lasts for over 100 years, or the rate is not above 0.
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

// TiersFor returns the default tiers whose long window fits into an objective's window. Their windows do not depend on it, so
// that detection is as fast for any objective; their factors follow from the share of the budget.
func TiersFor(window time.Duration) []Tier {
	return slices.DeleteFunc(DefaultTiers(), func(t Tier) bool { return t.LongWindow > window })
}

// ShareOf returns the share of the budget that burning at the factor spends in the long window: factor · long window / window.
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
