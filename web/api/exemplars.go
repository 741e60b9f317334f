package api

import "time"

// ObjectiveTraces answers GET /api/slo/v1/objectives/{name}/traces.
type ObjectiveTraces struct {
	Traces []ObjectiveTrace `json:"traces"`
}

// ObjectiveTrace is a stored trace with a bad event of an objective, and the span that is the event.
type ObjectiveTrace struct {
	TraceID string `json:"trace_id"`
	SpanID  string `json:"span_id"`
	// At is when the event was counted.
	At         time.Time `json:"at"`
	Service    string    `json:"service"`
	Operation  string    `json:"operation"`
	Version    string    `json:"version"`
	Reason     string    `json:"reason"`
	DurationMS float64   `json:"duration_ms"`
}
