package engine

import (
	"errors"
	"time"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/notify"
)

// Reader is what people can ask the extension. Its methods may be called concurrently; results are read-only.
type Reader interface {
	slo.ObjectiveSource
	// Statuses are all objectives, in the order of the configuration.
	Statuses() Statuses
	// Status is one objective, and false where there is none of the name.
	Status(name string) (Status, bool)
	// History is an objective over time: a point for each whole step from start to end, as far as it was evaluated.
	// The error is ErrUnknownObjective, or says what is wrong with the range (ErrBadRange).
	History(name string, start, end time.Time, step time.Duration) (History, error)
	// Alerts are those that fire or are pending, then those that resolved within the last 7 days, the youngest first.
	Alerts() (Alerts, error)
	// Deliveries are the last deliveries to receivers, the newest first.
	Deliveries() (Deliveries, error)
}

// What a Reader may answer.
var (
	ErrUnknownObjective = errors.New("there is no objective of this name")
	ErrBadRange         = errors.New("the range cannot be answered")
	ErrNotRunning       = errors.New("the slo extension is not running: it has not started yet, or has been shut down")
)

// Statuses answers GET /api/slo/v1/objectives.
type Statuses struct {
	// EvaluatedUntil is the least of the objectives', nil before the first evaluation.
	EvaluatedUntil *time.Time `json:"evaluated_until"`
	// NextEvaluation is when the next evaluation begins, nil while the first one runs.
	NextEvaluation *time.Time `json:"next_evaluation_at"`
	Objectives     []Status   `json:"objectives"`
}

// State says how far a Status can be trusted.
type State string

// The states.
const (
	StateOK     State = "ok"
	StateNoData State = "no_data" // no events in the window, or nothing measured in the last minutes; the message says since when
	StateError  State = "error"   // the database cannot be queried; the message says why
)

// Status answers GET /api/slo/v1/objectives/{name}. What a ratio of nothing would be is nil.
type Status struct {
	Definition
	EvaluatedUntil *time.Time `json:"evaluated_until"`
	// LastMeasuredAt is until when the database has anything of the objective, be it that nothing happened; nil where it has nothing.
	// Events, ErrorRatio and Budget are as of then where the state is no_data.
	LastMeasuredAt *time.Time `json:"last_measured_at"`
	State          State      `json:"state"`
	Message        string     `json:"message"`
	Events         Events     `json:"events"`
	ErrorRatio     *float64   `json:"error_ratio"`
	Budget         Budget     `json:"budget"`
	BurnRates      []BurnRate `json:"burn_rates"`
	Tiers          []Tier     `json:"tiers"`
	Alert          AlertState `json:"alert"`
	// VolatileCounts says since when counts of its spans would not survive a crash, and why; it is empty if they would. The
	// engine leaves it to who knows the components that count.
	VolatileCounts string `json:"volatile_counts"`
	// LostCounts says when counts of before were not taken up, and why: for a day. It is empty if they were, and left to others, too.
	LostCounts string `json:"lost_counts"`
}

// Definition is the part of a Status that is configured.
type Definition struct {
	Name          string            `json:"name"`
	Description   string            `json:"description"`
	Service       string            `json:"service"`
	Labels        map[string]string `json:"labels"`
	Indicator     Indicator         `json:"indicator"`
	Target        float64           `json:"target"`
	Window        string            `json:"window"`
	WindowSeconds int64             `json:"window_seconds"`
}

// Indicator is what the objective counts.
type Indicator struct {
	Type        slo.IndicatorType `json:"type"`
	Service     string            `json:"service"`
	Kind        string            `json:"kind"`
	Operations  []string          `json:"operations"`
	Attributes  map[string]string `json:"attributes"`
	ThresholdMS float64           `json:"threshold_ms"`
	BadQuery    string            `json:"bad_query"`
	TotalQuery  string            `json:"total_query"`
}

// Events are counts over some window.
type Events struct {
	Total uint64 `json:"total"`
	Bad   uint64 `json:"bad"`
}

// Budget is what is left of the error budget.
type Budget struct {
	RemainingRatio   float64         `json:"remaining_ratio"`
	RemainingPercent float64         `json:"remaining_percent"`
	AllowedEvents    float64         `json:"allowed_events"`
	RemainingEvents  float64         `json:"remaining_events"`
	TotalMinutes     float64         `json:"total_minutes"`
	RemainingMinutes float64         `json:"remaining_minutes"`
	Policy           slo.PolicyLevel `json:"policy"`
}

// BurnRate is the burn rate of one window.
type BurnRate struct {
	Window        string   `json:"window"`
	WindowSeconds int64    `json:"window_seconds"`
	Total         uint64   `json:"total"`
	Bad           uint64   `json:"bad"`
	ErrorRatio    *float64 `json:"error_ratio"`
	BurnRate      *float64 `json:"burn_rate"`
}

// Tier is where a tier stands.
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
}

// AlertState is where the objective's alert stands.
type AlertState struct {
	State    alert.State  `json:"state"`
	Severity slo.Severity `json:"severity"`
	Since    *time.Time   `json:"since"`
	Summary  string       `json:"summary"`
}

// History answers GET /api/slo/v1/objectives/{name}/history.
type History struct {
	StepSeconds int64   `json:"step_seconds"`
	Points      []Point `json:"points"`
}

// Point is an objective at a time: the events of the step that ends there, and the budget and the burn rates there.
type Point struct {
	Time                 time.Time           `json:"time"`
	Total                uint64              `json:"total"`
	Bad                  uint64              `json:"bad"`
	ErrorRatio           *float64            `json:"error_ratio"`
	BudgetRemainingRatio *float64            `json:"budget_remaining_ratio"`
	BurnRates            map[string]*float64 `json:"burn_rates"`
}

// Alerts answers GET /api/alerts/v1/alerts.
type Alerts struct {
	Alerts []Alert `json:"alerts"`
}

// Alert is one episode of an objective's alert.
type Alert struct {
	ID          string            `json:"id"`
	Objective   string            `json:"objective"`
	Service     string            `json:"service"`
	State       alert.State       `json:"state"`
	Severity    slo.Severity      `json:"severity"`
	StartsAt    time.Time         `json:"starts_at"`
	EndsAt      *time.Time        `json:"ends_at"`
	UpdatedAt   time.Time         `json:"updated_at"`
	Summary     string            `json:"summary"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

// Deliveries answers GET /api/alerts/v1/deliveries.
type Deliveries struct {
	Deliveries []Delivery `json:"deliveries"`
}

// Delivery is one notice on its way to one receiver.
type Delivery struct {
	ID             string           `json:"id"`
	IdempotencyKey string           `json:"idempotency_key"`
	Receiver       string           `json:"receiver"`
	Objective      string           `json:"objective"`
	Transition     alert.Transition `json:"transition"`
	State          notify.State     `json:"state"`
	Attempts       int              `json:"attempts"`
	CreatedAt      time.Time        `json:"created_at"`
	NextAttemptAt  *time.Time       `json:"next_attempt_at"`
	DeliveredAt    *time.Time       `json:"delivered_at"`
	LastError      string           `json:"last_error"`
}
