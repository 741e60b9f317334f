package assemble

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/internal/describe"
)

// withoutCopies keeps one span per ID, resource and kind. Identical copies, which retried exports leave, are left out, and
// returned by their inputs; copies that differ, which SDKs leave that export a span more than once while it runs, are
// merged.
func withoutCopies(spans []trace.Span, inputs []trace.Input) (kept []trace.Span, identical []int) {
	if !idsRepeat(spans) {
		return spans, nil
	}
	spans = sorted(spans, func(x, y *trace.Span) int {
		return cmp.Or(bytes.Compare(x.ID[:], y.ID[:]), cmp.Compare(x.Resource, y.Resource), cmp.Compare(x.Kind, y.Kind))
	})
	kept = spans[:0]
	for i := 0; i < len(spans); {
		j := i + 1
		for j < len(spans) && spans[j].ID == spans[i].ID && spans[j].Resource == spans[i].Resource && spans[j].Kind == spans[i].Kind {
			j++
		}
		if j == i+1 {
			kept = append(kept, spans[i])
		} else {
			distinct, copies := collapse(spans[i:j], inputs)
			kept, identical = append(kept, distinct...), append(identical, copies...)
		}
		i = j
	}
	slices.Sort(identical)
	return kept, identical
}

// idsRepeat reports whether any two spans have the same ID. Mostly none do.
func idsRepeat(spans []trace.Span) bool {
	ids := make([]uint64, len(spans))
	for i := range spans {
		ids[i] = binary.NativeEndian.Uint64(spans[i].ID[:])
	}
	slices.Sort(ids)
	return len(slices.Compact(ids)) < len(spans)
}

// collapse is what remains of several spans with one ID, resource and kind, and which inputs are identical copies.
func collapse(same []trace.Span, inputs []trace.Input) (distinct []trace.Span, identical []int) {
	type copied struct {
		trace.Span
		content []byte
	}
	copies := make([]copied, len(same))
	for i, s := range same {
		copies[i] = copied{s, content(&inputs[s.Source])}
	}
	slices.SortStableFunc(copies, func(x, y copied) int {
		return cmp.Or(preferred(&x.Span, &y.Span), bytes.Compare(x.content, y.content),
			cmp.Compare(x.Data.Attributes().Len(), y.Data.Attributes().Len()),
			cmp.Compare(describe.Map(x.Data.Attributes()), describe.Map(y.Data.Attributes())))
	})
	for i, c := range copies {
		if i > 0 && bytes.Equal(c.content, copies[i-1].content) {
			distinct[len(distinct)-1].Flags |= trace.FlagDuplicate
			identical = append(identical, c.Source)
			continue
		}
		distinct = append(distinct, c.Span)
	}
	if len(distinct) == 1 || distinct[0].ID.IsEmpty() {
		return distinct, identical // without an ID, spans that differ are different spans
	}
	return []trace.Span{merge(distinct)}, identical
}

// preferred orders copies of a span: ended before unfinished, then the longer, then the earlier.
func preferred(x, y *trace.Span) int {
	duration := func(s *trace.Span) uint64 {
		if s.End < s.Start {
			return 0
		}
		return s.End - s.Start
	}
	unfinished := func(s *trace.Span) int {
		if s.End == 0 {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(unfinished(x), unfinished(y)), cmp.Compare(duration(y), duration(x)), cmp.Compare(x.Start, y.Start))
}
