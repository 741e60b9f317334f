package assemble

import (
	"cmp"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/clocks"
	"github.com/slowburn/slowburn/processor/trace/internal/describe"
)

// Options say what the caller knows about the spans. The zero value is right for a trace that was waited for.
type Options struct {
	// Open says that spans of the trace may still arrive: a parent that is missing is late, not lost.
	Open bool
}

// builder is a trace on its way through the steps. Until emit the spans are in canonical order, placeholders last.
type builder struct {
	opts      Options
	inputs    []trace.Input
	resources []pcommon.Resource
	described []*describe.Resource // by resource
	spans     []trace.Span
	identical []int
	warnings  []string
	latest    uint64 // the latest time that a span of the trace can have
	ids       ids
	layout    layout
	clocks    []trace.Clock
}

// Trace puts the spans of one trace together.
func Trace(s trace.Spans, opts Options) *trace.Trace {
	b := &builder{opts: opts, inputs: s.Inputs}
	b.findResources()
	b.spans, b.identical = withoutCopies(b.spans, b.inputs)
	b.judgeTimes()
	b.findParents()
	cutCycles(b.spans)
	b.addPlaceholders()
	b.layout = layOut(b.spans)
	b.resolveLinks()
	b.correctClocks()
	b.nameCauses()
	return b.emit(s.ID)
}

// correctClocks gives each span its clock and its corrected times.
func (b *builder) correctClocks() {
	var warnings []string
	b.clocks, warnings = clocks.Correct(clocks.Forest{Spans: b.spans, Preorder: b.layout.preorder, Resources: b.described})
	for _, w := range warnings {
		b.warn("%s", w)
	}
}

// maxWarnings bounds how many sentences one trace can make.
const maxWarnings = 20

func (b *builder) warn(format string, args ...any) {
	if len(b.warnings) < maxWarnings {
		b.warnings = append(b.warnings, fmt.Sprintf(format, args...))
	}
}

// inCanonicalOrder orders spans by what they are, never by where they came from. Spans whose start is not their own go first,
// as they will take their parent's.
func inCanonicalOrder(a, b *trace.Span) int {
	as, bs := a.Start, b.Start
	if !a.Flags.OwnStart() {
		as = 0
	}
	if !b.Flags.OwnStart() {
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

// sorted returns the spans in order. It compares them where they are: they are large to move.
func sorted(spans []trace.Span, compare func(x, y *trace.Span) int) []trace.Span {
	order := make([]int, len(spans))
	inOrder := true
	for i := range order {
		order[i] = i
		inOrder = inOrder && (i == 0 || compare(&spans[i-1], &spans[i]) <= 0)
	}
	if inOrder {
		return spans
	}
	slices.SortStableFunc(order, func(i, j int) int { return compare(&spans[i], &spans[j]) })
	moved := make([]trace.Span, len(order))
	for to, from := range order {
		moved[to] = spans[from]
	}
	return moved
}
