package digest

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"
)

// Add adds a late part's header to its trace's, and returns the new terms. Its cost is in proportion to the part, so it does
// not know which spans the trace has already, whether the trace is complete now, or whether its root has changed: its result
// holds until the spans are merged. Start stays, as the index has it.
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
		var extent Extent
		if i < len(part.Extents) {
			extent = part.Extents[i]
		}
		h.addService(&of.Services[i], extent)
	}
	terms := append(slices.Clone(part.Terms), termDuration(magnitudeOf(h.Duration)))
	for _, term := range distinctTerms(terms) {
		if _, known := slices.BinarySearch(h.Terms, term); !known {
			added = append(added, term)
		}
	}
	h.Terms = distinctTerms(slices.Concat(h.Terms, added))
	return added
}

// addRange extends the time range by a part's.
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
func (h *Header) addService(service *ServiceSummary, extent Extent) {
	s := &h.Meta.Summary
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
		h.Extents = slices.Insert(h.Extents, at, Extent{})
	}
	s.Services[at].Spans += service.Spans
	s.Services[at].Errors += service.Errors
	h.Extents[at].merge(extent)
}

const (
	// maxServices is the number of a trace's services that are listed and indexed: those with most spans.
	maxServices = 512
	// otherServices stands for all other services.
	otherServices = "(other services)"
	// maxNameBytes is the length of a name in a summary: summaries are read many at a time.
	maxNameBytes = 256
)

// bound keeps the services with most spans and combines the others into one, sorted by name.
func (h *Header) bound() {
	s := &h.Meta.Summary
	if len(s.Services) > maxServices {
		h.sortServices(func(a, b *ServiceSummary) int {
			return cmp.Or(cmp.Compare(b.Spans, a.Spans), strings.Compare(a.Name, b.Name))
		})
		others, extent := ServiceSummary{Name: otherServices}, Extent{}
		for i := maxServices - 1; i < len(s.Services); i++ {
			others.Spans += s.Services[i].Spans
			others.Errors += s.Services[i].Errors
			extent.merge(h.Extents[i])
		}
		s.Services = append(s.Services[:maxServices-1:maxServices-1], others)
		h.Extents = append(h.Extents[:maxServices-1:maxServices-1], extent)
	}
	h.sortServices(func(a, b *ServiceSummary) int { return strings.Compare(a.Name, b.Name) })
}

// sortServices sorts the services, and the extents with them.
func (h *Header) sortServices(compare func(a, b *ServiceSummary) int) {
	sort.Sort(&byService{h.Meta.Summary.Services, h.Extents, compare})
}

// byService sorts services and their extents.
type byService struct {
	services []ServiceSummary
	extents  []Extent
	compare  func(a, b *ServiceSummary) int
}

func (b *byService) Len() int           { return len(b.services) }
func (b *byService) Less(i, j int) bool { return b.compare(&b.services[i], &b.services[j]) < 0 }
func (b *byService) Swap(i, j int) {
	b.services[i], b.services[j] = b.services[j], b.services[i]
	b.extents[i], b.extents[j] = b.extents[j], b.extents[i]
}
