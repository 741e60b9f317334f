package slo

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// IndicatorTypes lists the keys of a configuration of which an objective has exactly one.
var IndicatorTypes = []string{"availability", "latency", "throughput", "freshness", "promql", "composite"}

// Unit is what the total and the bad events of an objective are counts of.
type Unit string

// The units.
const (
	UnitEvents  Unit = "events"
	UnitSlices  Unit = "slices"
	UnitMinutes Unit = "minutes"
)

// MinuteParts is how many parts of a minute the ledger counts where a minute can be bad in part: millionths.
const MinuteParts = 1_000_000

// Slices judges slices of time, which begin at multiples of Length since the Unix epoch, by the events in them.
type Slices struct {
	// Length is whole minutes, and divides an hour.
	Length time.Duration
	// Target is the share of good events, above 0 and at most 1, that makes a slice good.
	Target float64
	// Empty says what a slice without events is, if it was measured.
	Empty EmptySlice
}

// EmptySlice is what a slice without events counts as.
type EmptySlice string

// A slice without events is a good one, or is not counted.
const (
	EmptyGood EmptySlice = "good"
	EmptySkip EmptySlice = "skip"
)

// Good reports whether a slice with these events is good.
func (s Slices) Good(e Events) bool {
	return float64(e.Bad) <= round12(1-s.Target)*float64(e.Total)*(1+1e-12)
}

// Component is an objective within a composite one.
type Component struct {
	Objective string
	// Weight is what one unit of the component counts, 1 or more.
	Weight uint64
	// Time says that the component counts time, and Scale converts what its ledger counts to parts of a minute then; else it
	// is 1. The package spec sets both.
	Time  bool
	Scale uint64
}

// CountsSpans reports whether the connector sli counts the indicator's events.
func (in Indicator) CountsSpans() bool {
	return in.Type == Availability || in.Type == Latency || in.WantsTraffic()
}

// WantsTraffic reports whether an absence of events is bad.
func (in Indicator) WantsTraffic() bool { return in.Type == Throughput || in.Type == Freshness }

// Unit returns what the indicator counts, and how many parts of one the ledger counts as 1 each.
func (in Indicator) Unit() (unit Unit, parts uint64) {
	switch {
	case in.Slices != nil:
		return UnitSlices, 1
	case in.WantsTraffic():
		return UnitMinutes, 1
	case in.Type == PromQL && in.RatioQuery != "":
		return UnitMinutes, MinuteParts
	case in.Type == Composite && slices.ContainsFunc(in.Components, func(c Component) bool { return c.Time }):
		return UnitMinutes, MinuteParts
	default:
		return UnitEvents, 1
	}
}

// ComponentScale returns the Scale of a component with this indicator. A slice counts as its minutes.
func (in Indicator) ComponentScale() uint64 {
	unit, parts := in.Unit()
	switch unit {
	case UnitSlices:
		return MinuteParts * uint64(in.Slices.Length/time.Minute)
	case UnitMinutes:
		return MinuteParts / parts
	default:
		return 1
	}
}

// CountsTime reports whether the indicator counts slices or minutes rather than events.
func (in Indicator) CountsTime() bool {
	unit, _ := in.Unit()
	return unit != UnitEvents
}

// maxWeight keeps the sums of a year of weighed events far from overflowing.
const maxWeight = 1000

// maxPhi is far beyond what any silence can prove.
const maxPhi = 30

func (in Indicator) validateComponents() (errs []error) {
	if len(in.Components) == 0 {
		errs = append(errs, errors.New("composite: is empty; write [{objective: a, weight: 2}, {objective: b, weight: 1}]"))
	}
	var names []string
	for i, c := range in.Components {
		switch {
		case c.Objective == "":
			errs = append(errs, fmt.Errorf("composite[%d]::objective: is missing; write the name of another objective", i))
		case slices.Contains(names, c.Objective):
			errs = append(errs, fmt.Errorf("composite[%d]::objective: %q is there twice; write it once, with the sum of its weights", i, c.Objective))
		}
		names = append(names, c.Objective)
		if c.Weight < 1 || c.Weight > maxWeight {
			errs = append(errs, fmt.Errorf("composite[%d]::weight: %d is not from 1 to %d; write a whole number", i, c.Weight, maxWeight))
		}
	}
	return errs
}

// validateUnit returns what is wrong with the objective's slices, and with tiers that ask for less than the unit allows.
func (o Objective) validateUnit() (errs []error) {
	if _, parts := o.Indicator.Unit(); parts > 1 && o.MinBadEvents > 1 {
		errs = append(errs, fmt.Errorf("min_bad_events: %d cannot be counted, as a minute can be bad in part; remove it", o.MinBadEvents))
	}
	s := o.Indicator.Slices
	if s == nil {
		return errs
	}
	if o.Indicator.WantsTraffic() || o.Indicator.Type == Composite {
		errs = append(errs, fmt.Errorf("slices: cannot judge the minutes of %s; write availability, latency or promql beside it, or remove it",
			o.Indicator.Type))
	}
	if s.Length < time.Minute || s.Length%time.Minute != 0 || time.Hour%s.Length != 0 {
		return append(errs, fmt.Errorf("slices::length: %s is not whole minutes that divide an hour; write a duration such as 1m, 5m or 15m",
			FormatDuration(s.Length)))
	}
	if !(s.Target > 0 && s.Target <= 1) {
		errs = append(errs, fmt.Errorf("slices::target: %v %% is not above 0 and at most 100; write the percentage of good events that makes a slice good, such as 99",
			math.Round(s.Target*1e14)/1e12))
	}
	if s.Empty != EmptyGood && s.Empty != EmptySkip {
		errs = append(errs, fmt.Errorf("slices::without_events: %q is not one of %s", s.Empty, strings.Join([]string{string(EmptyGood), string(EmptySkip)}, ", ")))
	}
	for i, t := range o.Tiers {
		if t.ShortWindow >= time.Minute && t.ShortWindow < s.Length {
			errs = append(errs, fmt.Errorf("slices::length: %s is longer than the short_window of tiers[%d], %s, which would often be without a slice; "+
				"write at most %[3]s, or tiers with longer windows", FormatDuration(s.Length), i, FormatDuration(t.ShortWindow)))
		}
	}
	return errs
}
