package digest

import (
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/internal/brief"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

// Operation is a span's name in a service.
type Operation struct{ Service, Name string }

// Header is what the store knows of a trace besides its spans.
type Header struct {
	Meta Meta
	// Duration is the summary's duration in nanoseconds.
	Duration uint64
	// Start is the trace's start in the index, and Terms are its terms there, so that both can be removed.
	Start uint64
	Terms []uint64
	// Distinct counts the spans without identical copies: late spans that do not increase it add nothing.
	Distinct int
	// Extents are those of the summary's services, in their order.
	Extents []Extent
}

// Digest is stored with a trace's spans.
type Digest struct {
	Header
	Operations []Operation
}

// Of summarises a trace, see Maker.
func Of(t *trace.Trace, now time.Time) Digest { return new(Maker).Of(t, now) }

// Maker summarises traces. It shares the names of their operations among them.
type Maker struct {
	names map[string]string
}

// Of summarises a trace. The result shares no memory with it. It does not set Stored and Updated.
func (m *Maker) Of(t *trace.Trace, now time.Time) Digest {
	var d Digest
	d.Duration = t.End - t.Start
	s := &d.Meta.Summary
	*s = Summary{
		TraceID: t.ID.String(), Start: time.Unix(0, int64(t.Start)).UTC(), StartUnixNano: t.Start,
		DurationMS: float64(d.Duration) / 1e6, Complete: !t.Provisional && t.Orphans == 0, Policy: t.Policy,
	}
	if entry := t.Entry(); entry >= 0 {
		e := &t.Spans[entry]
		s.RootService, s.RootOperation = e.Service, m.name(e.Data.Name)
		s.AdjustedCount = tracestate.AdjustedCountOf(t.ID, e.Data.TraceState)
	}
	links := m.count(&d, t)
	d.Start = indexStart(t.Start, now)
	d.Terms = d.terms(links)
	s.RootService, s.RootOperation = brief.Text(s.RootService, maxNameBytes), brief.Text(s.RootOperation, maxNameBytes)
	for i := range s.Services {
		s.Services[i].Name = brief.Text(s.Services[i].Name, maxNameBytes)
	}
	return d
}

// maxNames is the number of names that a Maker remembers.
const maxNames = 4096

// name returns a name as a string.
func (m *Maker) name(name []byte) string {
	if known, ok := m.names[string(name)]; ok {
		return known
	}
	if m.names == nil || len(m.names) == maxNames {
		m.names = make(map[string]string)
	}
	own := string(name)
	m.names[own] = own
	return own
}

// operation is an operation of the service with a number.
type operation struct {
	service int
	name    string
}

// count counts the spans. It returns the terms of the links to other traces.
func (m *Maker) count(d *Digest, t *trace.Trace) (links []uint64) {
	s := &d.Meta.Summary
	services := servicesOf(s, t.Resources)
	d.Extents = make([]Extent, len(s.Services))
	var operations numbers[operation]
	for i := range t.Spans {
		span := &t.Spans[i]
		if span.Synthetic {
			continue
		}
		d.Distinct += 1 + len(span.Others)
		service := services[span.Resource]
		of := &s.Services[service]
		of.Spans++
		s.SpanCount++
		if span.Data.Status == wire.StatusError {
			of.Errors++
			s.ErrorCount++
		}
		d.Extents[service].add(span.RawDuration(), span.Data.Status == wire.StatusError)
		if span.Flags&trace.FlagLate != 0 {
			d.Meta.LateSpans++
		}
		if len(operations.keys) < maxOperationTerms {
			operations.of(operation{service, m.name(span.Data.Name)})
		}
		for _, l := range span.Links {
			if l.Target == trace.LinkTrace && len(links) < maxLinkTerms {
				links = append(links, TermLink(pcommon.TraceID(l.Data.TraceID)))
			}
		}
	}
	d.Operations = make([]Operation, len(operations.keys))
	for i, op := range operations.keys {
		d.Operations[i] = Operation{s.Services[op.service].Name, op.name}
	}
	d.bound()
	return links
}

// servicesOf adds the services of a trace's resources to s, and returns their indexes by resource.
func servicesOf(s *Summary, resources []*trace.Resource) []int {
	var services numbers[string]
	of := make([]int, len(resources))
	for i, r := range resources {
		of[i] = services.of(r.Service)
	}
	s.Services = make([]ServiceSummary, len(services.keys))
	for i, name := range services.keys {
		s.Services[i].Name = name
	}
	return of
}

// numbers numbers distinct keys, usually few.
type numbers[K comparable] struct {
	keys  []K
	index map[K]int // if there are more than few
}

const few = 16

// of returns the number of a key, numbering it if it is new.
func (n *numbers[K]) of(key K) int {
	if n.index == nil {
		if i := slices.Index(n.keys, key); i >= 0 {
			return i
		}
	} else if i, known := n.index[key]; known {
		return i
	}
	if n.keys = append(n.keys, key); n.index != nil {
		n.index[key] = len(n.keys) - 1
	} else if len(n.keys) > few {
		n.index = make(map[K]int, 2*few)
		for i, k := range n.keys {
			n.index[k] = i
		}
	}
	return len(n.keys) - 1
}

// terms returns all terms of the trace in the index.
func (d *Digest) terms(links []uint64) []uint64 {
	s := &d.Meta.Summary
	terms := make([]uint64, 0, 4+3*len(s.Services)+len(d.Operations)+len(links))
	terms = append(append(terms, links...), TermAll(), termDuration(magnitudeOf(d.Duration)))
	if s.ErrorCount > 0 {
		terms = append(terms, TermError())
	}
	if s.Policy != "" {
		terms = append(terms, TermPolicy(s.Policy))
	}
	for i, of := range s.Services {
		if of.Name == otherServices {
			continue
		}
		terms = append(terms, TermService(of.Name))
		if of.Errors > 0 {
			terms = append(terms, TermFailed(of.Name))
		}
		if class := classOf(d.Extents[i].Longest); class > 0 {
			terms = append(terms, termLongest(of.Name, class))
		}
	}
	for _, op := range d.Operations {
		terms = append(terms, TermOperation(op.Service, op.Name))
	}
	return distinctTerms(terms)
}

// indexStart returns the trace's start for the order of search results. A start that is unknown or days ahead would
// never be seen or stay on top: it is replaced by now.
func indexStart(start uint64, now time.Time) uint64 {
	if start == 0 || start > uint64(now.Add(24*time.Hour).UnixNano()) {
		return uint64(now.UnixNano())
	}
	return start
}
