package api

import (
	"time"

	"github.com/slowburn/slowburn/processor/tracestore"
)

// Endpoints answers GET /api/traces/v1/endpoints.
type Endpoints struct {
	Endpoints []Endpoint `json:"endpoints"`
}

// Endpoint is an address that receives spans.
type Endpoint struct {
	Receiver string `json:"receiver"`
	Protocol string `json:"protocol"` // grpc or http
	Address  string `json:"address"`
	TLS      bool   `json:"tls"`
}

// Services answers GET /api/traces/v1/services.
type Services struct {
	Services []Service `json:"services"`
}

// Service is a service of kept traces.
type Service struct {
	Name       string   `json:"name"`
	Operations []string `json:"operations"`
}

// TracePage answers GET /api/traces/v1/search.
type TracePage struct {
	Traces     []TraceSummary `json:"traces"`
	NextCursor string         `json:"next_cursor"`
}

// TraceSummary summarizes a trace.
type TraceSummary struct {
	TraceID       string         `json:"trace_id"`
	RootService   string         `json:"root_service"`
	RootOperation string         `json:"root_operation"`
	Start         time.Time      `json:"start"`
	StartUnixNano uint64         `json:"start_unix_nano,string"`
	DurationMS    float64        `json:"duration_ms"`
	SpanCount     int            `json:"span_count"`
	ErrorCount    int            `json:"error_count"`
	Services      []ServiceSpans `json:"services"`
	Policy        string         `json:"policy"`
	AdjustedCount float64        `json:"adjusted_count"`
	Complete      bool           `json:"complete"`
}

// ServiceSpans counts a service's spans in a trace.
type ServiceSpans struct {
	Name   string `json:"name"`
	Spans  int    `json:"spans"`
	Errors int    `json:"errors"`
}

// TracePageOf describes a page of found traces.
func TracePageOf(r tracestore.Result) TracePage {
	return TracePage{listOf(r.Traces, TraceSummaryOf), r.NextCursor}
}

// TraceSummaryOf summarizes a trace.
func TraceSummaryOf(s tracestore.Summary) TraceSummary {
	return TraceSummary{
		s.TraceID, s.RootService, s.RootOperation, s.Start, s.StartUnixNano, s.DurationMS, s.SpanCount, s.ErrorCount,
		listOf(s.Services, func(s tracestore.ServiceSummary) ServiceSpans { return ServiceSpans(s) }),
		s.Policy, s.AdjustedCount, s.Complete,
	}
}
