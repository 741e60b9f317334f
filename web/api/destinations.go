package api

import (
	"time"

	"github.com/slowburn/slowburn/processor/tailsampling"
)

// Destinations answers GET /api/sampling/v1/destinations.
type Destinations struct {
	Destinations []Destination  `json:"destinations"`
	Refused      []RefusedTrace `json:"refused"`
	RefusedTotal int64          `json:"refused_total"`
	BudgetBytes  int64          `json:"budget_bytes"`
	UsedBytes    int64          `json:"used_bytes"`
	WhenFull     string         `json:"when_full"`
}

// Destination is the state of delivery to one destination. Counts are since the start.
type Destination struct {
	Destination  string      `json:"destination"`
	Pipeline     string      `json:"pipeline"`
	Bytes        bool        `json:"bytes"`
	Exporters    []string    `json:"exporters"`
	State        string      `json:"state"`
	Backlog      Backlog     `json:"backlog"`
	ShareBytes   int64       `json:"share_bytes"`
	LastAnswer   *LastAnswer `json:"last_answer"`
	RetryAt      *time.Time  `json:"retry_at"`
	RefusesSince *time.Time  `json:"refuses_since"`
	Outcomes
}

// Outcomes counts the outcomes of delivering kept traces to a destination.
type Outcomes struct {
	DeliveredTraces   int64  `json:"delivered_traces"`
	DeliveredSpans    int64  `json:"delivered_spans"`
	Retries           int64  `json:"retries"`
	RejectedSpans     int64  `json:"rejected_spans"`
	RejectedWhy       string `json:"rejected_why"`
	RefusedTraces     int64  `json:"refused_traces"`
	ApartTraces       int64  `json:"apart_traces"`
	UndeliveredTraces int64  `json:"undelivered_traces"`
	UndeliveredSpans  int64  `json:"undelivered_spans"`
}

// Backlog counts the traces that wait for a destination.
type Backlog struct {
	Traces  int64   `json:"traces"`
	Spans   int64   `json:"spans"`
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

// LastAnswer is the latest answer of a destination.
type LastAnswer struct {
	At    time.Time `json:"at"`
	Class string    `json:"class"`
	Code  string    `json:"code"`
	Text  string    `json:"text"`
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

// Retried answers POST /api/sampling/v1/refused/retry and /refused/{trace_id}/retry.
type Retried struct {
	Traces int `json:"traces"`
}

// Drain answers POST /api/sampling/v1/drain and /drain/resume.
type Drain struct {
	Draining          bool          `json:"draining"`
	Since             *time.Time    `json:"since"`
	Done              bool          `json:"done"`
	Reading           bool          `json:"reading"`
	UndecidedTraces   int64         `json:"undecided_traces"`
	UndeliveredTraces int64         `json:"undelivered_traces"`
	Destinations      []Undelivered `json:"destinations"`
}

// Undelivered counts the kept traces that a destination has not got yet.
type Undelivered struct {
	Destination   string      `json:"destination"`
	Pipeline      string      `json:"pipeline"`
	Traces        int64       `json:"traces"`
	Spans         int64       `json:"spans"`
	RefusedTraces int64       `json:"refused_traces"`
	State         string      `json:"state"`
	LastAnswer    *LastAnswer `json:"last_answer"`
}

// DestinationsOf describes the destinations of kept traces.
func DestinationsOf(d tailsampling.Destinations) Destinations {
	return Destinations{
		Destinations: listOf(d.Destinations, destinationOf),
		Refused:      listOf(d.Refused, func(r tailsampling.RefusedTrace) RefusedTrace { return RefusedTrace(r) }),
		RefusedTotal: d.RefusedTotal, BudgetBytes: d.BudgetBytes, UsedBytes: d.UsedBytes, WhenFull: d.WhenFull,
	}
}

func destinationOf(d tailsampling.Destination) Destination {
	return Destination{
		d.Destination, d.Pipeline, d.Bytes, whole(d.Exporters), d.State, Backlog(d.Backlog), d.ShareBytes,
		(*LastAnswer)(d.LastAnswer), d.RetryAt, d.RefusesSince, Outcomes(d.Deliveries),
	}
}

// DrainOf describes the traces that are left to drain.
func DrainOf(s tailsampling.DrainState) Drain {
	return Drain{
		s.Draining, s.Since, s.Done, s.Reading, s.UndecidedTraces, s.UndeliveredTraces,
		listOf(s.Destinations, func(u tailsampling.Undelivered) Undelivered {
			return Undelivered{u.Destination, u.Pipeline, u.Traces, u.Spans, u.RefusedTraces, u.State, (*LastAnswer)(u.LastAnswer)}
		}),
	}
}
