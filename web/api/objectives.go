package api

import (
	"time"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine"
)

// Objectives answers GET /api/slo/v1/objectives.
type Objectives struct {
	EvaluatedUntil *time.Time  `json:"evaluated_until"`
	NextEvaluation *time.Time  `json:"next_evaluation_at"`
	Total          int         `json:"total"`
	Matched        int         `json:"matched"`
	Objectives     []Objective `json:"objectives"`
	NextCursor     string      `json:"next_cursor"`
}

// Objective answers GET /api/slo/v1/objectives/{name}. A ratio of no events is nil.
type Objective struct {
	Name           string            `json:"name"`
	Description    string            `json:"description"`
	Service        string            `json:"service"`
	Labels         map[string]string `json:"labels"`
	Indicator      Indicator         `json:"indicator"`
	Target         float64           `json:"target"`
	Window         string            `json:"window"`
	WindowSeconds  int64             `json:"window_seconds"`
	EvaluatedUntil *time.Time        `json:"evaluated_until"`
	CountedSince   *time.Time        `json:"counted_since"`
	LastMeasuredAt *time.Time        `json:"last_measured_at"`
	State          engine.State      `json:"state"`
	Message        string            `json:"message"`
	Standing
}

// Standing is the state of an objective: its counts, and the values computed from them.
type Standing struct {
	Events         Events         `json:"events"`
	ErrorRatio     *float64       `json:"error_ratio"`
	Budget         Budget         `json:"budget"`
	BurnRates      []BurnRate     `json:"burn_rates"`
	Tiers          []Tier         `json:"tiers"`
	Alert          ObjectiveAlert `json:"alert"`
	Coverage       Coverage       `json:"coverage"`
	VolatileCounts string         `json:"volatile_counts"`
	LostCounts     string         `json:"lost_counts"`
	Warnings       []string       `json:"warnings"`
	Late           Events         `json:"late"`
	ClocksOff      []ClockOff     `json:"clocks_off"`
}

// ClockOff is a service with processes whose clocks are behind.
type ClockOff struct {
	Service       string    `json:"service"`
	Processes     int       `json:"processes"`
	BehindSeconds float64   `json:"behind_seconds"`
	Since         time.Time `json:"since"`
}

// ClocksOffOf describes the processes whose clocks are behind, by service. They must be sorted by service.
func ClocksOffOf(processes []slo.ClockOff) []ClockOff {
	list := []ClockOff{}
	for _, p := range processes {
		if n := len(list); n == 0 || list[n-1].Service != p.Service {
			list = append(list, ClockOff{Service: p.Service, Since: p.Since})
		}
		last := &list[len(list)-1]
		last.Processes++
		last.BehindSeconds = max(last.BehindSeconds, p.Behind.Seconds())
		if p.Since.Before(last.Since) {
			last.Since = p.Since
		}
	}
	return list
}

// Indicator selects the events of an objective.
type Indicator struct {
	Type        slo.IndicatorType `json:"type"`
	Service     string            `json:"service"`
	Kind        string            `json:"kind"`
	Operations  []string          `json:"operations"`
	Attributes  map[string]string `json:"attributes"`
	ThresholdMS float64           `json:"threshold_ms"`
	BadQuery    string            `json:"bad_query"`
	TotalQuery  string            `json:"total_query"`
	Sentence    string            `json:"sentence"`

	Unit             slo.Unit          `json:"unit"`
	UnitParts        uint64            `json:"unit_parts"`
	RatioQuery       string            `json:"ratio_query"`
	MinimumPerMinute float64           `json:"minimum_per_minute"`
	SliceSeconds     int64             `json:"slice_seconds"`
	SliceTarget      float64           `json:"slice_target"`
	Components       map[string]uint64 `json:"components"`
}

// Events counts events in a window.
type Events struct {
	Total uint64 `json:"total"`
	Bad   uint64 `json:"bad"`
}

// Budget describes the rest of an error budget.
type Budget struct {
	RemainingRatio   float64         `json:"remaining_ratio"`
	RemainingPercent float64         `json:"remaining_percent"`
	AllowedEvents    float64         `json:"allowed_events"`
	RemainingEvents  float64         `json:"remaining_events"`
	TotalMinutes     float64         `json:"total_minutes"`
	RemainingMinutes float64         `json:"remaining_minutes"`
	Policy           slo.PolicyLevel `json:"policy"`

	RemainingRatioLow float64    `json:"remaining_ratio_low"`
	ExpectedEvents    float64    `json:"expected_events"`
	Young             bool       `json:"young"`
	ExhaustedAt       *time.Time `json:"exhausted_at"`
}

// Coverage is how much of an objective's window was measured.
type Coverage struct {
	SeenSeconds    int64   `json:"seen_seconds"`
	CoveredSeconds int64   `json:"covered_seconds"`
	CoveredRatio   float64 `json:"covered_ratio"`
	Young          bool    `json:"young"`
	LostSpans      float64 `json:"lost_spans"`
	Gaps           []Gap   `json:"gaps,omitempty"`
	GapsTotal      int     `json:"gaps_total"`
}

