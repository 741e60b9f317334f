package wire

import (
	"iter"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// What is read of spans that are shown to people, or put together to a trace. Bodies must have been scanned; see
// attribute.go.

// SpanLink is a link of a span, read in place.
type SpanLink struct {
	TraceID    TraceID
	SpanID     SpanID
	Flags      uint32
	TraceState []byte
	// Body is the Span.Link message.
	Body []byte
}

const (
	linkFieldSpanID     = 2
	linkFieldTraceState = 3
	linkFieldAttributes = 4
	linkFieldFlags      = 6
)

// SpanLinks iterates over the links of the body of a Span, in their order, those without a trace ID too.
func SpanLinks(span []byte) iter.Seq[SpanLink] {
	return func(yield func(SpanLink) bool) {
		start, end := spanMessage.seek(span, 0, spanFieldLinks)
		for end != 0 && yield(spanLink(span[start:end:end])) {
			start, end = spanMessage.seek(span, end, spanFieldLinks)
		}
	}
}

func spanLink(b []byte) SpanLink {
	l := SpanLink{Body: b}
	for pos := 0; pos < len(b); {
		f, err := linkMessage.next(b, pos)
		if err != nil {
			break // not after a scan
		}
		switch f.num {
		case linkFieldTraceID:
			l.TraceID = TraceID{}
			copy(l.TraceID[:], b[f.start:f.end])
		case linkFieldSpanID:
			l.SpanID = SpanID{}
			copy(l.SpanID[:], b[f.start:f.end])
		case linkFieldTraceState:
			l.TraceState = b[f.start:f.end:f.end]
		case linkFieldFlags:
			l.Flags = uint32(f.value)
		}
		pos = f.end
	}
	return l
}

// LinkAttributes iterates over the attributes of the body of a Span.Link in their order.
func LinkAttributes(link []byte) iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) { each(&linkMessage, linkFieldAttributes, link, yield) }
}

// EventAttributes iterates over the attributes of the body of a Span.Event in their order.
func EventAttributes(event []byte) iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) { each(&eventMessage, eventFieldAttributes, event, yield) }
}

// AttributeMap returns attributes as pdata, for code that shows them.
func AttributeMap(attributes iter.Seq2[[]byte, Value]) pcommon.Map {
	var span []byte
	for key, v := range attributes {
		kv := appendLen(appendLen(nil, keyTag, key), valueTag, v.encoded())
		span = appendLen(span, attributeTag, kv)
	}
	var b Builder
	b.Span(span)
	var u ptrace.ProtoUnmarshaler
	td, err := u.UnmarshalTraces(b.Bytes())
	if err != nil {
		return pcommon.NewMap() // not after a scan
	}
	return td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes()
}

// encoded returns the value as an AnyValue.
func (v Value) encoded() []byte {
	switch v.kind {
	case Empty:
		return nil
	case Bool, Int:
		return append([]byte{byte(v.kind)<<3 | byte(typeVarint)}, v.content...)
	case Double:
		return append([]byte{byte(v.kind)<<3 | byte(typeFixed64)}, v.content...)
	default:
		return appendLen(nil, byte(v.kind)<<3|byte(typeLen), v.content)
	}
}

// Value returns the attribute's value.
func (a Attribute) Value() Value { return valueIn(a.value) }
