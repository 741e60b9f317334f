package divide

import (
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/internal/schema"
)

// TrimSpan cuts a span that is longer than limit bytes down to it, if that can be: it changes no more than it must, and keeps IDs,
// times, name, kind, status and unknown fields. The attribute key says on the span how many bytes were cut, in sum where it
// was trimmed before. It returns how many those are; 0 if there is nothing that can be cut.
func TrimSpan(k *wire.Kept, i, limit int, key string) (cut int) {
	if k.Spans[i].BodySize() <= limit {
		return 0
	}
	trimmed, cut := trim(&schema.Span, k.AppendBody(nil, i), limit, key)
	if cut == 0 || k.Replace(i, trimmed) != nil {
		return 0
	}
	return cut
}

// TrimHeaders does the same to the headers of a span's resource and scope, which other spans may have too.
func TrimHeaders(k *wire.Kept, i, limit int, key string) (cut int) {
	s := &k.Spans[i]
	for _, h := range []struct {
		header *wire.Range
		of     *schema.Message
	}{{&k.Resources[s.Resource], &schema.ResourceSpans}, {&k.Scopes[s.Scope], &schema.ScopeSpans}} {
		if h.header.Len() <= limit {
			continue
		}
		if trimmed, n := trim(h.of, h.header.Of(k.Bytes), limit, key); n > 0 {
			from := len(k.Bytes)
			k.Bytes = append(k.Bytes, trimmed...)
			*h.header = wire.Range{Off: uint32(from), End: uint32(len(k.Bytes))}
			cut += n
		}
	}
	return cut
}
