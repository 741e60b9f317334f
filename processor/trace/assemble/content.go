package assemble

import (
	"bytes"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace/internal/describe"
)

// A content is all that arrived as a span, a resource or a scope, without the gateway's own attributes, in one canonical
// encoding. pdata decodes it, as it knows all ways to encode the same content.
//
// A resource may be as large as a request, so what many spans share is read once, however many spans are compared.

// contents ranks the resources and scopes of a Kept, by their numbers: equal contents have equal ranks.
type contents struct{ resources, scopes []int32 }

// contentsOf returns the contents of the Kept whose headers are in h.
func (h *headers) contentsOf(k *wire.Kept) *contents {
	if h.contents == nil {
		h.contents = &contents{
			resources: ranks(len(k.Resources), func(i int) []byte { return resourceContent(k.Resources[i].Of(k.Bytes)) }),
			scopes:    ranks(len(k.Scopes), func(i int) []byte { return scopeContent(k.Scopes[i].Of(k.Bytes)) }),
		}
	}
	return h.contents
}

// scopeOrder returns the rank of a scope of k by its header; equal headers have equal ranks.
func (h *headers) scopeOrder(k *wire.Kept, scope int32) int32 {
	if h.byHeader == nil {
		h.byHeader = ranks(len(k.Scopes), func(i int) []byte { return k.Scopes[i].Of(k.Bytes) })
	}
	return h.byHeader[scope]
}

// ranks returns the ranks of n texts by their indexes; equal texts have equal ranks.
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
	return contentOf(&w)
}

func resourceContent(header []byte) []byte {
	var w wire.Builder
	w.Resource(header)
	w.Span(nil)
	return contentOf(&w)
}

func scopeContent(header []byte) []byte {
	var w wire.Builder
	w.Scope(header)
	w.Span(nil)
	return contentOf(&w)
}

// contentOf returns the canonical encoding of a request's content.
func contentOf(w *wire.Builder) []byte {
	td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(w.Bytes())
	if err != nil {
		panic(err) // cannot happen after a scan
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
		panic(err) // encoding a value in memory cannot fail
	}
	return encoded
}
