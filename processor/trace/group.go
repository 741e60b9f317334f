package trace

import (
	"bytes"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/trace/internal/describe"
)

// Input is one span as it arrived, with what its request says about it. It is a view: the data stays the request's.
type Input struct {
	Span              ptrace.Span
	Resource          pcommon.Resource
	Scope             pcommon.InstrumentationScope
	ResourceSchemaURL string
	ScopeSchemaURL    string
	// Described is what the resource says; nil where nobody has read it yet.
	Described *describe.Resource
}

// Spans are the spans of one trace, in the order in which they arrived.
type Spans struct {
	ID     pcommon.TraceID
	Inputs []Input
}

// Group sorts the spans of td by trace, in the order of the trace IDs. It copies none of them, so td must not change
// while the result is in use.
func Group(td ptrace.Traces) []Spans {
	groups := makeGroups(td)
	index := make(map[pcommon.TraceID]*Spans, len(groups))
	for i := range groups {
		index[groups[i].ID] = &groups[i]
	}
	var resources describe.Resources
	var group *Spans
	for _, rs := range td.ResourceSpans().All() {
		in := Input{Resource: rs.Resource(), ResourceSchemaURL: rs.SchemaUrl(), Described: resources.Of(rs.Resource())}
		for _, ss := range rs.ScopeSpans().All() {
			in.Scope, in.ScopeSchemaURL = ss.Scope(), ss.SchemaUrl()
			for _, span := range ss.Spans().All() {
				if id := span.TraceID(); group == nil || group.ID != id {
					group = index[id]
				}
				in.Span = span
				group.Inputs = append(group.Inputs, in)
			}
		}
	}
	return groups
}

// makeGroups makes a group for each trace, in order, with room for its spans. One array holds them all.
func makeGroups(td ptrace.Traces) []Spans {
	ids := make([]pcommon.TraceID, 0, td.SpanCount())
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				ids = append(ids, span.TraceID())
			}
		}
	}
	slices.SortFunc(ids, func(a, b pcommon.TraceID) int { return bytes.Compare(a[:], b[:]) })
	var groups []Spans
	room := make([]Input, len(ids))
	for i := 0; i < len(ids); {
		n := 1
		for i+n < len(ids) && ids[i+n] == ids[i] {
			n++
		}
		groups = append(groups, Spans{ID: ids[i], Inputs: room[i : i : i+n]})
		i += n
	}
	return groups
}
