package alert

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/slowburn/slowburn/slo"
)

// Name is the label alertname of every alert.
const Name = "ErrorBudgetBurn"

// The labels and annotations that alerts have beside the objective's own labels.
const (
	labelAlertname = "alertname"
	labelObjective = "objective"
	labelService   = "service"
	labelSeverity  = "severity"

	annotationSummary     = "summary"
	annotationDescription = "description"
	annotationDashboard   = "dashboard"
	annotationSeverity    = "severity"
)

// describe sets the summary, the labels and the annotations. The tier is the one that makes the alert firing or pending, or
// nil.
func (a *Alert) describe(as *Assessment, t *TierState, link string) {
	o := as.Objective
	switch {
	case a.State == Resolved && !a.EndsAt.Equal(as.At):
		return // the summary of the resolution stays
	case a.State == Resolved:
		a.Summary = fmt.Sprintf("Resolved: %s no longer burns its %s error budget too fast: %s. It fired for %s.",
			o.Name, slo.FormatDuration(o.Window), left(as), about(a.EndsAt.Sub(a.StartsAt)))
	case t == nil && !as.UnmeasuredSince.IsZero() && as.Whole.Total > 0:
		a.Summary = fmt.Sprintf("%s: %s.", o.Name, unmeasured(as.UnmeasuredSince))
	case t == nil && as.Whole.Total == 0:
		unit, _ := o.Indicator.Unit()
		a.Summary = fmt.Sprintf("%s has no %s yet.", o.Name, unit)
	case t == nil:
		a.Summary = fmt.Sprintf("%s keeps within its %s error budget: %s.", o.Name, slo.FormatDuration(o.Window), left(as))
	default:
		a.Summary = a.urgency() + ": "
		if as.Silence != nil {
			a.Summary += as.Silence.sentence(as)
		} else {
			a.Summary += Sentence(as, t)
		}
		if !as.UnmeasuredSince.IsZero() {
			a.Summary += fmt.Sprintf(" %s: whether it has recovered is unknown.", sentence(unmeasured(as.UnmeasuredSince)))
		}
	}
	a.Labels = map[string]string{}
	maps.Copy(a.Labels, o.Labels)
	a.Labels[labelAlertname], a.Labels[labelObjective] = Name, o.Name
	if o.Service != "" {
		a.Labels[labelService] = o.Service
	}
	a.Annotations = map[string]string{annotationSummary: a.Summary, annotationDashboard: link}
	if o.Description != "" {
		a.Annotations[annotationDescription] = o.Description
	}
	if a.Severity != "" {
		a.Labels[labelSeverity], a.Annotations[annotationSeverity] = string(a.Severity), string(a.Severity)
	}
}

func unmeasured(since time.Time) string {
	return "nothing has been measured since " + since.UTC().Format(time.RFC3339)
}

// sentence capitalizes the first letter, which must be ASCII.
func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// urgency returns the first words of a summary: the severity, and whether the alert is only pending.
func (a *Alert) urgency() string {
	word := "Ticket"
	if a.Severity == slo.Page {
		word = "Page"
	}
	if a.State == Pending {
		return word + " pending"
	}
	return word
}

// Sentence describes for people how fast the budget burns by the tier, with the numbers that this follows from.
func Sentence(as *Assessment, t *TierState) string {
	o := as.Objective
	long, _ := o.BurnRate(t.Long)
	short, _ := o.BurnRate(t.Short)
	pace := fmt.Sprintf("%s times too fast", number(long))
	if long < 1 {
		pace = fmt.Sprintf("at %s times the pace that spends it exactly", number(long))
	}
	s := fmt.Sprintf("%s burns its %s error budget %s (%s: %s, %s: %s; factor %s): %s",
		o.Name, slo.FormatDuration(o.Window), pace,
		slo.FormatDuration(t.LongWindow), number(long), slo.FormatDuration(t.ShortWindow), number(short), number(t.Factor), left(as))
	if at, ok := o.ExhaustedAt(as.At, as.Budget.Remaining, long); ok {
		s += fmt.Sprintf(", exhausted in %s, at %s", about(at.Sub(as.At)), at.UTC().Format("2006-01-02 15:04 UTC"))
	}
	return fmt.Sprintf("%s. %s in the last %s.", s, tally(o.Indicator, t.Long), windowText(t.LongWindow))
}

