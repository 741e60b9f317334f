package wire

import (
	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// Builder builds an ExportTraceServiceRequest from headers (AppendResourceHeader, AppendScopeHeader) and span bodies:
// Resource, then Scope, then its Spans, and again. It leaves out resources and scopes without spans. The zero Builder is
// ready. Reset makes it ready again, keeping its buffers.
type Builder struct {
	request, resource, scope          []byte
	resourceHeaderLen, scopeHeaderLen int
}

const (
	tagResourceSpans = 1<<3 | byte(protobuf.TypeLen)
	tagScopeSpans    = schema.ResourceSpansFieldScopeSpans<<3 | byte(protobuf.TypeLen)
	tagSpans         = schema.ScopeSpansFieldSpans<<3 | byte(protobuf.TypeLen)
)

// Reset empties the builder. It invalidates what Bytes returned.
func (b *Builder) Reset() {
	b.request, b.resource, b.scope = b.request[:0], b.resource[:0], b.scope[:0]
	b.resourceHeaderLen, b.scopeHeaderLen = 0, 0
}

// Resource begins a ResourceSpans with the header.
func (b *Builder) Resource(header []byte) {
	b.closeResource()
	b.resource = append(b.resource, header...)
	b.resourceHeaderLen = len(header)
}

// Scope begins a ScopeSpans with the header within the resource, or within an empty one if there is none.
func (b *Builder) Scope(header []byte) {
	b.closeScope()
	b.scope = append(b.scope, header...)
	b.scopeHeaderLen = len(header)
}

// Span adds a span to the scope, or to an empty one if there is none.
func (b *Builder) Span(body []byte) { b.scope = protobuf.AppendLen(b.scope, tagSpans, body) }

// Bytes completes the request and returns it. It is valid until the next call of another method.
func (b *Builder) Bytes() []byte {
	b.closeResource()
	return b.request
}

func (b *Builder) closeScope() {
	if len(b.scope) > b.scopeHeaderLen {
		b.resource = protobuf.AppendLen(b.resource, tagScopeSpans, b.scope)
	}
	b.scope, b.scopeHeaderLen = b.scope[:0], 0
}

func (b *Builder) closeResource() {
	b.closeScope()
	if len(b.resource) > b.resourceHeaderLen {
		b.request = protobuf.AppendLen(b.request, tagResourceSpans, b.resource)
	}
	b.resource, b.resourceHeaderLen = b.resource[:0], 0
}

// AppendResourceHeader appends the body of a ResourceSpans without its scope_spans, and otherwise verbatim: resource,
// schema URL and unknown fields. The result is again the body of a ResourceSpans.
func AppendResourceHeader(dst, resourceSpans []byte) []byte {
	return appendHeader(dst, &schema.ResourceSpans, resourceSpans)
}

// AppendScopeHeader appends the body of a ScopeSpans without its spans, and otherwise verbatim.
func AppendScopeHeader(dst, scopeSpans []byte) []byte {
	return appendHeader(dst, &schema.ScopeSpans, scopeSpans)
}

// appendHeader leaves out the scope_spans or spans of m, and the deprecated form of the former.
func appendHeader(dst []byte, m *schema.Message, b []byte) []byte {
	for pos := 0; pos < len(b); {
		f, err := m.Next(b, pos)
		if err != nil {
			break // cannot happen after a scan
		}
		if f.Num != schema.GroupFieldMembers && f.Num != schema.ResourceSpansFieldDeprecatedScopeSpans {
			dst = append(dst, b[pos:f.End]...)
		}
		pos = f.End
	}
	return dst
}
