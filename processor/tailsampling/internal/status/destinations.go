package status

import "time"

// Destinations is what GET /api/sampling/v1/destinations shows: where kept traces go, and which ones were refused.
type Destinations struct {
	Destinations []Destination `json:"destinations"`
	// Refused are traces that a destination refused for good, the latest first. They stay in the log, within the budget, and can
	// be sent again. RefusedTotal is how many there are: only the latest are listed.
	Refused      []RefusedTrace `json:"refused"`
	RefusedTotal int64          `json:"refused_total"`
	// BudgetBytes is delivery_budget, UsedBytes what of it is used, in bytes of spans. WhenFull is give_up or refuse.
	BudgetBytes int64  `json:"budget_bytes"`
	UsedBytes   int64  `json:"used_bytes"`
	WhenFull    string `json:"when_full"`
}

// Destination is how delivery to one destination goes. What is counted is since the start.
type Destination struct {
	Destination string   `json:"destination"`
	Pipeline    string   `json:"pipeline"`
	Bytes       bool     `json:"bytes"`
	Exporters   []string `json:"exporters"`
	// State is delivering, slow (a call has not returned for ten seconds), retrying (from the first call
	// that fails until one is accepted), or refuses_gateway.
	State      string  `json:"state"`
	Backlog    Backlog `json:"backlog"`
	ShareBytes int64   `json:"share_bytes"`
	// LastAnswer is null until there is one. RetryAt is when it is tried again; null where nothing fails, and
	// while it is being tried.
	LastAnswer *LastAnswer `json:"last_answer"`
	RetryAt    *time.Time  `json:"retry_at"`
	// RefusesSince is since when it refuses the gateway itself, null where it does not.
	RefusesSince *time.Time `json:"refuses_since"`

	Deliveries
}

// Deliveries is what became of kept traces on the way to a destination.
type Deliveries struct {
	DeliveredTraces int64 `json:"delivered_traces"`
	DeliveredSpans  int64 `json:"delivered_spans"`
	Retries         int64 `json:"retries"`
	// RejectedSpans were not stored by the destination although it accepted their request (partial success).
	RejectedSpans int64  `json:"rejected_spans"`
	RejectedWhy   string `json:"rejected_why"`
	// RefusedTraces are refused for good and still here; ApartTraces wait apart, because each try of them fails.
	RefusedTraces int64 `json:"refused_traces"`
	ApartTraces   int64 `json:"apart_traces"`
	// UndeliveredTraces and UndeliveredSpans were given up: the share of the budget or the patience was used up.
	UndeliveredTraces int64 `json:"undelivered_traces"`
	UndeliveredSpans  int64 `json:"undelivered_spans"`
}

// Backlog is what waits for a destination.
type Backlog struct {
	// Traces and Spans are without those that were refused for good.
	Traces int64 `json:"traces"`
	Spans  int64 `json:"spans"`
	// Bytes are with them: they use the budget too.
	Bytes int64 `json:"bytes"`
	// Seconds is how long ago the oldest of Traces was decided, in time that the gateway was up.
	Seconds float64 `json:"seconds"`
}

// LastAnswer is what a destination answered last.
type LastAnswer struct {
	At time.Time `json:"at"`
	// Class is accepted, retry, too_large, data, gateway or either; see package answer. Code and Text are the destination's.
	Class string `json:"class"`
	Code  string `json:"code"`
	Text  string `json:"text"`
}

// RefusedTrace is a trace, or a late part of one, that a destination refused for good.
type RefusedTrace struct {
	TraceID     string    `json:"trace_id"`
	Destination string    `json:"destination"`
	Pipeline    string    `json:"pipeline"`
	Spans       int64     `json:"spans"`
	Bytes       int64     `json:"bytes"`
	At          time.Time `json:"at"`
	Code        string    `json:"code"`
	Text        string    `json:"text"`
}
