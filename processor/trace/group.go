package trace

import (
	"bytes"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Input is one span as it arrived, with what its request says about it. It is a view: the data stays the request's.
type Input struct {
	Span              ptrace.Span
	Resource          pcommon.Resource
	Scope             pcommon.InstrumentationScope
	ResourceSchemaURL string
	ScopeSchemaURL    string
	resource          string // canonical text of the resource's attributes
}

// Spans are the spans of one trace, in the order in which they arrived.
type Spans struct {
	ID     pcommon.TraceID
	Inputs []Input
}

// Group sorts the spans of td by trace, in the order of the trace IDs. It copies none of them, so td must not change
// while the result is in use.
func Group(td ptrace.Traces) []Spans {
	var groups []Spans
	index := make(map[pcommon.TraceID]int)
	for _, rs := range td.ResourceSpans().All() {
		resource := canonicalMap(rs.Resource().Attributes())
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				id := span.TraceID()
				i, ok := index[id]
				if !ok {
					i = len(groups)
					index[id] = i
					groups = append(groups, Spans{ID: id})
				}
				groups[i].Inputs = append(groups[i].Inputs, Input{
					Span: span, Resource: rs.Resource(), Scope: ss.Scope(),
					ResourceSchemaURL: rs.SchemaUrl(), ScopeSchemaURL: ss.SchemaUrl(),
					resource: resource,
				})
			}
		}
	}
	slices.SortFunc(groups, func(a, b Spans) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return groups
}
