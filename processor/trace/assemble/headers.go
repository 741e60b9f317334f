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

// headers is what the resources and scopes of a Kept say, by their numbers there.
type headers struct {
	resources []resource
	scopes    []*trace.Scope
	byText    []int32  // numbers of resources, in the order of their texts
	local     []int32  // by rank: the resource of that rank that the trace has, as a number of the Kept; none where -1
	ranks     []uint32 // that the trace has
	known     memo
	contents  *contents // nil until it is asked for
	byHeader  []int32   // by number of scope: its place among the headers; nil until it is asked for
}

// resource is a resource of a Kept, with numbers for what it shares with others.
type resource struct {
	described
	rank  uint32 // in the order of canonical texts: one for all that hold the same attributes
	order int32  // among those of one rank, too: in the order of headers, one for equal ones
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

// memo remembers what headers say: those of a service come again with each of its spans. It shares no memory with a Kept.
type memo struct {
	resources map[string]described // by header
	scopes    map[string]*trace.Scope
	numbers   map[string]uint64 // of clocks and services
	bytes     int               // of the headers
}

// described is a resource with the numbers, from 1, of its clock and its service. The clock is 0 where the attributes do not
// tell.
type described struct {
	*trace.Resource
	clock, service uint64
}

// maxKnown and maxKnownBytes are how many headers a memo remembers from one Kept to the next. What it knows of one is some five times
// as large.
const (
	maxKnown      = 1024
	maxKnownBytes = 1 << 20
)

// bound makes a memo forget all that it knows where that is too much. Within a Kept it must not: numbers are compared.
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

// numberResources numbers the distinct resources of the trace in the order of their canonical texts: for its nodes, and
// in the trace.
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

// marksOf reads what was written on a span itself: by another sampler, or by an earlier version. Where the sampler marked the
// trace, or the span's scope, that holds.
func (b *Batch) marksOf(kept *wire.KeptTrace, s *wire.KeptSpan) (policy string, late bool) {
	scope := b.headers.scopes[s.Scope]
	late = kept.Late || scope.Late
	if len(kept.Marks) > 0 || scope.Policy != "" {
		return "", late
	}
	policy, marked := describe.Marks(s.Body.Of(b.kept.Bytes))
	return policy, late || marked
}

// policyIn is the policy that marks name.
func policyIn(marks []wire.Attribute) string {
	for i := range marks {
		if marks[i].Key == attr.Policy {
			return marks[i].Value().AsString()
		}
	}
	return ""
}

// IsPart reports whether a trace, by its index in Kept.Traces, is only a part that came after the trace was decided: the rest
// of it is elsewhere.
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
