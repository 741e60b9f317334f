package engine

import (
	"errors"
	"time"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/ledger/parts"
	"github.com/slowburn/slowburn/slo/notify"
)

// Reader answers people's questions about objectives. Its methods may be called concurrently; results are read-only.
type Reader interface {
	slo.ObjectiveSource
	// Statuses returns all objectives, in the order of the configuration.
	Statuses() Statuses
	// Status returns one objective, and false if there is none of the name.
	Status(name string) (Status, bool)
	// History returns an objective over time: a point for each whole step from start to end, as far as it was evaluated. The
	// error is ErrUnknownObjective, or wraps ErrBadRange and says what is wrong with the range.
	History(name string, start, end time.Time, step time.Duration) (History, error)
	// Breakdown returns which services, operations, versions and reasons an objective's events came from, by the given dimensions. A zero
	// end is the last minute that was evaluated, a zero start as BasisAlert and BasisLastHour say. The errors are those of History.
	Breakdown(name string, start, end time.Time, by []parts.Dimension) (Breakdown, error)
	// Alerts returns the firing and pending alerts, then those that resolved within the last 7 days, latest end first.
	Alerts() (Alerts, error)
	// Deliveries returns the latest deliveries to receivers, newest first.
	Deliveries() (Deliveries, error)
}

// The errors of a Reader.
var (
	ErrUnknownObjective = errors.New("there is no objective of this name")
	ErrBadRange         = errors.New("the range cannot be answered")
	ErrNotRunning       = errors.New("the slo extension is not running: it has not started yet, or has been shut down")
)

// Statuses holds all objectives, and when they are evaluated.
type Statuses struct {
	// EvaluatedUntil is the earliest of the objectives' own, nil until each was evaluated.
	EvaluatedUntil *time.Time
	// NextEvaluation is when the next evaluation begins, nil during the first.
	NextEvaluation *time.Time
	Objectives     []Status
}

// State is how far a Status can be trusted.
type State string

// The states.
const (
	StateOK     State = "ok"
	StateNoData State = "no_data" // no events in the window, or nothing measured in the last minutes; the message says since when
	StateError  State = "error"   // the database cannot be queried; the message says why
)

// Status is the present state of one objective. A ratio without events is nil.
type Status struct {
	Definition
	EvaluatedUntil *time.Time
	// CountedSince is the start of the first minute that was counted, nil if there is none. For a PromQL objective that is as far back as
	// the database went, once that was read.
	CountedSince *time.Time
	// LastMeasuredAt is the end of the last minute of which the database has samples, even if nothing happened; nil if there is
	// none. In state no_data, Events, ErrorRatio and Budget are as of then.
	LastMeasuredAt *time.Time
	State          State
	Message        string
	// Warnings has a sentence for each condition of the indicator that no span met for an hour although its service had traffic.
	Warnings []string
	Events   Events
	// Late are the events of the last 24 hours that arrived more than late_window after their spans ended. They are in Events, and in no
	// short window of a tier.
	Late       Events
	ErrorRatio *float64
	Budget     Budget
	BurnRates  []BurnRate
	Tiers      []Tier
	Alert      AlertState
	Coverage   Coverage
}

// Coverage is how much of the objective's window was measured.
type Coverage struct {
	// SeenSeconds is the part of the window since counting began, CoveredSeconds the part of that which was measured.
	SeenSeconds    int64
	CoveredSeconds int64
	// CoveredRatio is the covered share of the window.
	CoveredRatio float64
	// Young says that counting began after the window's start.
	Young bool
	// LostSpans is how many spans in the window were dropped by their senders or refused: each may have been a bad event.
	LostSpans float64
	// Gaps are the runs of minutes that were not measured, the latest first: at most 50 of the GapsTotal.
	Gaps      []Gap
	GapsTotal int
}

// Gap is a run of minutes that was not measured.
type Gap struct {
	From, To time.Time
	// Reason is gateway_down, database_away, no_value, clock_jump, or counted_late where the events were counted when the database was
	// back.
	Reason string
}

// Definition is the configured part of a Status.
type Definition struct {
	Name          string
	Description   string
	Service       string
	Labels        map[string]string
	Indicator     Indicator
	Target        float64
	Window        string
	WindowSeconds int64
}