// manyTimes is from how many spent budgets on a summary says "spent 12 times over" rather than a percentage.
const manyTimes = 10

// left describes the rest of the budget, and how much of the window was seen if that is not all of it.
func left(as *Assessment) string {
	b, seen := as.Budget, ""
	if as.Coverage.Young() {
		seen = fmt.Sprintf(" (%s of %s seen)", seenText(as.Coverage.Seen), slo.FormatDuration(as.Coverage.Window))
	}
	text := fmt.Sprintf("%.1f %% left", 100*b.Remaining)
	switch spent := 1 - b.Remaining; {
	case spent > manyTimes:
		text = fmt.Sprintf("the budget is spent %.0f times over", spent)
	case b.Remaining < 0:
		text = fmt.Sprintf("the budget is overspent by %.1f %%", -100*b.Remaining)
	}
	if low := b.RemainingLow; b.Remaining-low >= shownFrom {
		text += fmt.Sprintf(", or %.1f %% if all that was not measured was bad", 100*low)
	}
	return text + seen
}

// shownFrom is from how many budgets on the doubt is mentioned: it would not show in the figure's decimals otherwise.
const shownFrom = 0.001

// seenText formats how much of a window was seen: 2m, 5h, 12d4h.
func seenText(d time.Duration) string {
	if d >= 24*time.Hour {
		d = d.Truncate(time.Hour)
	}
	return slo.FormatDuration(d)
}

// tally says how many of the events of a window were bad, in the indicator's unit.
func tally(in slo.Indicator, e slo.Events) string {
	if _, parts := in.Unit(); parts > 1 {
		minutes := func(n uint64) string { return strconv.FormatFloat(float64(n)/float64(parts), 'f', 1, 64) }
		ratio, _ := e.ErrorRatio()
		return fmt.Sprintf("%s of %s minutes were bad, %s %% on average", minutes(e.Bad), minutes(e.Total), number(100*ratio))
	}
	return fmt.Sprintf("%s of %s %s", thousands(e.Bad), thousands(e.Total), badness(in))
}

func badness(in slo.Indicator) string {
	if s := in.Slices; s != nil {
		return fmt.Sprintf("slices of %s had less than %s %% good events", slo.FormatDuration(s.Length), strconv.FormatFloat(math.Round(s.Target*1e12)/1e10, 'f', -1, 64))
	}
	switch {
	case in.Bad != nil && in.Type == slo.Latency:
		return "requests took longer than " + slo.FormatDuration(in.Threshold) + " or were bad"
	case in.Bad != nil:
		return "requests were bad"
	}
	switch in.Type {
	case slo.Throughput:
		return fmt.Sprintf("minutes had fewer than %s events", strconv.FormatFloat(in.Minimum, 'f', -1, 64))
	case slo.Freshness:
		return "minutes passed without the usual traffic"
	case slo.Composite:
		return "events, each times its weight, were bad"
	case slo.Availability:
		return "requests failed"
	case slo.Latency:
		return "requests took longer than " + slo.FormatDuration(in.Threshold)
	default:
		return "events were bad"
	}
}

func windowText(d time.Duration) string {
	if d == time.Hour {
		return "hour"
	}
	return slo.FormatDuration(d)
}

// number formats a burn rate or a factor for people: 16.2, 0.23, 1000.
func number(f float64) string {
	switch {
	case f >= 100:
		return strconv.FormatFloat(f, 'f', 0, 64)
	case f >= 1 || f == 0:
		return strconv.FormatFloat(f, 'f', 1, 64)
	default:
		return strconv.FormatFloat(f, 'g', 2, 64)
	}
}

// about formats a duration in one unit, rounded: 3d, 5h, 12m.
func about(d time.Duration) string {
	switch {
	case d >= 72*time.Hour:
		return fmt.Sprintf("%dd", int(d.Hours()/24+0.5))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()+0.5))
	case d >= time.Minute:
		return fmt.Sprintf("%dm", int(d.Minutes()+0.5))
	default:
		return "less than a minute"
	}
}

// thousands formats 25431 as 25,431.
func thousands(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
