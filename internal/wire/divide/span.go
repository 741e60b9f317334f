package divide

import (
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/internal/schema"
)

// TrimSpan cuts a span that is longer than limit bytes to that length if possible. It changes no more than necessary, and keeps
// IDs, times, name, kind, status and unknown fields. The attribute key on the span has the number of bytes cut, including earlier
// cuts. TrimSpan returns the number of bytes it cut, 0 if nothing can be cut.
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

// TrimHeaders does the same with the headers of a span's resource and scope, which other spans may share.
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
