package trace

import (
	"cmp"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Options say what the caller knows about the spans. The zero value is right for a trace that was waited for.
type Options struct {
	// Open says that spans of the trace may still arrive: a parent that is missing is late, not lost.
	Open bool
}

// builder is a trace on its way through the steps. Until order the spans are in canonical order, placeholders last.
type builder struct {
	opts      Options
	inputs    []Input
	resources []resource
	spans     []Span
	identical []int
	warnings  []string

	byID map[pcommon.SpanID]int // first span of each ID
	twin []int                  // next span with the same ID; -1 ends the chain

	preorder []int // indexes of spans, parents before children
	rank     []int // position of each span in preorder
	last     []int // position in preorder of the last span below each

	clocks []clock
	bounds []bound
}

// Reconstruct puts the spans of one trace together.
func Reconstruct(s Spans, opts Options) *Trace {
	b := &builder{opts: opts, inputs: s.Inputs}
	b.findResources()
	b.removeDuplicates()
	b.judgeTimes()
	b.findParents()
	b.cutCycles()
	b.addPlaceholders()
	b.layOut()
	b.resolveLinks()
	b.assignClocks()
	b.collectBounds()
	b.solveClocks()
	b.correct()
	b.nameCauses()
	return b.emit(s.ID)
}

// inCanonicalOrder orders spans by what they are, never by where they came from. Spans whose start is not their own go first,
// as they will take their parent's.
func inCanonicalOrder(a, b *Span) int {
	as, bs := a.Start, b.Start
	if a.Flags&badStart != 0 {
		as = 0
	}
	if b.Flags&badStart != 0 {
		bs = 0
	}
	return cmp.Or(
		cmp.Compare(as, bs),
		cmp.Compare(a.End, b.End),
		slices.Compare(a.ID[:], b.ID[:]),
		cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Resource, b.Resource),
	)
}

// sortSpans sorts by comparing where the spans are: they are large to move.
func (b *builder) sortSpans(compare func(x, y *Span) int) {
	order := make([]int, len(b.spans))
	sorted := true
	for i := range order {
		order[i] = i
		sorted = sorted && (i == 0 || compare(&b.spans[i-1], &b.spans[i]) <= 0)
	}
	if sorted {
		return
	}
	slices.SortStableFunc(order, func(i, j int) int { return compare(&b.spans[i], &b.spans[j]) })
	spans := make([]Span, len(order))
	for to, from := range order {
		spans[to] = b.spans[from]
	}
	b.spans = spans
}

// resource is a distinct resource of the trace.
type resource struct {
	pcommon.Resource
	*description
}

// findResources numbers the distinct resources, in the order of their canonical text.
func (b *builder) findResources() {
	var unknown describer
	index := make(map[string]int)
	of := make([]int, len(b.inputs))
	for i := range b.inputs {
		in := &b.inputs[i]
		if in.resource == nil {
			in.resource = unknown.describe(in.Resource)
		}
		if i > 0 && in.resource == b.inputs[i-1].resource {
			of[i] = of[i-1]
			continue
		}
		r, ok := index[in.resource.text]
		if !ok {
			r = len(b.resources)
			index[in.resource.text] = r
			b.resources = append(b.resources, resource{in.Resource, in.resource})
		}
		of[i] = r
	}
	slices.SortFunc(b.resources, func(x, y resource) int { return strings.Compare(x.text, y.text) })
	rank := make([]int, len(b.resources))
	for i, r := range b.resources {
		rank[index[r.text]] = i
	}
	b.spans = make([]Span, len(b.inputs))
	for i := range b.inputs {
		in := &b.inputs[i]
		r := rank[of[i]]
		b.spans[i] = Span{
			Data: in.Span, Source: i,
			ID: in.Span.SpanID(), ParentID: in.Span.ParentSpanID(), Kind: in.Span.Kind(),
			Scope: in.Scope, Resource: r, Service: b.resources[r].service,
			Parent: -1, Clock: -1,
			Start: uint64(in.Span.StartTimestamp()), End: uint64(in.Span.EndTimestamp()),
		}
	}
}