// Gap is a run of minutes that was not measured.
type Gap struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	Reason string    `json:"reason"`
}

// BurnRate is the burn rate of one window.
type BurnRate struct {
	Window        string   `json:"window"`
	WindowSeconds int64    `json:"window_seconds"`
	Total         uint64   `json:"total"`
	Bad           uint64   `json:"bad"`
	ErrorRatio    *float64 `json:"error_ratio"`
	BurnRate      *float64 `json:"burn_rate"`

	BurnRateHigh   *float64 `json:"burn_rate_high"`
	CoveredSeconds int64    `json:"covered_seconds"`
	CoveredRatio   float64  `json:"covered_ratio"`
}

// Tier is the state of a tier.
type Tier struct {
	Severity          slo.Severity `json:"severity"`
	LongWindow        string       `json:"long_window"`
	ShortWindow       string       `json:"short_window"`
	Factor            float64      `json:"factor"`
	BudgetPercent     float64      `json:"budget_percent"`
	LongBurnRate      *float64     `json:"long_burn_rate"`
	ShortBurnRate     *float64     `json:"short_burn_rate"`
	Active            bool         `json:"active"`
	Reachable         bool         `json:"reachable"`
	ExhaustionSeconds *float64     `json:"exhaustion_seconds"`
	ExhaustedAt       *time.Time   `json:"exhausted_at"`
	AwaitsCoverage    bool         `json:"awaits_coverage"`
}

// ObjectiveAlert is the state of an objective's alert.
type ObjectiveAlert struct {
	State    alert.State  `json:"state"`
	Severity slo.Severity `json:"severity"`
	Since    *time.Time   `json:"since"`
	Summary  string       `json:"summary"`
}

// History answers GET /api/slo/v1/objectives/{name}/history.
type History struct {
	StepSeconds int64          `json:"step_seconds"`
	Points      []HistoryPoint `json:"points"`
}

// HistoryPoint is the state of an objective at one time.
type HistoryPoint struct {
	Time                 time.Time           `json:"time"`
	Total                uint64              `json:"total"`
	Bad                  uint64              `json:"bad"`
	ErrorRatio           *float64            `json:"error_ratio"`
	BudgetRemainingRatio *float64            `json:"budget_remaining_ratio"`
	BurnRates            map[string]*float64 `json:"burn_rates"`
}

// ObjectivesOf describes objectives. The caller sets Total, Matched and NextCursor, which depend on the page.
func ObjectivesOf(s engine.Statuses) Objectives {
	return Objectives{EvaluatedUntil: s.EvaluatedUntil, NextEvaluation: s.NextEvaluation, Objectives: listOf(s.Objectives, ObjectiveOf)}
}

func coverageOf(c engine.Coverage) Coverage {
	var gaps []Gap // nil, and so absent, where there are none
	for _, g := range c.Gaps {
		gaps = append(gaps, Gap(g))
	}
	return Coverage{c.SeenSeconds, c.CoveredSeconds, c.CoveredRatio, c.Young, c.LostSpans, gaps, c.GapsTotal}
}

// ObjectiveOf describes an objective. The caller sets VolatileCounts, LostCounts and ClocksOff from the sli connectors.
func ObjectiveOf(s engine.Status) Objective {
	indicator := Indicator(s.Indicator)
	indicator.Operations, indicator.Attributes = whole(indicator.Operations), wholeMap(indicator.Attributes)
	indicator.Components = wholeMap(indicator.Components)
	return Objective{
		Name: s.Name, Description: s.Description, Service: s.Service, Labels: wholeMap(s.Labels), Indicator: indicator,
		Target: s.Target, Window: s.Window, WindowSeconds: s.WindowSeconds,
		EvaluatedUntil: s.EvaluatedUntil, CountedSince: s.CountedSince, LastMeasuredAt: s.LastMeasuredAt, State: s.State, Message: s.Message,
		Standing: Standing{
			Events: Events(s.Events), ErrorRatio: s.ErrorRatio, Budget: Budget(s.Budget),
			BurnRates: listOf(s.BurnRates, func(b engine.BurnRate) BurnRate { return BurnRate(b) }),
			Tiers:     listOf(s.Tiers, func(t engine.Tier) Tier { return Tier(t) }),
			Alert:     ObjectiveAlert(s.Alert),
			Coverage:  coverageOf(s.Coverage),
			Warnings:  whole(s.Warnings),
			Late:      Events(s.Late), ClocksOff: []ClockOff{},
		},
	}
}

// HistoryOf describes an objective over time.
func HistoryOf(h engine.History) History {
	return History{h.StepSeconds, listOf(h.Points, func(p engine.Point) HistoryPoint {
		p.BurnRates = wholeMap(p.BurnRates)
		return HistoryPoint(p)
	})}
}
