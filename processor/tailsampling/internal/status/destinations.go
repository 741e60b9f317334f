package status

import "time"

// Destinations is where kept traces go, and which ones were refused.
type Destinations struct {
	Destinations []Destination
	// Refused are traces that a destination refused for good, the latest first. They stay in the log, within the budget, and can
	// be sent again. RefusedTotal is how many there are: only the latest are listed.
	Refused      []RefusedTrace
	RefusedTotal int64
	// BudgetBytes is delivery_budget, UsedBytes what of it is used, in bytes of spans. WhenFull is give_up or refuse.
	BudgetBytes int64
	UsedBytes   int64
	WhenFull    string
}

// Destination is how delivery to one destination goes. What is counted is since the start.
type Destination struct {
	Destination string
	Pipeline    string
	Bytes       bool
	Exporters   []string
	// State is delivering, slow (a call has not returned for ten seconds), retrying (from the first call
	// that fails until one is accepted), or refuses_gateway.
	State      string
	Backlog    Backlog
	ShareBytes int64
	// LastAnswer is nil until there is one. RetryAt is when it is tried again; nil where nothing fails, and
	// while it is being tried.
	LastAnswer *LastAnswer
	RetryAt    *time.Time
	// RefusesSince is since when it refuses the gateway itself, nil where it does not.
	RefusesSince *time.Time

	Deliveries
}

// Deliveries is what became of kept traces on the way to a destination.
type Deliveries struct {
	DeliveredTraces int64
	DeliveredSpans  int64
	Retries         int64
	// RejectedSpans were not stored by the destination although it accepted their request (partial success).
	RejectedSpans int64
	RejectedWhy   string
	// RefusedTraces are refused for good and still here; ApartTraces wait apart, because each try of them fails.
	RefusedTraces int64
	ApartTraces   int64
	// UndeliveredTraces and UndeliveredSpans were given up: the share of the budget or the patience was used up.
	UndeliveredTraces int64
	UndeliveredSpans  int64
}

// Backlog is what waits for a destination.
type Backlog struct {
	// Traces and Spans are without those that were refused for good.
	Traces int64
	Spans  int64
	// Bytes are with them: they use the budget too.
	Bytes int64
	// Seconds is how long ago the oldest of Traces was decided, in time that the gateway was up.
	Seconds float64
}

// LastAnswer is what a destination answered last.
type LastAnswer struct {
	At time.Time
	// Class is accepted, retry, too_large, data, gateway or either; see package answer. Code and Text are the destination's.
	Class string
	Code  string
	Text  string
}

// RefusedTrace is a trace, or a late part of one, that a destination refused for good.
type RefusedTrace struct {
	TraceID     string
	Destination string
	Pipeline    string
	Spans       int64
	Bytes       int64
	At          time.Time
	Code        string
	Text        string
}
