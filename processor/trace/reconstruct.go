package trace

import (
	"cmp"
	"slices"

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

// canonical orders spans by what they are, never by where they came from. Spans whose start is not their own go first,
// as they will take their parent's.
func canonical(a, b *Span) int {
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

// resource is a distinct resource of the trace.
type resource struct {
	pcommon.Resource
	service string
	clock   string // identity of its clock; "" if it does not tell
}

// findResources numbers the distinct resources, in the order of their canonical text.
func (b *builder) findResources() {
	byText := make(map[string]pcommon.Resource)
	for i := range b.inputs {
		in := &b.inputs[i]
		if in.resource == "" {
			in.resource = canonicalMap(in.Resource.Attributes())
		}
		if _, ok := byText[in.resource]; !ok {
			byText[in.resource] = in.Resource
		}
	}
	texts := make([]string, 0, len(byText))
	for text := range byText {
		texts = append(texts, text)
	}
	slices.Sort(texts)
	index := make(map[string]int, len(texts))
	for i, text := range texts {
		index[text] = i
		attrs := byText[text].Attributes()
		b.resources = append(b.resources, resource{byText[text], ServiceName(attrs), clockIdentity(attrs)})
	}
	b.spans = make([]Span, len(b.inputs))
	for i := range b.inputs {
		in := &b.inputs[i]
		r := index[in.resource]
		b.spans[i] = Span{
			Data: in.Span, Source: i,
			ID: in.Span.SpanID(), ParentID: in.Span.ParentSpanID(), Kind: in.Span.Kind(),
			Scope: in.Scope, Resource: r, Service: b.resources[r].service,
			Parent: -1, Clock: -1,
			Start: uint64(in.Span.StartTimestamp()), End: uint64(in.Span.EndTimestamp()),
		}
	}
}
