package slo

import (
	"math"
	"time"
)

// Coverage says how much of a window was measured.
type Coverage struct {
	// Window is the length that the window is named after.
	Window time.Duration
	// Seen is the part of the window since counting began.
	Seen time.Duration
	// Covered is the part of Seen that was measured.
	Covered time.Duration
	// LostSpans is how many spans of the window were not measured, although the time was: senders dropped them, or the gateway
	// refused them. Each may be an event, and a bad one.
	LostSpans float64
}

// WholeWindow returns the coverage of a window that was measured from its start to its end.
func WholeWindow(window time.Duration) Coverage {
	return Coverage{Window: window, Seen: window, Covered: window}
}

// Young reports whether counting began after the window's start.
func (c Coverage) Young() bool { return c.Seen < c.Window }

// Ratio returns the covered share of the window, from 0 to 1.
func (c Coverage) Ratio() float64 {
	if c.Window <= 0 {
		return 0
	}
	return float64(c.Covered) / float64(c.Window)
}

// Unmeasured returns how many events may have been missed beside those that were counted: in the unmeasured time at the traffic of the
// covered part, and the lost spans.
func (c Coverage) Unmeasured(e Events) float64 {
	missed := c.LostSpans
	if c.Covered > 0 && c.Seen > c.Covered {
		missed += float64(e.Total) * float64(c.Seen-c.Covered) / float64(c.Covered)
	}
	return missed
}

// Expected returns how many events the window will have had when all of it has been seen, at the traffic of the covered part:
// total · window / covered, where nothing is missing but what came before counting began. A window that is not young has its own total.
func (c Coverage) Expected(e Events) float64 {
	n := float64(e.Total)
	if c.Covered > 0 && c.Young() {
		n += n * float64(c.Window-c.Seen) / float64(c.Covered)
	}
	return n
}

// judgedShare is the share of its long window from which a tier is judged by the burn rate alone.
const judgedShare = 0.1

// Interval is a figure that is known up to what was not measured: Low is the figure of what was measured, High the one with all that was
// not measured taken as bad events.
type Interval struct{ Low, High float64 }

// BurnRates returns the burn rate as measured, and with what was not measured as bad. It returns false without events.
func (o Objective) BurnRates(e Events, c Coverage) (Interval, bool) {
	low, ok := o.BurnRate(e)
	if !ok {
		return Interval{}, false
	}
	missed := c.Unmeasured(e)
	if missed == 0 {
		return Interval{low, low}, true
	}
	return Interval{low, (float64(e.Bad) + missed) / (float64(e.Total) + missed) / o.ErrorBudget()}, true
}

// BudgetOf computes what is left of the budget after the events of an objective's window that was measured in part, against the
// expected events of the whole window.
func (o Objective) BudgetOf(e Events, c Coverage, expected float64) Budget {
	if expected = max(expected, float64(e.Total)); expected <= 0 {
		out := o.Budget(e)
		out.Young = c.Young()
		return out
	}
	b := o.ErrorBudget()
	left := func(bad, total float64) float64 { return round12(1 - bad/(b*total)) }
	out := o.budget(left(float64(e.Bad), expected))
	out.ExpectedEvents, out.Young = expected, c.Young()
	out.AllowedEvents = b * expected
	out.RemainingEvents = out.AllowedEvents - float64(e.Bad)
	if missed := c.Unmeasured(e); missed > 0 {
		out.RemainingLow = min(out.Remaining, left(float64(e.Bad)+missed, expected+missed))
	}
	return out
}

// Judged reports whether the tier may be judged by its long window: a tenth of that is covered, or its bad events are worth the tier's
// share of the budget at the expected events of the objective's whole window. In the first minutes of an objective, a few bad events
// are a high burn rate over all that was seen, and next to nothing of the budget.
func (o Objective) Judged(t Tier, long Events, c Coverage, expected float64) bool {
	return atLeast(float64(c.Covered), judgedShare*float64(t.LongWindow)) ||
		long.Bad > 0 && atLeast(float64(long.Bad), t.Share*o.ErrorBudget()*expected)
}

// ExhaustedAt returns when the remaining budget is spent at a burn rate from now on. It returns false when nothing is left, or the
// budget lasts for over 100 years, or the rate is not above 0.
func (o Objective) ExhaustedAt(now time.Time, remaining, burnRate float64) (time.Time, bool) {
	in, ok := o.TimeToExhaustion(remaining, burnRate)
	if !ok || remaining <= 0 {
		return time.Time{}, false
	}
	return now.Add(in).Round(time.Second), true
}

const hoursPerWeek = 7 * 24

// Profile is the traffic of a week, learnt by the hour: events per hour, by the hour of the week. Hour 0 is the first hour of a
// Thursday in UTC, as the Unix epoch is. It is NaN for an hour of which nothing is known.
type Profile [hoursPerWeek]float64

// ProfileFrom is the age from which an objective's traffic is expected by its profile.
const ProfileFrom = 14 * 24 * time.Hour

// Between returns the events that the profile expects from an hour since the Unix epoch up to, but not including, another. Hours of
// which nothing is known have the mean of the others. It returns false if nothing is known at all.
func (p *Profile) Between(from, to int64) (float64, bool) {
	var known, sum float64
	for _, n := range p {
		if !math.IsNaN(n) {
			known++
			sum += n
		}
	}
	if known == 0 {
		return 0, false
	}
	mean := sum / known
	week := sum + mean*(hoursPerWeek-known)
	hours := max(to-from, 0)
	events := float64(hours/hoursPerWeek) * week
	for h := to - hours%hoursPerWeek; h < to; h++ {
		if n := p[(h%hoursPerWeek+hoursPerWeek)%hoursPerWeek]; math.IsNaN(n) {
			events += mean
		} else {
			events += n
		}
	}
	return events, true
}
