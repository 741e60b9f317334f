package digest

import (
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

// Operation is a span's name in a service.
type Operation struct{ Service, Name string }

// Header is what the store knows of a trace without its spans.
type Header struct {
	Meta Meta
	// Duration is the summary's, in nanoseconds.
	Duration uint64
	// Start is the trace's start as the index has it, and Terms what it is found by, so that both can be taken back.
	Start uint64
	Terms []uint64
	// Distinct counts the spans without identical copies: late spans that do not raise it bring nothing.
	Distinct int
}

// Digest is what is stored of a trace beside its spans.
type Digest struct {
	Header
	Operations []Operation
}

// Of sums a trace up. It shares no memory with it. Times of storing are not its business.
func Of(t *trace.Trace, now time.Time) Digest {
	var d Digest
	d.Duration = t.End - t.Start
	s := &d.Meta.Summary
	*s = Summary{
		TraceID: t.ID.String(), Start: time.Unix(0, int64(t.Start)).UTC(), StartUnixNano: t.Start,
		DurationMS: float64(d.Duration) / 1e6, Complete: !t.Provisional && t.Orphans == 0, Policy: t.Policy,
	}
	if entry := t.Entry(); entry >= 0 {
		e := &t.Spans[entry]
		s.RootService, s.RootOperation = e.Service, string(e.Data.Name)
		s.AdjustedCount = tracestate.AdjustedCountOf(t.ID, e.Data.TraceState)
	}
	links := d.count(t)
	d.Start = indexStart(t.Start, now)
	d.Terms = d.terms(links)
	return d
}

// count goes through the spans once. It returns the terms of the links to other traces.
func (d *Digest) count(t *trace.Trace) (links []uint64) {
	s := &d.Meta.Summary
	seen := make(map[Operation]bool, min(len(t.Spans), maxOperationTerms))
	services := servicesOf(s, t.Resources)
	for i := range t.Spans {
		span := &t.Spans[i]
		if span.Synthetic {
			continue
		}
		d.Distinct += 1 + len(span.Others)
		of := &s.Services[services[span.Resource]]
		of.Spans++
		s.SpanCount++
		if span.Data.Status == wire.StatusError {
			of.Errors++
			s.ErrorCount++
		}
		if span.Flags&trace.FlagLate != 0 {
			d.Meta.LateSpans++
		}
		if len(seen) < maxOperationTerms && !seen[Operation{span.Service, string(span.Data.Name)}] {
			op := Operation{span.Service, string(span.Data.Name)}
			seen[op] = true
			d.Operations = append(d.Operations, op)
		}
		for _, l := range span.Links {
			if l.Target == trace.LinkTrace && len(links) < maxLinkTerms {
				links = append(links, TermLink(pcommon.TraceID(l.Data.TraceID)))
			}
		}
	}
	slices.SortFunc(s.Services, func(a, b ServiceSummary) int { return strings.Compare(a.Name, b.Name) })
	return links
}

// servicesOf adds the services of a trace's resources to s, and returns their indexes by resource.
func servicesOf(s *Summary, resources []*trace.Resource) []int {
	s.Services = make([]ServiceSummary, 0, len(resources))
	of := make([]int, len(resources))
	index := make(map[string]int, len(resources))
	for i, r := range resources {
		n, known := index[r.Service]
		if !known {
			n = len(s.Services)
			index[r.Service] = n
			s.Services = append(s.Services, ServiceSummary{Name: r.Service})
		}
		of[i] = n
	}
	return of
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
