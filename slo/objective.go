// Package slo holds the nouns and the arithmetic of service level objectives: Objective, Indicator, Tier, Events, Budget.
// It has no clock, no storage and no network. Everything here is a value and safe to copy; the slices and maps inside
// are read-only once an Objective has been validated.
package slo

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/slowburn/slowburn/slo/match"
)

// Objective is a target for the share of good events over a rolling window.
type Objective struct {
	// Name identifies the objective: its history is stored under it.
	Name        string
	Description string
	// Service is the service that the objective is about, as shown to people.
	Service string
	Labels  map[string]string
	// Target is the share of good events promised, between 0 and 1 exclusive: 0.999 for "three nines".
	Target    float64
	Window    time.Duration
	Indicator Indicator
	Tiers     []Tier
	// MinBadEvents is how many bad events a tier's long window needs at least for the tier to fire.
	MinBadEvents uint64
	// KeepFiringFor is how long a tier counts as active after its last active minute, against flapping.
	KeepFiringFor time.Duration
	// Receivers names the receivers that are notified. Empty means all.
	Receivers []string
	// Each makes one objective per service of this definition.
	Each Each
}

// IndicatorType is how good events are distinguished from bad ones.
type IndicatorType string

// The indicator types.
const (
	Availability IndicatorType = "availability"
	Latency      IndicatorType = "latency"
	Throughput   IndicatorType = "throughput"
	Freshness    IndicatorType = "freshness"
	PromQL       IndicatorType = "promql"
	Composite    IndicatorType = "composite"
)

// Indicator is what an objective counts: spans, the results of PromQL expressions, or what other objectives count.
type Indicator struct {
	Type IndicatorType
	// Spans selects the spans that are events. Unused for PromQL.
	Spans SpanSelector
	// Threshold is the longest duration of a good event. For Latency only.
	Threshold time.Duration
	// Bad are conditions, any of which makes an event bad. nil are those of the preset server for Availability. For Latency they come on
	// top of the threshold.
	Bad []match.Condition `json:",omitempty"`
	// Exclude are conditions, any of which makes a span no event.
	Exclude []match.Condition `json:",omitempty"`
	// BadQuery and TotalQuery count events over {{.window}}. For PromQL only.
	BadQuery, TotalQuery string
	// Resolution is the window over which the queries count. For PromQL only: the JSON of other indicators omits it, because
	// the ledger compares that JSON to find out that an indicator changed.
	Resolution time.Duration `json:",omitempty"`
	// RatioQuery gives the error ratio in place of BadQuery and TotalQuery. For PromQL only.
	RatioQuery string `json:",omitempty"`
	// Minimum is the fewest events of a good minute. For Throughput only.
	Minimum float64 `json:",omitempty"`
	// Phi is how suspicious a silence must be for its minutes to be bad, as −log10 of its probability. For Freshness only.
	Phi float64 `json:",omitempty"`
	// Components are the objectives whose events are added up. For Composite only.
	Components []Component `json:",omitempty"`
	// Slices, unless nil, says that slices of time are counted, and judges each by its events.
	Slices *Slices `json:",omitempty"`
}

// SpanSelector selects spans; an empty field selects all.
type SpanSelector struct {
	Service string
	// Kind is "server", "client", "producer", "consumer" or "internal".
	Kind string
	// Operations are span names.
	Operations []string
	// Attributes are attributes that the span or its resource must have, with their values as text.
	Attributes map[string]string
	// Where has conditions beyond the fields above; nil for none.
	Where *match.Condition `json:",omitempty"`
}

// Counts reports on the counts of a component that counts events of objectives: the connector `sli`.
type Counts interface {
	// Volatile returns a sentence that says since when counts would not survive a crash, and why; empty if they would.
	Volatile() string
	// Lost returns a sentence that says when former counts could not be recovered, and why, for a day after that; empty if none
	// were lost.
	Lost() string
}

// Evaluator reads counts back from the time series database: the `slo` extension.
type Evaluator interface {
	// CountsSent notes that counts of objectives were sent at a time, and that the metrics pipeline accepted them. It may be
	// called concurrently.
	CountsSent(at time.Time)
}

// ObjectiveSource provides the objectives: the `slo` extension.
type ObjectiveSource interface {
	// Objectives returns the validated objectives in the order of the configuration. It may be called concurrently.
	Objectives() []Objective
}

