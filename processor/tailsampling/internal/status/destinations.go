package status

import "time"

// Destinations lists the state of each destination, and the traces that were refused for good.
type Destinations struct {
	Destinations []Destination
	// Refused are the latest traces that a destination refused for good, the latest first. They stay in the log, within the
	// budget, and can be sent again. RefusedTotal counts all of them.
	Refused      []RefusedTrace
	RefusedTotal int64
	// BudgetBytes is delivery_budget, UsedBytes the used part, in bytes of spans. WhenFull is give_up or refuse.
	BudgetBytes int64
	UsedBytes   int64
	WhenFull    string
}

// Destination is the state of delivery to one destination. Counts are since the start.
type Destination struct {
	Destination string
	Pipeline    string
	Bytes       bool
	Exporters   []string
	// State is delivering, slow (a call has lasted ten seconds), retrying (from the first failed call to the
	// next accepted one), or refuses_gateway.
	State      string
	Backlog    Backlog
	ShareBytes int64
	// LastAnswer is nil before the first answer. RetryAt is the time of the next try; nil while none is due
	// or one runs.
	LastAnswer *LastAnswer
	RetryAt    *time.Time
	// RefusesSince is when it began to refuse the gateway itself, nil if it does not.
	RefusesSince *time.Time

	Deliveries
}

// Deliveries counts kept traces by the outcome of their delivery to a destination.
type Deliveries struct {
	DeliveredTraces int64
	DeliveredSpans  int64
	Retries         int64
	// RejectedSpans were rejected by the destination although it accepted their request (partial success).
	RejectedSpans int64
	RejectedWhy   string
	// RefusedTraces were refused for good and are still buffered. ApartTraces wait apart because each try to
	// send them fails.
	RefusedTraces int64
	ApartTraces   int64
	// UndeliveredTraces and UndeliveredSpans were given up, because the share of the budget or the patience was
	// used up.
	UndeliveredTraces int64
	UndeliveredSpans  int64
}

// Backlog is the amount that waits for a destination.
type Backlog struct {
	// Traces and Spans exclude those that were refused for good.
	Traces int64
	Spans  int64
	// Bytes include them, as they use the budget too.
	Bytes int64
	// Seconds is the time since the oldest of Traces was decided, not counting time in which the gateway did
	// not run.
	Seconds float64
}

// LastAnswer is a destination's last answer.
type LastAnswer struct {
	At time.Time
	// Class is accepted, retry, too_large, data, gateway or either; see package answer. Code and Text are the destination's
	// own.
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
