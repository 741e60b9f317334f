package assemble

import (
	"cmp"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/trace"
)

// emit numbers the spans in preorder, siblings by corrected start, and sums the trace up.
func (b *builder) emit(id pcommon.TraceID) *trace.Trace {
	t := &trace.Trace{
		ID: id, Primary: -1, Identical: b.identical, Warnings: b.warnings, Resources: b.resources, Clocks: b.clocks,
	}
	for _, c := range b.clocks {
		t.Clock = max(t.Clock, c.Status)
	}
	children, roots := childrenOf(b.spans)
	byStart := func(i, j int) int {
		return cmp.Or(cmp.Compare(b.spans[i].CorrectedStart, b.spans[j].CorrectedStart), cmp.Compare(i, j))
	}
	slices.SortFunc(roots, byStart)
	for _, c := range children {
		slices.SortFunc(c, byStart)
	}
	t.Spans = make([]trace.Span, 0, len(b.spans))
	number := make([]int, len(b.spans))
	walk(roots, children, func(i, depth int) {
		number[i] = len(t.Spans)
		s := b.spans[i]
		s.Depth, s.Children = depth, children[i]
		if s.Parent >= 0 {
			s.Parent = number[s.Parent] // parents come first
		} else {
			t.Roots = append(t.Roots, number[i])
		}
		t.Spans = append(t.Spans, s)
	})
	for i := range t.Spans {
		s := &t.Spans[i]
		for k := range s.Children {
			s.Children[k] = number[s.Children[k]]
		}
		for k := range s.Links {
			if s.Links[k].Span >= 0 {
				s.Links[k].Span = number[s.Links[k].Span]
			}
		}
		b.include(t, s)
	}
	choosePrimary(t)
	return t
}

// include counts a span into the trace's range and totals.
func (b *builder) include(t *trace.Trace, s *trace.Span) {
	if s.Synthetic {
		return
	}
	if s.Flags&trace.FlagOrphan != 0 {
		t.Orphans++
	}
	if !s.Flags.OwnStart() {
		return
	}
	if t.Start == 0 || s.CorrectedStart < t.Start {
		t.Start = s.CorrectedStart
	}
	if s.End > b.latest { // garbage as a far future start is: it does not stretch the trace
		t.End = max(t.End, s.CorrectedStart)
		return
	}
	t.End = max(t.End, s.CorrectedEnd)
}

// choosePrimary finds the root that stands for the trace. Roots are in the order of their starts.
func choosePrimary(t *trace.Trace) {
	t.Provisional = len(t.Roots) > 0
	best := 0
	for _, i := range t.Roots {
		s := &t.Spans[i]
		rank := 1
		switch {
		case s.Synthetic:
		case s.IsServer() || s.Kind == ptrace.SpanKindInternal:
			rank = 3
		default:
			rank = 2
		}
		if rank > 1 {
			t.Provisional = false
		}
		if rank > best {
			t.Primary, best = i, rank
		}
	}
}
