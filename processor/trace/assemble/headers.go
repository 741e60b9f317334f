package assemble

import (
	"bytes"
	"slices"
	"strings"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/internal/describe"
)

// headers describes the resources and scopes of a Kept, by their numbers.
type headers struct {
	resources []resource
	scopes    []*trace.Scope
	byText    []int32  // numbers of resources, sorted by text
	local     []int32  // by rank: the trace's resource with that rank, as its number in the Kept; -1 for none
	ranks     []uint32 // of the trace's resources
	known     memo
	contents  *contents // nil until it is needed
	byHeader  []int32   // by number of scope: its rank by header; nil until it is needed
}

// resource is a resource of a Kept with its ranks.
type resource struct {
	described
	rank  uint32 // by canonical text: equal for equal attributes
	order int32  // by header, within a rank too: equal for equal headers
}

const none = -1

// read describes all resources and scopes of k.
func (h *headers) read(k *wire.Kept) {
	h.resources, h.scopes, h.byText, h.local = h.resources[:0], h.scopes[:0], h.byText[:0], h.local[:0]
	h.contents, h.byHeader = nil, nil
	h.known.bound()
	for i, r := range k.Resources {
		h.resources = append(h.resources, resource{described: h.known.resource(r.Of(k.Bytes))})
		h.byText = append(h.byText, int32(i))
		h.local = append(h.local, none)
	}
	for _, s := range k.Scopes {
		h.scopes = append(h.scopes, h.known.scope(s.Of(k.Bytes)))
	}
	slices.SortFunc(h.byText, func(i, j int32) int {
		x, y := &h.resources[i], &h.resources[j]
		if c := strings.Compare(x.Text, y.Text); c != 0 {
			return c
		}
		return bytes.Compare(x.Header, y.Header)
	})
	rank := uint32(0)
	for at, i := range h.byText {
		if at > 0 && h.resources[i].Text != h.resources[h.byText[at-1]].Text {
			rank++
		}
		h.resources[i].rank, h.resources[i].order = rank, int32(at)
		if at > 0 && bytes.Equal(h.resources[i].Header, h.resources[h.byText[at-1]].Header) {
			h.resources[i].order = h.resources[h.byText[at-1]].order
		}
	}
}

// memo remembers descriptions of headers: a service sends its resource again with each request. It shares no memory with
// a Kept.
type memo struct {
	resources map[string]described // by header
	scopes    map[string]*trace.Scope
	numbers   map[string]uint64 // of clocks and services
	bytes     int               // of the headers
}

// described is a resource with the numbers, from 1, of its clock and its service. The clock is 0 if the attributes do not
// identify it.
type described struct {
	*trace.Resource
	clock, service uint64
}

// maxKnown and maxKnownBytes limit the headers that a memo keeps from one Kept to the next. A description is about five times as
// large as its header.
const (
	maxKnown      = 1024
	maxKnownBytes = 1 << 20
)

// bound empties a memo that has grown too large. It must not do so within a Kept, whose numbers are compared.
func (m *memo) bound() {
	if m.resources == nil || len(m.resources) > maxKnown || len(m.scopes) > maxKnown || m.bytes > maxKnownBytes {
		*m = memo{map[string]described{}, map[string]*trace.Scope{}, map[string]uint64{}, 0}
	}
}

func (m *memo) resource(header []byte) described {
	if d, known := m.resources[string(header)]; known {
		return d
	}
	d := described{Resource: describe.Resource(bytes.Clone(header))}
	d.service = m.number("s" + d.Service)
	if d.Clock != "" {
		d.clock = m.number("c" + d.Clock)
	}
	m.resources[string(header)] = d
	m.bytes += len(header)
	return d
}

func (m *memo) number(text string) uint64 {
	n, known := m.numbers[text]
	if !known {
		n = uint64(len(m.numbers) + 1)
		m.numbers[text] = n
	}
	return n
}

func (m *memo) scope(header []byte) *trace.Scope {
	if s, known := m.scopes[string(header)]; known {
		return s
	}
	s := describe.Scope(bytes.Clone(header))
	m.scopes[string(header)] = s
	m.bytes += len(header)
	return s
}

// numberResources numbers the distinct resources of the trace by canonical text, for its nodes and in the trace.
func (b *Batch) numberResources() {
	h := &b.headers
	h.ranks = h.ranks[:0]
	for i := range b.spans {
		r := b.spans[i].Resource
		if i > 0 && r == b.spans[i-1].Resource {
			continue
		}
		rank := h.resources[r].rank
		switch was := h.local[rank]; {
		case was == none:
			h.ranks = append(h.ranks, rank)
			h.local[rank] = r
		case h.resources[r].order < h.resources[was].order:
			h.local[rank] = r
		}
	}
	slices.Sort(h.ranks)
	b.trace.Resources = make([]*trace.Resource, len(h.ranks))
	for i, rank := range h.ranks {
		b.trace.Resources[i] = h.resources[h.local[rank]].Resource
		h.local[rank] = int32(i)
	}
	for i := range b.forest.Nodes {
		n := &b.forest.Nodes[i]
		n.Resource = uint64(h.local[n.Resource])
	}
	for _, rank := range h.ranks {
		h.local[rank] = none
	}
}

// marksOf returns the marks on a span itself, by another sampler or an earlier version. Marks on the trace or on the span's
// scope have precedence.
func (b *Batch) marksOf(kept *wire.KeptTrace, s *wire.KeptSpan) (policy string, late bool) {
	scope := b.headers.scopes[s.Scope]
	late = kept.Late || scope.Late
	if len(kept.Marks) > 0 || scope.Policy != "" {
		return "", late
	}
	policy, marked := describe.Marks(s.Body.Of(b.kept.Bytes))
	return policy, late || marked
}

// policyIn returns the policy that the marks name.
func policyIn(marks []wire.Attribute) string {
	for i := range marks {
		if marks[i].Key == attr.Policy {
			return marks[i].Value().AsString()
		}
	}
	return ""
}

// IsPart reports whether a trace, by its index in Kept.Traces, is only a late part: the rest of it was sent before.
func (b *Batch) IsPart(t int) bool {
	kept := &b.kept.Traces[t]
	if kept.Late {
		return true
	}
	for i := kept.From; i < kept.To; i++ {
		if _, late := b.marksOf(kept, &b.kept.Spans[i]); !late {
			return false
		}
	}
	return true
}
