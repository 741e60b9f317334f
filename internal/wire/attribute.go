package wire

import (
	"iter"

	"github.com/slowburn/slowburn/internal/wire/internal/schema"
)

// The functions below read message bodies that were scanned, or headers of such bodies. Of an unscanned body they do
// not see what follows the first error.

// SpanAttribute returns the value of the span's first attribute with the key. span is the body of a Span.
func SpanAttribute(span []byte, key string) (Value, bool) {
	return find(&schema.Span, schema.SpanFieldAttributes, span, key)
}

// SpanAttributes iterates over the attributes of the body of a Span in their order. Keys are parts of it.
func SpanAttributes(span []byte) iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) { each(&schema.Span, schema.SpanFieldAttributes, span, yield) }
}

// ResourceAttribute returns the value of the resource's first attribute with the key. resourceSpans is the body of a
// ResourceSpans or its header.
func ResourceAttribute(resourceSpans []byte, key string) (Value, bool) {
	for b := range sharedParts(&schema.ResourceSpans, resourceSpans) {
		if v, ok := find(&schema.Resource, schema.ResourceFieldAttributes, b, key); ok {
			return v, true
		}
	}
	return Value{}, false
}

// ResourceAttributes iterates over the attributes of the resource of the body of a ResourceSpans, or of its header.
func ResourceAttributes(resourceSpans []byte) iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		for b := range sharedParts(&schema.ResourceSpans, resourceSpans) {
			if !each(&schema.Resource, schema.ResourceFieldAttributes, b, yield) {
				return
			}
		}
	}
}

// ScopeAttribute returns the value of the scope's first attribute with the key. scopeSpans is the body of a ScopeSpans
// or its header.
func ScopeAttribute(scopeSpans []byte, key string) (Value, bool) {
	for b := range sharedParts(&schema.ScopeSpans, scopeSpans) {
		if v, ok := find(&schema.Scope, schema.ScopeFieldAttributes, b, key); ok {
			return v, true
		}
	}
	return Value{}, false
}

// ScopeAttributes iterates over the attributes of the scope of the body of a ScopeSpans, or of its header.
func ScopeAttributes(scopeSpans []byte) iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		for b := range sharedParts(&schema.ScopeSpans, scopeSpans) {
			if !each(&schema.Scope, schema.ScopeFieldAttributes, b, yield) {
				return
			}
		}
	}
}

// sharedParts iterates over the contents of the resource or scope in m. If there are several, they are to be merged.
func sharedParts(m *schema.Message, b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for pos := 0; pos < len(b); {
			f, err := m.Next(b, pos)
			if err != nil || f.Num == schema.GroupFieldShared && !yield(b[f.Start:f.End]) {
				return
			}
			pos = f.End
		}
	}
}

// find looks up the key among the attributes, field num of the message m.
func find(m *schema.Message, num int32, b []byte, key string) (Value, bool) {
	for pos := 0; pos < len(b); {
		f, err := m.Next(b, pos)
		if err != nil {
			break
		}
		if f.Num == num {
			if v, ok := valueOf(b[f.Start:f.End], key); ok {
				return v, true
			}
		}
		pos = f.End
	}
	return Value{}, false
}

// valueOf returns the value of kv, a KeyValue, if it has the key.
func valueOf(kv []byte, key string) (v Value, ok bool) {
	if k, value, ok := schema.SplitPlain(kv); ok {
		if string(k) != key {
			return v, false
		}
		v.merge(value)
		return v, true
	}
	k, v := KeyValue(kv)
	return v, string(k) == key
}

func each(m *schema.Message, num int32, b []byte, yield func([]byte, Value) bool) bool {
	for pos := 0; pos < len(b); {
		f, err := m.Next(b, pos)
		if err != nil {
			break
		}
		if f.Num == num {
			if k, v := KeyValue(b[f.Start:f.End]); !yield(k, v) {
				return false
			}
		}
		pos = f.End
	}
	return true
}

// KeyValue reads the body of a KeyValue: the key, which is a part of it, and the value.
func KeyValue(b []byte) (key []byte, v Value) {
	for pos := 0; pos < len(b); {
		f, err := schema.KeyValue.Next(b, pos)
		if err != nil {
			break
		}
		switch f.Num {
		case schema.KeyValueFieldKey:
			key = b[f.Start:f.End:f.End]
		case schema.KeyValueFieldValue:
			v.merge(b[f.Start:f.End])
		}
		pos = f.End
	}
	return key, v
}
