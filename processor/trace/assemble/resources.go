package assemble

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/internal/describe"
)

// resource is a distinct resource of the trace.
type resource struct {
	pcommon.Resource
	described *describe.Resource
}

// findResources makes a span of each input, and numbers the distinct resources in the order of their canonical text.
func (b *builder) findResources() {
	var unknown describe.Resources
	var distinct []resource
	index := make(map[string]int)
	of := make([]int, len(b.inputs))
	for i := range b.inputs {
		in := &b.inputs[i]
		if in.Described == nil {
			in.Described = unknown.Of(in.Resource)
		}
		if i > 0 && in.Described == b.inputs[i-1].Described {
			of[i] = of[i-1]
			continue
		}
		r, ok := index[in.Described.Text]
		if !ok {
			r = len(distinct)
			index[in.Described.Text] = r
			distinct = append(distinct, resource{in.Resource, in.Described})
		}
		of[i] = r
	}
	slices.SortFunc(distinct, func(x, y resource) int { return strings.Compare(x.described.Text, y.described.Text) })
	b.resources = make([]pcommon.Resource, len(distinct))
	b.described = make([]*describe.Resource, len(distinct))
	rank := make([]int, len(distinct))
	for i, r := range distinct {
		b.resources[i], b.described[i] = r.Resource, r.described
		rank[index[r.described.Text]] = i
	}
	b.spans = make([]trace.Span, len(b.inputs))
	for i := range b.inputs {
		b.spans[i] = newSpan(&b.inputs[i], i, rank[of[i]])
		b.spans[i].Service = b.described[b.spans[i].Resource].Service
	}
}

// newSpan is the span of the input with that index, before anything is known of it.
func newSpan(in *trace.Input, source, resource int) trace.Span {
	return trace.Span{
		Data: in.Span, Origin: trace.Origin{Source: source},
		ID: in.Span.SpanID(), ParentID: in.Span.ParentSpanID(), Kind: in.Span.Kind(),
		Scope: in.Scope, Resource: resource,
		Place:  trace.Place{Parent: -1},
		Timing: trace.Timing{Clock: -1, Start: uint64(in.Span.StartTimestamp()), End: uint64(in.Span.EndTimestamp())},
	}
}
