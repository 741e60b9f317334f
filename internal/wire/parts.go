package wire

import (
	"iter"

	"github.com/slowburn/slowburn/internal/wire/internal/schema"
)

// Events, links and texts of spans and scopes. Bodies must have been scanned; see attribute.go.

// SpanEvents iterates over the events of the body of a Span in their order, as bodies of Span.Event.
func SpanEvents(span []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		start, end := schema.Span.Seek(span, 0, schema.SpanFieldEvents)
		for end != 0 && yield(span[start:end:end]) {
			start, end = schema.Span.Seek(span, end, schema.SpanFieldEvents)
		}
	}
}

// EventName returns the name in the body of a Span.Event.
func EventName(event []byte) []byte {
	name, _ := schema.Event.Last(event, 0, schema.EventFieldName)
	return name
}

// EventTime returns the time in the body of a Span.Event, in nanoseconds since the Unix epoch.
func EventTime(event []byte) (ns uint64) {
	for pos := 0; pos < len(event); {
		f, err := schema.Event.Next(event, pos)
		if err != nil {
			break
		}
		if f.Num == schema.EventFieldTime {
			ns = f.Value
		}
		pos = f.End
	}
	return ns
}

// EventAttribute returns the value of the event's first attribute with the key. event is the body of a Span.Event.
func EventAttribute(event []byte, key string) (Value, bool) {
	return find(&schema.Event, schema.EventFieldAttributes, event, key)
}

// EventAttributes iterates over the attributes of the body of a Span.Event in their order.
func EventAttributes(event []byte) iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) { each(&schema.Event, schema.EventFieldAttributes, event, yield) }
}

// StatusMessage returns the message of the span's status. span is the body of a Span.
func StatusMessage(span []byte) []byte {
	return textIn(&schema.Span, schema.SpanFieldStatus, &schema.Status, schema.StatusFieldMessage, span)
}

// ScopeName returns the name of the scope. scopeSpans is the body of a ScopeSpans or its header.
func ScopeName(scopeSpans []byte) []byte {
	return textIn(&schema.ScopeSpans, schema.ScopeSpansFieldScope, &schema.Scope, schema.ScopeFieldName, scopeSpans)
}

// ScopeVersion returns the version of the scope. scopeSpans is the body of a ScopeSpans or its header.
func ScopeVersion(scopeSpans []byte) []byte {
	return textIn(&schema.ScopeSpans, schema.ScopeSpansFieldScope, &schema.Scope, schema.ScopeFieldVersion, scopeSpans)
}

// textIn returns the text in field inner of the submessage sub, which is field outer of m. If there are several sub
// they are merged.
func textIn(m *schema.Message, outer int32, sub *schema.Message, inner int32, b []byte) (text []byte) {
	for start, end := m.Seek(b, 0, outer); end != 0; start, end = m.Seek(b, end, outer) {
		if t, ok := sub.Last(b[:end], start, inner); ok {
			text = t
		}
	}
	return text
}

// Links iterates over the trace IDs that a span links to, in their order, without missing and zero ones. span is the
// body of a Span.
func Links(span []byte) iter.Seq[TraceID] {
	return func(yield func(TraceID) bool) {
		for pos := 0; pos < len(span); {
			f, err := schema.Span.Next(span, pos)
			if err != nil {
				return
			}
			if f.Num == schema.SpanFieldLinks {
				if id := linkTrace(span[f.Start:f.End]); !id.IsZero() && !yield(id) {
					return
				}
			}
			pos = f.End
		}
	}
}

// linkTrace returns the trace ID of a Span.Link.
func linkTrace(link []byte) (id TraceID) {
	for pos := 0; pos < len(link); {
		f, err := schema.Link.Next(link, pos)
		if err != nil {
			break
		}
		if f.Num == schema.LinkFieldTraceID {
			id = TraceID{}
			copy(id[:], link[f.Start:f.End])
		}
		pos = f.End
	}
	return id
}

// SpanLink is a link of a span, read in place.
type SpanLink struct {
	TraceID    TraceID
	SpanID     SpanID
	Flags      uint32
	TraceState []byte
	// Body is the Span.Link message.
	Body []byte
}

// SpanLinks iterates over the links of the body of a Span in their order, including those without a trace ID.
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
			break // cannot happen after a scan
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
