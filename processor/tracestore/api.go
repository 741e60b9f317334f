package tracestore

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Reader is what the exporter shows to others. All methods are goroutine-safe. An error says that the store cannot be
// read now; a trace or a record that is not there is none.
type Reader interface {
	// Search returns the traces that match, newest first. It looks at a bounded number of index entries: where those do
	// not suffice the result is short, and its cursor goes on from there.
	Search(ctx context.Context, q Query) (Result, error)
	// Trace returns a kept trace with all its spans, as they arrived, and false where it is not here.
	Trace(ctx context.Context, id pcommon.TraceID) (ptrace.Traces, Meta, bool, error)
	// Has says which of the traces are here.
	Has(ctx context.Context, ids []pcommon.TraceID) (map[pcommon.TraceID]bool, error)
	// Services returns the operations of each service, sorted, as far as traces of them are likely still here.
	Services(ctx context.Context) (map[string][]string, error)
}

// Limits of a search.
const (
	DefaultLimit = 20
	MaxLimit     = 200
)

// Query says which traces to find. Zero values match all; what is set must hold together.
type Query struct {
	// Service is a service that has a span in the trace; Operation the name of a span, of that service if both are set.
	Service, Operation string
	// MinDuration and MaxDuration bound the trace's duration, both inclusive.
	MinDuration, MaxDuration time.Duration
	// Error wants a span with status error.
	Error bool
	// Policy is the sampling policy that kept the trace.
	Policy string
	// LinksTo is another trace that a span of the trace links to.
	LinksTo pcommon.TraceID
	// Start and End bound the trace's start, both inclusive.
	Start, End time.Time
	// Limit is how many traces to return: DefaultLimit if 0, at most MaxLimit.
	Limit int
	// Cursor goes on after the last trace of an earlier Result of the same query.
	Cursor string
}

// Result is a page of found traces.
type Result struct {
	Traces []Summary `json:"traces"`
	// NextCursor goes on where this page ends; "" where there is no more.
	NextCursor string `json:"next_cursor"`
}

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
