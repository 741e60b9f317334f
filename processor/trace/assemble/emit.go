package assemble

import (
	"cmp"
	"slices"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

// bringInOrder sorts siblings by corrected start, and equal ones canonically. Mostly they are sorted already. nodes are the
// nodes of the spans.
func bringInOrder(t *trace.Trace, nodes []int32) {
	byStart := func(i, j int) int {
		return cmp.Or(cmp.Compare(t.Spans[i].CorrectedStart, t.Spans[j].CorrectedStart), cmp.Compare(nodes[i], nodes[j]))
	}
	ordered := slices.IsSortedFunc(t.Roots, byStart)
	for i := 0; ordered && i < len(t.Spans); i++ {
		ordered = slices.IsSortedFunc(t.Spans[i].Children, byStart)
	}
	if ordered {
		return
	}
	slices.SortFunc(t.Roots, byStart)
	for i := range t.Spans {
		slices.SortFunc(t.Spans[i].Children, byStart)
	}
	renumber(t)
}

// renumber sorts the spans into the preorder of their children lists.
func renumber(t *trace.Trace) {
	was := t.Spans
	spans := make([]trace.Span, 0, len(was))
	now := make([]int, len(was))
	stack := slices.Clone(t.Roots)
	slices.Reverse(stack)
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		now[i] = len(spans)
		spans = append(spans, was[i])
		for k := len(was[i].Children) - 1; k >= 0; k-- {
			stack = append(stack, was[i].Children[k])
		}
	}
	for i := range t.Roots {
		t.Roots[i] = now[t.Roots[i]]
	}
	for i := range spans {
		s := &spans[i]
		if s.Parent >= 0 {
			s.Parent = now[s.Parent]
		}
		for k := range s.Children {
			s.Children[k] = now[s.Children[k]]
		}
		for k := range s.Links {
			if s.Links[k].Span >= 0 {
				s.Links[k].Span = now[s.Links[k].Span]
			}
		}
	}
	t.Spans = spans
}

// sumUp computes the trace's range and totals.
func (b *Batch) sumUp() {
	t := b.trace
	t.Identical, t.Warnings = b.copies.identical, b.warnings
	slices.Sort(t.Identical)
	for _, c := range t.Clocks {
		t.Clock = max(t.Clock, c.Status)
	}
	for i := range t.Spans {
		b.include(&t.Spans[i])
	}
	choosePrimary(t)
}

func (b *Batch) include(s *trace.Span) {
	t := b.trace
	if s.Synthetic {
		return
	}
	if t.Policy == "" {
		if t.Policy = s.Scope.Policy; t.Policy == "" && len(b.policies) > 0 {
			t.Policy = b.policies[int32(s.Source)]
		}
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
	if s.End > b.forest.Latest { // a far future end is garbage: it must not stretch the trace
		t.End = max(t.End, s.CorrectedStart)
		return
	}
	t.End = max(t.End, s.CorrectedEnd)
}

// choosePrimary chooses the root that represents the trace. Roots are sorted by start.
func choosePrimary(t *trace.Trace) {
	t.Provisional = len(t.Roots) > 0
	best := 0
	for _, i := range t.Roots {
		s := &t.Spans[i]
		rank := 1
		switch {
		case s.Synthetic:
		case s.IsServer() || s.Kind == wire.KindInternal:
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
