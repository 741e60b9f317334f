package assemble

import (
	"bytes"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace/internal/describe"
)

// A content is everything that arrived as a span, a resource or a scope, in one encoding, but for what the gateway itself wrote.
// pdata decodes it, which knows all that an encoding can vary in.
//
// What many spans share is looked at once for all of them, however many are compared: a resource may be as large as a request.

// contents are the ranks of the contents of a Kept's resources and scopes, by their numbers there: equal ones for equal contents.
type contents struct{ resources, scopes []int32 }

// contentsOf are those of the Kept whose headers h has.
func (h *headers) contentsOf(k *wire.Kept) *contents {
	if h.contents == nil {
		h.contents = &contents{
			resources: ranks(len(k.Resources), func(i int) []byte { return resourceContent(k.Resources[i].Of(k.Bytes)) }),
			scopes:    ranks(len(k.Scopes), func(i int) []byte { return scopeContent(k.Scopes[i].Of(k.Bytes)) }),
		}
	}
	return h.contents
}

// scopeOrder is the place of a scope of k in the order of headers, one for equal ones.
func (h *headers) scopeOrder(k *wire.Kept, scope int32) int32 {
	if h.byHeader == nil {
		h.byHeader = ranks(len(k.Scopes), func(i int) []byte { return k.Scopes[i].Of(k.Bytes) })
	}
	return h.byHeader[scope]
}

// ranks are the ranks of n texts among each other, by their indexes: equal ones for equal texts.
func ranks(n int, text func(i int) []byte) []int32 {
	texts, order, rank := make([][]byte, n), make([]int32, n), make([]int32, n)
	for i := range texts {
		texts[i], order[i] = text(i), int32(i)
	}
	slices.SortFunc(order, func(i, j int32) int { return bytes.Compare(texts[i], texts[j]) })
	for at, i := range order {
		rank[i] = int32(at)
		if at > 0 && bytes.Equal(texts[i], texts[order[at-1]]) {
			rank[i] = rank[order[at-1]]
		}
	}
	return rank
}

func spanContent(body []byte) []byte {
	var w wire.Builder
	w.Span(body)
	return content(&w)
}

func resourceContent(header []byte) []byte {
	var w wire.Builder
	w.Resource(header)
	w.Span(nil)
	return content(&w)
}

func scopeContent(header []byte) []byte {
	var w wire.Builder
	w.Scope(header)
	w.Span(nil)
	return content(&w)
}

// content is that of all in a request.
func content(w *wire.Builder) []byte {
	td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(w.Bytes())
	if err != nil {
		panic(err) // not after a scan
	}
	ours := func(key string, _ pcommon.Value) bool { return describe.Ours(key) }
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			ss.Scope().Attributes().RemoveIf(ours)
			for _, s := range ss.Spans().All() {
				s.Attributes().RemoveIf(ours)
			}
		}
	}
	encoded, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	if err != nil {
		panic(err) // protobuf encoding of a value in memory has no error to return
	}
	return encoded
}
