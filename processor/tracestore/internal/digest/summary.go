package digest

import "time"

// Summary is a trace in a line.
type Summary struct {
	TraceID string `json:"trace_id"`
	// RootService and RootOperation are those of the primary root or, where that is missing, of the first span below.
	RootService   string    `json:"root_service"`
	RootOperation string    `json:"root_operation"`
	Start         time.Time `json:"start"`
	StartUnixNano uint64    `json:"start_unix_nano,string"`
	// DurationMS is the trace's corrected range in milliseconds.
	DurationMS float64 `json:"duration_ms"`
	SpanCount  int     `json:"span_count"`
	ErrorCount int     `json:"error_count"`
	// Services are in the order of their names.
	Services []ServiceSummary `json:"services"`
	// Policy is the sampling policy that kept the trace; "" where its spans do not say.
	Policy string `json:"policy"`
	// AdjustedCount is how many traces this one stands for.
	AdjustedCount float64 `json:"adjusted_count"`
	// Complete says that the trace has a root and no span's parent is missing.
	Complete bool `json:"complete"`
}

// ServiceSummary counts a service's spans in a trace.
type ServiceSummary struct {
	Name   string `json:"name"`
	Spans  int    `json:"spans"`
	Errors int    `json:"errors"`
}

// Meta is what the store knows about a trace beside its spans.
type Meta struct {
	Summary Summary
	// Version is 1 for a trace that came at once, and one more each time that late spans were added.
	Version int
	// LateSpans counts the spans that came after the trace was decided.
	LateSpans int
	// Stored is when the first of it was stored, Updated when the last was.
	Stored, Updated time.Time
}
