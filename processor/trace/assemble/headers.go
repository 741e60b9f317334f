package assemble

import (
	"bytes"
	"cmp"
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
	local     []int32  // by rank: the resource of that rank that the trace has, as a number of the Kept; none where -1
	ranks     []uint32 // that the trace has
}

// resource is a resource of a Kept, with numbers for what it shares with others.
type resource struct {
	*trace.Resource
	rank  uint32 // in the order of canonical texts: one for all that hold the same attributes
	order int32  // among those of one rank, too: in the order of headers
	// clock and service are numbers, from 1. The clock is 0 where the attributes do not tell.
	clock, service uint64
}

const none = -1

// read describes all resources and scopes of k.
func (h *headers) read(k *wire.Kept) {
	h.resources = make([]resource, len(k.Resources))
	byText := make([]int32, len(k.Resources))
	numbers := make(map[string]uint64, 2*len(k.Resources))
	for i, r := range k.Resources {
		found := describe.Resource(r.Of(k.Bytes))
		h.resources[i] = resource{Resource: found, service: numberOf(numbers, "s"+found.Service)}
		if found.Clock != "" {
			h.resources[i].clock = numberOf(numbers, "c"+found.Clock)
		}
		byText[i] = int32(i)
	}
	slices.SortFunc(byText, func(i, j int32) int {
		x, y := &h.resources[i], &h.resources[j]
		return cmp.Or(strings.Compare(x.Text, y.Text), bytes.Compare(x.Header, y.Header))
	})
	rank := uint32(0)
	for at, i := range byText {
		if at > 0 && h.resources[i].Text != h.resources[byText[at-1]].Text {
			rank++
		}
		h.resources[i].rank, h.resources[i].order = rank, int32(at)
	}
	h.local = make([]int32, len(k.Resources))
	for i := range h.local {
		h.local[i] = none
	}
	h.scopes = make([]*trace.Scope, len(k.Scopes))
	for i, s := range k.Scopes {
		h.scopes[i] = describe.Scope(s.Of(k.Bytes))
	}
}

func numberOf(numbers map[string]uint64, text string) uint64 {
	n, known := numbers[text]
	if !known {
		n = uint64(len(numbers) + 1)
		numbers[text] = n
	}
	return n
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

// marksOf reads what was written on a span itself: by another sampler, or by an earlier version.
func marksOf(k *wire.Kept, s *wire.KeptSpan) (policy string, late bool) {
	return describe.Marks(s.Body.Of(k.Bytes))
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
		s := &b.kept.Spans[i]
		if b.headers.scopes[s.Scope].Late {
			continue
		}
		if _, late := marksOf(b.kept, s); !late {
			return false
		}
	}
	return true
}
