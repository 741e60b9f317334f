package wire

import "iter"

// Parts of spans and scopes that are asked for by name. Bodies must have been scanned; see attribute.go.

// Links iterates over the trace IDs that a span links to, in their order, those that are missing or zero left out. span
// is the body of a Span.
func Links(span []byte) iter.Seq[TraceID] {
	return func(yield func(TraceID) bool) {
		for pos := 0; pos < len(span); {
			f, err := spanMessage.next(span, pos)
			if err != nil {
				return
			}
			if f.num == spanFieldLinks {
				if id := linkTrace(span[f.start:f.end]); !id.IsZero() && !yield(id) {
					return
				}
			}
			pos = f.end
		}
	}
}

// linkTrace returns the trace ID in a Span.Link.
func linkTrace(link []byte) (id TraceID) {
	for pos := 0; pos < len(link); {
		f, err := linkMessage.next(link, pos)
		if err != nil {
			break
		}
		if f.num == linkFieldTraceID {
			id = TraceID{}
			copy(id[:], link[f.start:f.end])
		}
		pos = f.end
	}
	return id
}

// SpanEvents iterates over the events of the body of a Span, in their order: bodies of Span.Event.
func SpanEvents(span []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		start, end := spanMessage.seek(span, 0, spanFieldEvents)
		for end != 0 && yield(span[start:end:end]) {
			start, end = spanMessage.seek(span, end, spanFieldEvents)
		}
	}
}

// EventName returns the name in the body of a Span.Event.
func EventName(event []byte) []byte {
	name, _ := eventMessage.last(event, 0, eventFieldName)
	return name
}

// EventTime returns the time in the body of a Span.Event, in nanoseconds since the Unix epoch.
func EventTime(event []byte) (ns uint64) {
	for pos := 0; pos < len(event); {
		f, err := eventMessage.next(event, pos)
		if err != nil {
			break
		}
		if f.num == eventFieldTime {
			ns = f.value
		}
		pos = f.end
	}
	return ns
}

// EventAttribute returns the value of the event's first attribute with the key. event is the body of a Span.Event.
func EventAttribute(event []byte, key string) (Value, bool) {
	return find(&eventMessage, eventFieldAttributes, event, key)
}

// StatusMessage returns the message of the span's status. span is the body of a Span.
func StatusMessage(span []byte) []byte {
	return textIn(&spanMessage, spanFieldStatus, &statusMessage, statusFieldMessage, span)
}

// ScopeName returns the name of the scope. scopeSpans is the body of a ScopeSpans or its header.
func ScopeName(scopeSpans []byte) []byte {
	return textIn(&scopeSpansMessage, scopeSpansFieldScope, &scopeMessage, scopeFieldName, scopeSpans)
}

// ScopeVersion returns the version of the scope. scopeSpans is the body of a ScopeSpans or its header.
func ScopeVersion(scopeSpans []byte) []byte {
	return textIn(&scopeSpansMessage, scopeSpansFieldScope, &scopeMessage, scopeFieldVersion, scopeSpans)
}

// textIn returns the text in field inner of the submessage sub, which is field outer of m. If there are several of sub
// they are to be merged.
func textIn(m *message, outer int32, sub *message, inner int32, b []byte) (text []byte) {
	for start, end := m.seek(b, 0, outer); end != 0; start, end = m.seek(b, end, outer) {
		if t, ok := sub.last(b[:end], start, inner); ok {
			text = t
		}
	}
	return text
}