var nameRE = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$`)

// CheckName returns an error unless the name is valid for an objective or a receiver. The error says what is.
func CheckName(name string) error {
	if nameRE.MatchString(name) {
		return nil
	}
	return fmt.Errorf("name: %q is no name; write 1 to 128 letters, digits, dots, dashes or underscores", name)
}

// alertLabels are set on every alert: a label of the same name on an objective would be lost.
var alertLabels = []string{"alertname", "objective", "service", "severity"}

// Kinds lists the span kinds that a SpanSelector may name.
var Kinds = []string{"server", "client", "producer", "consumer", "internal"}

// Validate returns everything that is wrong with the objective, joined.
func (o Objective) Validate() error {
	var errs []error
	if err := CheckName(o.Name); err != nil {
		errs = append(errs, err)
	}
	if !(o.Target > 0 && o.ErrorBudget() >= minErrorBudget) {
		errs = append(errs, fmt.Errorf("target: %v %% is not above 0 and at most %v; write less than 100, where there is no error budget to burn",
			round12(o.Target*100), 100-100*minErrorBudget))
	}
	if o.Window < time.Hour || o.Window > 366*24*time.Hour || o.Window%time.Minute != 0 {
		errs = append(errs, fmt.Errorf("window: %s is not whole minutes from 1h to 366d; write a duration such as 30d", FormatDuration(o.Window)))
	}
	for _, name := range alertLabels {
		if _, taken := o.Labels[name]; taken {
			errs = append(errs, fmt.Errorf("labels: %q is a label of every alert already; choose another name", name))
		}
	}
	errs = append(errs, o.Indicator.validate()...)
	errs = append(errs, o.validateUnit()...)
	errs = append(errs, o.validateEach()...)
	for i, t := range o.Tiers {
		if err := t.validate(); err != nil {
			errs = append(errs, fmt.Errorf("tiers[%d]: %w", i, err))
		} else if t.LongWindow > o.Window {
			errs = append(errs, fmt.Errorf("tiers[%d]::long_window: %s is longer than the objective's window; write at most %s",
				i, FormatDuration(t.LongWindow), FormatDuration(o.Window)))
		}
	}
	if o.KeepFiringFor < 0 {
		errs = append(errs, fmt.Errorf("keep_firing_for: %s is negative; write 0 or more", o.KeepFiringFor))
	}
	if len(errs) == 0 && len(o.Tiers) > 0 && !slices.ContainsFunc(o.Tiers, o.Reachable) {
		errs = append(errs, fmt.Errorf("tiers: none can ever fire, as at a target of %v %% the burn rate cannot pass %.4g, "+
			"and every factor is at least that; lower the tiers' budget or raise the target", round12(o.Target*100), 1/o.ErrorBudget()))
	}
	return errors.Join(errs...)
}

// evenFactor is the lowest factor without a warning. It is close enough to 1, which spends exactly the budget: with a window of
// 28 days, four weeks, the last default tier has 0.93.
const evenFactor = 0.9

// Warnings returns a sentence for each oddity of a valid objective: tiers that can never fire, and tiers that fire although the
// budget would last.
func (o Objective) Warnings() []string {
	var warnings []string
	for i, t := range o.Tiers {
		factor := o.Factor(t)
		name := fmt.Sprintf("tiers[%d] (%s on %s and %s)", i, t.Severity, FormatDuration(t.LongWindow), FormatDuration(t.ShortWindow))
		switch {
		case !o.Reachable(t):
			warnings = append(warnings, fmt.Sprintf("%s can never fire: its factor is %.4g, but at a target of %v %% "+
				"the burn rate cannot pass %.4g", name, factor, round12(o.Target*100), 1/o.ErrorBudget()))
		case atLeast(factor, evenFactor):
		default:
			warnings = append(warnings, fmt.Sprintf("%s fires while the budget would still last: its factor is %.4g, "+
				"and 1 spends exactly the budget of %s", name, factor, FormatDuration(o.Window)))
		}
	}
	return warnings
}

func (in Indicator) validate() (errs []error) {
	if in.Type == Composite {
		return in.validateComponents()
	}
	if in.Type == PromQL {
		if in.RatioQuery == "" && (in.BadQuery == "" || in.TotalQuery == "") {
			errs = append(errs, errors.New("promql: lacks bad or total; write both, or error_ratio"))
		}
		if in.Resolution < time.Minute || in.Resolution > time.Hour || in.Resolution%time.Minute != 0 {
			errs = append(errs, fmt.Errorf("promql::resolution: %s is not whole minutes from 1m to 1h; write a duration such as 1m", FormatDuration(in.Resolution)))
		}
		return errs
	}
	if !in.CountsSpans() {
		return append(errs, fmt.Errorf("has not exactly one of %s; write one", strings.Join(IndicatorTypes, ", ")))
	}
	if in.Type == Freshness && !(in.Phi >= 1 && in.Phi <= maxPhi) {
		errs = append(errs, fmt.Errorf("freshness::phi: %v is not from 1 to %v; write 8, at which a silence is less likely than one in a hundred million", in.Phi, maxPhi))
	}
	if in.Type == Throughput && in.Minimum <= 0 {
		errs = append(errs, errors.New("throughput::minimum: is not above 0; write a rate such as 50/s"))
	}
	if in.Type == Latency && in.Threshold <= 0 {
		errs = append(errs, errors.New("latency::threshold: is not above 0; write a duration such as 300ms"))
	}
	if k := in.Spans.Kind; k != "" && !slices.Contains(Kinds, k) {
		errs = append(errs, fmt.Errorf("%s::kind: %q is not one of %s", in.Type, k, strings.Join(Kinds, ", ")))
	}
	return errs
}
