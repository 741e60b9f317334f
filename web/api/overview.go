package api

import (
	"time"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine"
)

// Overview answers GET /api/slo/v1/overview: a page of objectives, as rows. Much that rows have in common is in lists that they
// refer to by index, so that a hundred rows have at most 30 kB.
type Overview struct {
	EvaluatedUntil *time.Time         `json:"evaluated_until"`
	NextEvaluation *time.Time         `json:"next_evaluation_at"`
	Total          int                `json:"total"`
	Matched        int                `json:"matched"`
	ByUrgency      ObjectivesUrgency  `json:"by_urgency"`
	Meters         []Meter            `json:"meters"`
	Promises       []ObjectivePromise `json:"promises"`
	Messages       []string           `json:"messages"`
	Rows           []ObjectiveRow     `json:"rows"`
	NextCursor     string             `json:"next_cursor"`
}

// ObjectivesUrgency counts objectives by their urgency.
type ObjectivesUrgency struct {
	Page      int `json:"page"`
	Ticket    int `json:"ticket"`
	Pending   int `json:"pending"`
	Error     int `json:"error"`
	Overspent int `json:"overspent"`
	Low       int `json:"low"`
	OK        int `json:"ok"`
	NoData    int `json:"no_data"`
}

// Meter is the windows whose burn rates rows show.
type Meter struct {
	Windows []MeterWindow `json:"windows"`
}

// MeterWindow is a window, and the factor and severity of the tier that it is held against; nil and empty if there is none.
type MeterWindow struct {
	Window   string       `json:"window"`
	Factor   *float64     `json:"factor"`
	Severity slo.Severity `json:"severity"`
}

// ObjectivePromise is a promise of objectives: the share of good events, of which kind, over which window.
type ObjectivePromise struct {
	Type        slo.IndicatorType `json:"type"`
	Kind        string            `json:"kind,omitempty"`
	ThresholdMS float64           `json:"threshold_ms,omitempty"`
	Target      float64           `json:"target"`
	Window      string            `json:"window"`
}

// ObjectiveRow is an objective in a list. Ratios and rates have four digits; a rate without events is nil.
type ObjectiveRow struct {
	Name           string          `json:"name"`
	Service        string          `json:"service,omitempty"`
	Promise        int             `json:"promise"`
	Meter          int             `json:"meter,omitempty"`
	Urgency        string          `json:"urgency"`
	State          engine.State    `json:"state,omitempty"`
	Message        *int            `json:"message,omitempty"`
	Since          *time.Time      `json:"since,omitempty"`
	Policy         slo.PolicyLevel `json:"policy"`
	RemainingRatio *float64        `json:"remaining_ratio"`
	Total          uint64          `json:"total"`
	Bad            uint64          `json:"bad"`
	BurnRates      []*float64      `json:"burn_rates"`
	SeenSeconds    int64           `json:"seen_seconds,omitempty"`
}