// Indicator is what the objective counts.
type Indicator struct {
	Type        slo.IndicatorType
	Service     string
	Kind        string
	Operations  []string
	Attributes  map[string]string
	ThresholdMS float64
	BadQuery    string
	TotalQuery  string
	// Sentence says which spans count, and which of them are bad; empty for PromQL.
	Sentence string
	// Unit is what all counts of the objective are counts of; UnitParts is how many counts one of them is.
	Unit      slo.Unit
	UnitParts uint64
	// RatioQuery gives the error ratio of each minute.
	RatioQuery string
	// MinimumPerMinute is the fewest events of a good minute.
	MinimumPerMinute float64
	// SliceSeconds is the length of the slices that are counted, SliceTarget the share of good events that makes one good.
	SliceSeconds int64
	SliceTarget  float64
	// Components are the objectives that a composite one adds up, with their weights.
	Components map[string]uint64
}

// Events are counts over some window.
type Events struct {
	Total uint64
	Bad   uint64
}

// Budget is what is left of the error budget.
type Budget struct {
	RemainingRatio   float64
	RemainingPercent float64
	AllowedEvents    float64
	RemainingEvents  float64
	TotalMinutes     float64
	RemainingMinutes float64
	Policy           slo.PolicyLevel
	// RemainingRatioLow is RemainingRatio with all that was not measured taken as bad events.
	RemainingRatioLow float64
	// ExpectedEvents is the number of events that the budget is rated against. A Young window's includes what is expected of the part that
	// was not seen.
	ExpectedEvents float64
	Young          bool
	// ExhaustedAt is when the budget is spent at the burn rate of the most urgent active tier's long window or, while none is active, of
	// the longest; nil where the budget outlasts 100 years, or is spent.
	ExhaustedAt *time.Time
}

// BurnRate is the burn rate of one window.
type BurnRate struct {
	Window        string
	WindowSeconds int64
	Total         uint64
	Bad           uint64
	ErrorRatio    *float64
	BurnRate      *float64
	// BurnRateHigh is BurnRate with all that was not measured taken as bad events.
	BurnRateHigh *float64
	// CoveredSeconds is how much of the window was measured, CoveredRatio its share.
	CoveredSeconds int64
	CoveredRatio   float64
}

// Tier is the present state of a tier.
type Tier struct {
	Severity          slo.Severity
	LongWindow        string
	ShortWindow       string
	Factor            float64
	BudgetPercent     float64
	LongBurnRate      *float64
	ShortBurnRate     *float64
	Active            bool
	Reachable         bool
	ExhaustionSeconds *float64
	ExhaustedAt       *time.Time
	// AwaitsCoverage says that the tier would be active, and is not because too little of its long window is covered.
	AwaitsCoverage bool
}

// AlertState is the present state of the objective's alert.
type AlertState struct {
	State    alert.State
	Severity slo.Severity
	Since    *time.Time
	Summary  string
}

// History is an objective over time.
type History struct {
	StepSeconds int64
	Points      []Point
}

// Point is an objective at a time: the events of the step that ends then, and the budget and burn rates as of then.
type Point struct {
	Time                 time.Time
	Total                uint64
	Bad                  uint64
	ErrorRatio           *float64
	BudgetRemainingRatio *float64
	BurnRates            map[string]*float64
}

// Breakdown is an objective's events by part.
type Breakdown struct {
	By    []parts.Dimension
	Basis Basis
	parts.Breakdown
}

// Basis says where a Breakdown begins.
type Basis string

// The bases.
const (
	BasisRequest  Basis = "request"   // at the start that was asked for
	BasisAlert    Basis = "alert"     // where the burn began that the pending or firing alert is about, which is before the alert
	BasisLastHour Basis = "last_hour" // an hour before the end, as there is no such alert
)

// Alerts is a list of alerts.
type Alerts struct {
	Alerts []Alert
}

// Alert is one episode of an objective's alert.
type Alert struct {
	ID          string
	Objective   string
	Service     string
	State       alert.State
	Severity    slo.Severity
	StartsAt    time.Time
	EndsAt      *time.Time
	UpdatedAt   time.Time
	Summary     string
	Labels      map[string]string
	Annotations map[string]string
}

// Deliveries is a list of deliveries.
type Deliveries struct {
	Deliveries []Delivery
}

// Delivery is one notice on its way to one receiver.
type Delivery struct {
	ID             string
	IdempotencyKey string
	Receiver       string
	Objective      string
	Transition     alert.Transition
	State          notify.State
	Attempts       int
	CreatedAt      time.Time
	NextAttemptAt  *time.Time
	DeliveredAt    *time.Time
	LastError      string
}
