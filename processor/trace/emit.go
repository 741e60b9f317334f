package trace

import (
	"cmp"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// emit numbers the spans in preorder, siblings by corrected start, and sums the trace up.
func (b *builder) emit(id pcommon.TraceID) *Trace {
	t := &Trace{ID: id, Primary: -1, Identical: b.identical, Warnings: b.warnings}
	t.Resources = slices.Grow(t.Resources, len(b.resources))
	for _, r := range b.resources {
		t.Resources = append(t.Resources, r.Resource)
	}
	t.Clocks = slices.Grow(t.Clocks, len(b.clocks))
	for _, c := range b.clocks {
		t.Clocks = append(t.Clocks, c.Clock)
		t.Clock = max(t.Clock, c.Status)
	}
	children, roots := b.children()
	byStart := func(i, j int) int {
		return cmp.Or(cmp.Compare(b.spans[i].CorrectedStart, b.spans[j].CorrectedStart), cmp.Compare(i, j))
	}
	slices.SortFunc(roots, byStart)
	for _, c := range children {
		slices.SortFunc(c, byStart)
	}
	t.Spans = make([]Span, 0, len(b.spans))
	number := make([]int, len(b.spans))
	b.walk(roots, children, func(i, depth int) {
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
		t.include(s)
	}
	t.choosePrimary()
	return t
}

// include counts a span into the trace's range and totals.
func (t *Trace) include(s *Span) {
	if s.Synthetic {
		return
	}
	if s.Flags&FlagOrphan != 0 {
		t.Orphans++
	}
	if s.Flags&badStart != 0 {
		return
	}
	if t.Start == 0 || s.CorrectedStart < t.Start {
		t.Start = s.CorrectedStart
	}
	if s.farEnd {
		t.End = max(t.End, s.CorrectedStart)
		return
	}
	t.End = max(t.End, s.CorrectedEnd)
}

// choosePrimary finds the root that stands for the trace. Roots are in the order of their starts.
func (t *Trace) choosePrimary() {
	t.Provisional = len(t.Roots) > 0
	best := 0
	for _, i := range t.Roots {
		s := &t.Spans[i]
		rank := 1
		switch {
		case s.Synthetic:
		case isServer(s.Kind) || s.Kind == ptrace.SpanKindInternal:
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
