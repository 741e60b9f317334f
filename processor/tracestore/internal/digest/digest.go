package digest

import (
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/processor/trace"
)

// Operation is a span's name in a service.
type Operation struct{ Service, Name string }

// Header is what the store knows of a trace without its spans.
type Header struct {
	Meta Meta `json:"meta"`
	// Duration is the summary's, in nanoseconds.
	Duration uint64 `json:"duration"`
	// Start is the trace's start as the index has it, and Terms what it is found by, so that both can be taken back.
	Start uint64   `json:"start"`
	Terms []uint64 `json:"terms"`
	// Distinct counts the spans without identical copies: late spans that do not raise it bring nothing.
	Distinct int `json:"distinct"`
}

// Digest is what is stored of a trace beside its spans.
type Digest struct {
	Header
	Operations []Operation
	Identical  []int // inputs that are copies of others
}

// Of sums a trace up that was made of the spans. Times of storing are not its business.
func Of(spans trace.Spans, t *trace.Trace, now time.Time) Digest {
	d := Digest{Identical: t.Identical}
	d.Distinct = len(spans.Inputs) - len(t.Identical)
	d.Duration = t.End - t.Start
	s := &d.Meta.Summary
	*s = Summary{
		TraceID: t.ID.String(), Start: time.Unix(0, int64(t.Start)).UTC(), StartUnixNano: t.Start,
		DurationMS: float64(d.Duration) / 1e6, Complete: !t.Provisional && t.Orphans == 0,
	}
	if entry := t.Entry(); entry >= 0 {
		e := &t.Spans[entry]
		s.RootService, s.RootOperation = e.Service, e.Data.Name()
		s.AdjustedCount = tracestate.AdjustedCountOf(t.ID, e.Data.TraceState().AsRaw())
	}
	links := d.count(t)
	d.Start = indexStart(t.Start, now)
	d.Terms = d.terms(links)
	return d
}

// count goes through the spans once. It returns the terms of the links to other traces.
func (d *Digest) count(t *trace.Trace) (links []uint64) {
	s := &d.Meta.Summary
	services := make(map[string]*ServiceSummary)
	seen := make(map[Operation]bool)
	for i := range t.Spans {
		span := &t.Spans[i]
		if span.Synthetic {
			continue
		}
		of := services[span.Service]
		if of == nil {
			of = &ServiceSummary{Name: span.Service}
			services[span.Service] = of
		}
		of.Spans++
		s.SpanCount++
		if span.Data.Status().Code() == ptrace.StatusCodeError {
			of.Errors++
			s.ErrorCount++
		}
		if span.Flags&trace.FlagLate != 0 {
			d.Meta.LateSpans++
		}
		if s.Policy == "" {
			if v, ok := span.Data.Attributes().Get(attr.Policy); ok {
				s.Policy = v.AsString()
			}
		}
		if op := (Operation{span.Service, span.Data.Name()}); !seen[op] && len(seen) < maxOperationTerms {
			seen[op] = true
			d.Operations = append(d.Operations, op)
		}
		for _, l := range span.Links {
			if l.Target == trace.LinkTrace && len(links) < maxLinkTerms {
				links = append(links, TermLink(l.Data.TraceID()))
			}
		}
	}
	s.Services = make([]ServiceSummary, 0, len(services))
	for _, of := range services {
		s.Services = append(s.Services, *of)
	}
	slices.SortFunc(s.Services, func(a, b ServiceSummary) int { return strings.Compare(a.Name, b.Name) })
	return links
}

// terms are all that the trace is found by.
func (d *Digest) terms(links []uint64) []uint64 {
	s := &d.Meta.Summary
	terms := append(links, TermAll(), termDuration(magnitude(d.Duration)))
	if s.ErrorCount > 0 {
		terms = append(terms, TermError())
	}
	if s.Policy != "" {
		terms = append(terms, TermPolicy(s.Policy))
	}
	for _, of := range s.Services {
		terms = append(terms, TermService(of.Name))
	}
	for _, op := range d.Operations {
		terms = append(terms, TermOperation(op.Service, op.Name))
	}
	return distinctTerms(terms)
}

// indexStart is the trace's start for the order of search results. One that cannot be true, as none is known or it is
// days ahead, would stay on top or never be seen: now takes its place.
func indexStart(start uint64, now time.Time) uint64 {
	if start == 0 || start > uint64(now.Add(24*time.Hour).UnixNano()) {
		return uint64(now.UnixNano())
	}
	return start
}
