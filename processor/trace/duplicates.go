package trace

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// removeDuplicates keeps one span per ID, resource and kind. Identical copies, which retried exports leave, are left
// out; copies that differ, which SDKs leave that export a span more than once while it runs, are merged.
func (b *builder) removeDuplicates() {
	if !b.idsRepeat() {
		return
	}
	b.sortSpans(func(x, y *Span) int {
		return cmp.Or(bytes.Compare(x.ID[:], y.ID[:]), cmp.Compare(x.Resource, y.Resource), cmp.Compare(x.Kind, y.Kind))
	})
	kept := b.spans[:0]
	for i := 0; i < len(b.spans); {
		j := i + 1
		for j < len(b.spans) && b.spans[j].ID == b.spans[i].ID && b.spans[j].Resource == b.spans[i].Resource &&
			b.spans[j].Kind == b.spans[i].Kind {
			j++
		}
		if j == i+1 {
			kept = append(kept, b.spans[i])
		} else {
			kept = append(kept, b.collapse(b.spans[i:j])...)
		}
		i = j
	}
	b.spans = kept
	slices.Sort(b.identical)
}

// idsRepeat says whether any two spans have the same ID. Mostly none do.
func (b *builder) idsRepeat() bool {
	ids := make([]uint64, len(b.spans))
	for i := range b.spans {
		ids[i] = binary.NativeEndian.Uint64(b.spans[i].ID[:])
	}
	slices.Sort(ids)
	return len(slices.Compact(ids)) < len(b.spans)
}

// collapse is what remains of several spans with one ID, resource and kind.
func (b *builder) collapse(same []Span) []Span {
	type copied struct {
		Span
		content []byte
	}
	copies := make([]copied, len(same))
	for i, s := range same {
		copies[i] = copied{s, content(&b.inputs[s.Source])}
	}
	slices.SortStableFunc(copies, func(x, y copied) int {
		return cmp.Or(preferred(&x.Span, &y.Span), bytes.Compare(x.content, y.content),
			cmp.Compare(x.Data.Attributes().Len(), y.Data.Attributes().Len()),
			cmp.Compare(canonicalMap(x.Data.Attributes()), canonicalMap(y.Data.Attributes())))
	})
	var distinct []Span
	for i, c := range copies {
		if i > 0 && bytes.Equal(c.content, copies[i-1].content) {
			distinct[len(distinct)-1].Flags |= FlagDuplicate
			b.identical = append(b.identical, c.Source)
			continue
		}
		distinct = append(distinct, c.Span)
	}
	if len(distinct) == 1 || distinct[0].ID.IsEmpty() {
		return distinct // without an ID, spans that differ are different spans
	}
	return []Span{merge(distinct)}
}

// preferred orders copies of a span: ended before unfinished, then the longer, then the earlier.
func preferred(x, y *Span) int {
	duration := func(s *Span) uint64 {
		if s.End < s.Start {
			return 0
		}
		return s.End - s.Start
	}
	unfinished := func(s *Span) int {
		if s.End == 0 {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(unfinished(x), unfinished(y)), cmp.Compare(duration(y), duration(x)), cmp.Compare(x.Start, y.Start))
}

// content is everything that arrived with the span, as bytes, but for what the gateway itself wrote on it: a copy that
// comes after the decision is still a copy.
func content(in *Input) []byte {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.SetSchemaUrl(in.ResourceSchemaURL)
	in.Resource.CopyTo(rs.Resource())
	ss := rs.ScopeSpans().AppendEmpty()
	ss.SetSchemaUrl(in.ScopeSchemaURL)
	in.Scope.CopyTo(ss.Scope())
	span := ss.Spans().AppendEmpty()
	in.Span.CopyTo(span)
	span.Attributes().RemoveIf(func(k string, _ pcommon.Value) bool {
		return strings.HasPrefix(k, "tailsampling.") || strings.HasPrefix(k, "slowburn.")
	})
	bytes, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil { // protobuf encoding of a value in memory has no error to return
		panic(err)
	}
	return bytes
}

// merge adds to the first span the attributes, events and links that only the others have.
func merge(distinct []Span) Span {
	s := distinct[0]
	s.Flags |= FlagMerged
	data := ptrace.NewSpan()
	s.Data.CopyTo(data)
	events, links := make(map[string]bool), make(map[string]bool)
	for _, e := range data.Events().All() {
		events[eventKey(e)] = true
	}
	for _, l := range data.Links().All() {
		links[linkKey(l)] = true
	}
	for _, other := range distinct[1:] {
		s.Others = append(s.Others, other.Source)
		s.Flags |= other.Flags
		for k, v := range other.Data.Attributes().All() {
			if _, ok := data.Attributes().Get(k); !ok {
				v.CopyTo(data.Attributes().PutEmpty(k))
			}
		}
		for _, e := range other.Data.Events().All() {
			if key := eventKey(e); !events[key] {
				events[key] = true
				e.CopyTo(data.Events().AppendEmpty())
			}
		}
		for _, l := range other.Data.Links().All() {
			if key := linkKey(l); !links[key] {
				links[key] = true
				l.CopyTo(data.Links().AppendEmpty())
			}
		}
	}
	slices.Sort(s.Others)
	s.Data = data
	return s
}

func eventKey(e ptrace.SpanEvent) string {
	return e.Timestamp().String() + e.Name() + canonicalMap(e.Attributes())
}

func linkKey(l ptrace.SpanLink) string {
	return l.TraceID().String() + l.SpanID().String() + l.TraceState().AsRaw() + canonicalMap(l.Attributes())
}
