package wire

import (
	"iter"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
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

// SpanLinks iterates over the links of the body of a Span, in their order, those without a trace ID too.
func SpanLinks(span []byte) iter.Seq[SpanLink] {
	return func(yield func(SpanLink) bool) {
		start, end := schema.Span.Seek(span, 0, schema.SpanFieldLinks)
		for end != 0 && yield(spanLink(span[start:end:end])) {
			start, end = schema.Span.Seek(span, end, schema.SpanFieldLinks)
		}
	}
}

func spanLink(b []byte) SpanLink {
	l := SpanLink{Body: b}
	for pos := 0; pos < len(b); {
		f, err := schema.Link.Next(b, pos)
		if err != nil {
			break // not after a scan
		}
		switch f.Num {
		case schema.LinkFieldTraceID:
			l.TraceID = TraceID{}
			copy(l.TraceID[:], b[f.Start:f.End])
		case schema.LinkFieldSpanID:
			l.SpanID = SpanID{}
			copy(l.SpanID[:], b[f.Start:f.End])
		case schema.LinkFieldTraceState:
			l.TraceState = b[f.Start:f.End:f.End]
		case schema.LinkFieldFlags:
			l.Flags = uint32(f.Value)
		}
		pos = f.End
	}
	return l
}

// LinkAttributes iterates over the attributes of the body of a Span.Link in their order.
func LinkAttributes(link []byte) iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) { each(&schema.Link, schema.LinkFieldAttributes, link, yield) }
}

// EventAttributes iterates over the attributes of the body of a Span.Event in their order.
func EventAttributes(event []byte) iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) { each(&schema.Event, schema.EventFieldAttributes, event, yield) }
}

// AttributeMap returns attributes as pdata, for code that shows them.
func AttributeMap(attributes iter.Seq2[[]byte, Value]) pcommon.Map {
	var span []byte
	for key, v := range attributes {
		kv := protobuf.AppendLen(protobuf.AppendLen(nil, schema.KeyTag, key), schema.ValueTag, v.encoded())
		span = protobuf.AppendLen(span, schema.AttributeTag, kv)
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
		return append([]byte{byte(v.kind)<<3 | byte(protobuf.TypeVarint)}, v.content...)
	case Double:
		return append([]byte{byte(v.kind)<<3 | byte(protobuf.TypeFixed64)}, v.content...)
	default:
		return protobuf.AppendLen(nil, byte(v.kind)<<3|byte(protobuf.TypeLen), v.content)
	}
}
