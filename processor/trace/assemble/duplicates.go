package assemble

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/internal/link"
)

// copies leaves out or merges repeated spans of one trace.
type copies struct {
	kept      *wire.Kept
	headers   *headers
	spans     []wire.KeptSpan  // of the trace
	merged    map[int32]merged // by index of spans: the result of a merge
	identical []int            // indexes of spans that were left out
}

// collapse returns the distinct spans among those with one ID, resource and kind. It leaves out identical copies, which retried
// exports cause, and merges copies that differ, which SDKs cause that export a running span several times.
func (c *copies) collapse(same []link.Node) []link.Node {
	distinct := c.withoutRepeats(same)
	if len(distinct) > 1 {
		distinct = c.withoutCopies(distinct)
	}
	if len(distinct) == 1 || distinct[0].ID == 0 {
		return distinct // without an ID, different spans are not copies
	}
	c.merge(distinct)
	return distinct[:1]
}

// leaveOut marks a span as a copy of another.
func (c *copies) leaveOut(original *link.Node, left link.Node) {
	original.Flags |= trace.FlagDuplicate
	c.identical = append(c.identical, int(left.Of))
}

// withoutRepeats leaves out copies that are equal byte by byte, which nearly all are.
func (c *copies) withoutRepeats(same []link.Node) []link.Node {
	slices.SortStableFunc(same, func(x, y link.Node) int { return cmp.Or(link.ComparePreferred(&x, &y), c.compareBytes(x, y)) })
	distinct := same[:1]
	for _, n := range same[1:] {
		if last := &distinct[len(distinct)-1]; c.compareBytes(*last, n) == 0 {
			c.leaveOut(last, n)
			continue
		}
		distinct = append(distinct, n)
	}
	return distinct
}

// compareBytes compares the bytes of spans, with resource and scope.
func (c *copies) compareBytes(x, y link.Node) int {
	s, t := &c.spans[x.Of], &c.spans[y.Of]
	if d := bytes.Compare(s.Body.Of(c.kept.Bytes), t.Body.Of(c.kept.Bytes)); d != 0 {
		return d
	}
	if s.Resource != t.Resource {
		if d := cmp.Compare(c.headers.resources[s.Resource].order, c.headers.resources[t.Resource].order); d != 0 {
			return d
		}
	}
	if s.Scope != t.Scope {
		return cmp.Compare(c.headers.scopeOrder(c.kept, s.Scope), c.headers.scopeOrder(c.kept, t.Scope))
	}
	return 0
}

// withoutCopies leaves out copies that differ only in their encoding, or in the gateway's own attributes: a copy that
// comes after the decision is still a copy, also of a span that was not late.
func (c *copies) withoutCopies(same []link.Node) []link.Node {
	contents := make(map[int32][]byte, len(same))
	for _, n := range same {
		contents[n.Of] = spanContent(c.spans[n.Of].Body.Of(c.kept.Bytes))
	}
	compare := func(x, y link.Node) int {
		if d := bytes.Compare(contents[x.Of], contents[y.Of]); d != 0 {
			return d
		}
		return c.compareHeaders(x, y)
	}
	slices.SortStableFunc(same, func(x, y link.Node) int {
		return cmp.Or(link.ComparePreferred(&x, &y), compare(x, y), cmp.Compare(x.Flags&trace.FlagLate, y.Flags&trace.FlagLate), c.compareBytes(x, y))
	})
	distinct := same[:1]
	for _, n := range same[1:] {
		if last := &distinct[len(distinct)-1]; compare(*last, n) == 0 {
			c.leaveOut(last, n)
			continue
		}
		distinct = append(distinct, n)
	}
	return distinct
}

// compareHeaders compares the contents of spans' resources and scopes.
func (c *copies) compareHeaders(x, y link.Node) int {
	s, t := &c.spans[x.Of], &c.spans[y.Of]
	if s.Resource == t.Resource && s.Scope == t.Scope {
		return 0
	}
	of := c.headers.contentsOf(c.kept)
	return cmp.Or(cmp.Compare(of.resources[s.Resource], of.resources[t.Resource]), cmp.Compare(of.scopes[s.Scope], of.scopes[t.Scope]))
}
