package digest

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Add adds what is known of a part that came late to what is known of its trace, and returns the terms that are new. It takes
// what the part takes, not what the trace does, and so does not know which spans of the part the trace has already, nor whether
// it is complete now, nor whose its root is: it is for until the spans are put together. Start stays: the index has it.
func (h *Header) Add(part *Header) (added []uint64) {
	s, of := &h.Meta.Summary, &part.Meta.Summary
	h.addRange(part)
	s.SpanCount += of.SpanCount
	s.ErrorCount += of.ErrorCount
	h.Distinct += part.Distinct
	h.Meta.LateSpans += part.Meta.LateSpans
	s.Policy = cmp.Or(s.Policy, of.Policy)
	s.RootService, s.RootOperation = cmp.Or(s.RootService, of.RootService), cmp.Or(s.RootOperation, of.RootOperation)
	for i := range of.Services {
		s.addService(&of.Services[i])
	}
	terms := append(slices.Clone(part.Terms), termDuration(magnitude(h.Duration)))
	for _, term := range distinctTerms(terms) {
		if _, known := slices.BinarySearch(h.Terms, term); !known {
			added = append(added, term)
		}
	}
	h.Terms = distinctTerms(slices.Concat(h.Terms, added))
	return added
}

// addRange widens the range of time by that of a part.
func (h *Header) addRange(part *Header) {
	s, of := &h.Meta.Summary, &part.Meta.Summary
	if of.StartUnixNano == 0 {
		return
	}
	end := max(s.StartUnixNano+h.Duration, of.StartUnixNano+part.Duration)
	if s.StartUnixNano == 0 || of.StartUnixNano < s.StartUnixNano {
		s.StartUnixNano = of.StartUnixNano
		s.Start = time.Unix(0, int64(s.StartUnixNano)).UTC()
	}
	h.Duration = end - s.StartUnixNano
	s.DurationMS = float64(h.Duration) / 1e6
}

// addService adds the spans of a service.
func (s *Summary) addService(service *ServiceSummary) {
	byName := func(x ServiceSummary, name string) int { return strings.Compare(x.Name, name) }
	at, known := slices.BinarySearchFunc(s.Services, service.Name, byName)
	if !known && len(s.Services) >= maxServices {
		at, known = slices.BinarySearchFunc(s.Services, otherServices, byName)
	}
	if !known {
		name := service.Name
		if len(s.Services) >= maxServices {
			name = otherServices
		}
		s.Services = slices.Insert(s.Services, at, ServiceSummary{Name: name})
	}
	s.Services[at].Spans += service.Spans
	s.Services[at].Errors += service.Errors
}

const (
	// maxServices is how many services of a trace are listed, and find it: those with most spans.
	maxServices = 512
	// otherServices stands for the others.
	otherServices = "(other services)"
	// maxNameBytes is how much of a name a summary has: it is read with many others.
	maxNameBytes = 256
)

// bound leaves the services with most spans, and the others as one, in the order of their names.
func (s *Summary) bound() {
	if len(s.Services) > maxServices {
		slices.SortFunc(s.Services, func(a, b ServiceSummary) int {
			return cmp.Or(cmp.Compare(b.Spans, a.Spans), strings.Compare(a.Name, b.Name))
		})
		others := ServiceSummary{Name: otherServices}
		for _, of := range s.Services[maxServices-1:] {
			others.Spans += of.Spans
			others.Errors += of.Errors
		}
		s.Services = append(s.Services[:maxServices-1:maxServices-1], others)
	}
	slices.SortFunc(s.Services, func(a, b ServiceSummary) int { return strings.Compare(a.Name, b.Name) })
}
