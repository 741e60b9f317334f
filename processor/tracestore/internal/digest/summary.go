package digest

import "time"

// Summary is a trace in a line.
type Summary struct {
	TraceID string
	// RootService and RootOperation are those of the primary root or, where that is missing, of the first span below.
	RootService   string
	RootOperation string
	Start         time.Time
	StartUnixNano uint64
	// DurationMS is the trace's corrected range in milliseconds.
	DurationMS float64
	SpanCount  int
	ErrorCount int
	// Services are in the order of their names.
	Services []ServiceSummary
	// Policy is the sampling policy that kept the trace; "" where its spans do not say.
	Policy string
	// AdjustedCount is how many traces this one stands for.
	AdjustedCount float64
	// Complete says that the trace has a root and no span's parent is missing.
	Complete bool
}

// ServiceSummary counts a service's spans in a trace.
type ServiceSummary struct {
	Name   string
	Spans  int
	Errors int
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
