package digest

import "time"

// Summary is a trace in a line.
type Summary struct {
	TraceID string
	// RootService and RootOperation are those of the primary root or, if that is missing, of the first span below it.
	RootService   string
	RootOperation string
	Start         time.Time
	StartUnixNano uint64
	// DurationMS is the trace's corrected range in milliseconds.
	DurationMS float64
	SpanCount  int
	ErrorCount int
	// Services are sorted by name.
	Services []ServiceSummary
	// Policy is the sampling policy that kept the trace; "" if its spans do not say.
	Policy string
	// AdjustedCount is the number of traces that this one stands for.
	AdjustedCount float64
	// Complete reports whether the trace has a root and no span's parent is missing.
	Complete bool
}

// ServiceSummary counts a service's spans in a trace.
type ServiceSummary struct {
	Name   string
	Spans  int
	Errors int
}

// Meta is what the store knows of a trace besides its spans.
type Meta struct {
	Summary Summary
	// Version is 1 for a trace without late spans, and one more for each addition of late spans.
	Version int
	// LateSpans counts the spans that came after the trace was decided.
	LateSpans int
	// Stored is when the first part of it was stored, Updated when the last one was.
	Stored, Updated time.Time
}
