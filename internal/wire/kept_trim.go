package wire

import "github.com/slowburn/slowburn/internal/wire/internal/schema"

// Trim cuts a span that is longer than limit bytes down to it, if that can be: it changes no more than it must, and keeps IDs,
// times, name, kind, status and unknown fields. The attribute key says on the span how many bytes were cut, in sum where it
// was trimmed before. It returns how many those are; 0 if there is nothing that can be cut.
func Trim(k *Kept, i, limit int, key string) (cut int) {
	s := &k.Spans[i]
	if k.bodySize(i) <= limit {
		return 0
	}
	trimmed, cut := trim(&schema.Span, k.appendBody(nil, i), limit, key)
	if cut == 0 {
		return 0
	}
	next := KeptSpan{Span: s.Span, Left: s.Left, Sent: s.Sent}
	next.Body = k.copy(trimmed)
	if next.parse(k.Bytes) != nil {
		return 0 // not after a scan
	}
	*s = next
	return cut
}

// TrimHeaders does the same to the headers of a span's resource and scope, which other spans may have too.
func TrimHeaders(k *Kept, i, limit int, key string) (cut int) {
	s := &k.Spans[i]
	for _, h := range []struct {
		header *Range
		of     *schema.Message
	}{{&k.Resources[s.Resource], &schema.ResourceSpans}, {&k.Scopes[s.Scope], &schema.ScopeSpans}} {
		if h.header.Len() <= limit {
			continue
		}
		if trimmed, n := trim(h.of, h.header.Of(k.Bytes), limit, key); n > 0 {
			*h.header = k.copy(trimmed)
			cut += n
		}
	}
	return cut
}
