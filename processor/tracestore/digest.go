package tracestore

import (
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/processor/trace"
)

// operation is a span's name in a service.
type operation struct{ service, name string }

// digest is what is stored of a trace beside its spans.
type digest struct {
	header
	operations []operation
	identical  []int // inputs that are copies of others
}

// summarize sums a trace up that was made of the spans. Times of storing are not its business.
func summarize(spans trace.Spans, t *trace.Trace, now time.Time) digest {
	d := digest{identical: t.Identical}
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
func (d *digest) count(t *trace.Trace) (links []uint64) {
	s := &d.Meta.Summary
	services := make(map[string]*ServiceSummary)
	seen := make(map[operation]bool)
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
			if v, ok := span.Data.Attributes().Get("tailsampling.policy"); ok {
				s.Policy = v.AsString()
			}
		}
		if op := (operation{span.Service, span.Data.Name()}); !seen[op] && len(seen) < maxOperationTerms {
			seen[op] = true
			d.operations = append(d.operations, op)
		}
		for _, l := range span.Links {
			if l.Target == trace.LinkTrace && len(links) < maxLinkTerms {
				links = append(links, termLink(l.Data.TraceID()))
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
func (d *digest) terms(links []uint64) []uint64 {
	s := &d.Meta.Summary
	terms := append(links, termAll(), termDuration(magnitude(d.Duration)))
	if s.ErrorCount > 0 {
		terms = append(terms, termError())
	}
	if s.Policy != "" {
		terms = append(terms, termPolicy(s.Policy))
	}
	for _, of := range s.Services {
		terms = append(terms, termService(of.Name))
	}
	for _, op := range d.operations {
		terms = append(terms, termOperation(op.service, op.name))
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
