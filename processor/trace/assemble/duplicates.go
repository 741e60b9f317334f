package assemble

import (
	"bytes"
	"cmp"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/internal/describe"
	"github.com/slowburn/slowburn/processor/trace/internal/link"
)

// copies leaves out or merges the spans of one trace that came more than once.
type copies struct {
	kept      *wire.Kept
	spans     []wire.KeptSpan  // of the trace
	merged    map[int32]merged // by index of spans: what was merged into one
	identical []int            // indexes of spans that are left out
}

// collapse returns what remains of several spans with one ID, resource and kind. Identical copies, which retried exports leave,
// are left out; copies that differ, which SDKs leave that export a span more than once while it runs, are merged.
func (c *copies) collapse(same []link.Node) []link.Node {
	distinct := c.withoutRepeats(same)
	if len(distinct) > 1 {
		distinct = c.withoutCopies(distinct)
	}
	if len(distinct) == 1 || distinct[0].ID == 0 {
		return distinct // without an ID, spans that differ are different spans
	}
	c.merge(distinct)
	return distinct[:1]
}

// leaveOut notes that a span is a copy of another.
func (c *copies) leaveOut(of *link.Node, left link.Node) {
	of.Flags |= trace.FlagDuplicate
	c.identical = append(c.identical, int(left.Of))
}

// withoutRepeats leaves out what does not differ in a byte. Nearly all copies are found here.
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

// compareBytes compares the spans as they came, with resource and scope.
func (c *copies) compareBytes(x, y link.Node) int {
	s, t := &c.spans[x.Of], &c.spans[y.Of]
	k := c.kept
	if d := bytes.Compare(s.Body.Of(k.Bytes), t.Body.Of(k.Bytes)); d != 0 {
		return d
	}
	return cmp.Or(bytes.Compare(k.Resources[s.Resource].Of(k.Bytes), k.Resources[t.Resource].Of(k.Bytes)),
		bytes.Compare(k.Scopes[s.Scope].Of(k.Bytes), k.Scopes[t.Scope].Of(k.Bytes)))
}

// withoutCopies leaves out what differs only in how it is encoded, or in what the gateway wrote on it: a copy that comes
// after the decision is still a copy, and one of a span that was not late.
func (c *copies) withoutCopies(same []link.Node) []link.Node {
	contents := make(map[int32][]byte, len(same))
	for _, n := range same {
		contents[n.Of] = c.content(n.Of)
	}
	slices.SortStableFunc(same, func(x, y link.Node) int {
		return cmp.Or(link.ComparePreferred(&x, &y), bytes.Compare(contents[x.Of], contents[y.Of]),
			cmp.Compare(x.Flags&trace.FlagLate, y.Flags&trace.FlagLate), c.compareBytes(x, y))
	})
	distinct := same[:1]
	for _, n := range same[1:] {
		if last := &distinct[len(distinct)-1]; bytes.Equal(contents[last.Of], contents[n.Of]) {
			c.leaveOut(last, n)
			continue
		}
		distinct = append(distinct, n)
	}
	return distinct
}

// content is everything that arrived with the span, in one encoding, but for what the gateway itself wrote. It lets pdata
// decode it, which knows all that an encoding can vary in.
func (c *copies) content(of int32) []byte {
	s := &c.spans[of]
	var w wire.Builder
	w.Resource(c.kept.Resources[s.Resource].Of(c.kept.Bytes))
	w.Scope(c.kept.Scopes[s.Scope].Of(c.kept.Bytes))
	w.Span(s.Body.Of(c.kept.Bytes))
	td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(w.Bytes())
	if err != nil {
		panic(err) // not after a scan
	}
	ss := td.ResourceSpans().At(0).ScopeSpans().At(0)
	ours := func(key string, _ pcommon.Value) bool { return describe.Ours(key) }
	ss.Scope().Attributes().RemoveIf(ours)
	ss.Spans().At(0).Attributes().RemoveIf(ours)
	encoded, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		panic(err) // protobuf encoding of a value in memory has no error to return
	}
	return encoded
}
