package wire

import (
	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// AttributeWalk reads the attributes of a span one by one, for code that reads those of every span: it is
// SpanAttributes without closures, and reads only the values that are asked for.
type AttributeWalk struct {
	span  []byte
	pos   int
	any   []byte // AnyValue of a plain attribute
	value Value  // of any other attribute
	plain bool
}

// WalkAttributes returns a walk before the first attribute. span is the body of a Span.
func WalkAttributes(span []byte) AttributeWalk { return AttributeWalk{span: span} }

// Next moves to the next attribute and returns its key, a part of the span's body. It returns false after the last.
func (w *AttributeWalk) Next() (key []byte, ok bool) {
	if b := w.span[w.pos:]; len(b) >= 6 && b[0] == schema.AttributeTag && b[1] < 0x80 && 2+int(b[1]) <= len(b) {
		// Nearly all attributes are found here: plain ones, as in schema.SplitPlain, that follow another
		// attribute.
		kv := b[2 : 2+int(b[1])]
		if len(kv) >= 4 && int(kv[1])+4 <= len(kv) {
			second := kv[2+int(kv[1]):]
			if int(second[1])+2 == len(second) {
				switch {
				case kv[0] == schema.KeyTag && second[0] == schema.ValueTag:
					w.pos += 2 + len(kv)
					w.any, w.plain = second[2:], true
					return kv[2 : 2+int(kv[1]) : 2+int(kv[1])], true
				case kv[0] == schema.ValueTag && second[0] == schema.KeyTag:
					w.pos += 2 + len(kv)
					w.any, w.plain = kv[2:2+int(kv[1]):2+int(kv[1])], true
					return second[2:], true
				}
			}
		}
	}
	return w.next()
}

// next is Next for an attribute of any layout, and skips other fields.
func (w *AttributeWalk) next() (key []byte, ok bool) {
	start, end := schema.Span.Seek(w.span, w.pos, schema.SpanFieldAttributes)
	if end == 0 {
		return nil, false
	}
	w.pos = end
	kv := w.span[start:end]
	if key, w.any, w.plain = schema.SplitPlain(kv); !w.plain {
		key, w.value = KeyValue(kv)
	}
	return key, true
}

// Value returns the value of the current attribute.
func (w *AttributeWalk) Value() Value {
	if !w.plain {
		return w.value
	}
	return valueIn(w.any)
}

// valueIn decodes an AnyValue; plain kinds directly.
func valueIn(b []byte) Value {
	if len(b) >= 2 && b[1] < 0x80 {
		switch b[0] {
		case byte(String)<<3 | byte(protobuf.TypeLen):
			if int(b[1]) == len(b)-2 {
				return Value{kind: String, content: b[2:len(b):len(b)]}
			}
		case byte(Bool)<<3 | byte(protobuf.TypeVarint), byte(Int)<<3 | byte(protobuf.TypeVarint):
			if len(b) == 2 {
				return Value{kind: ValueKind(b[0] >> 3), content: b[1:2:2]}
			}
		}
	}
	return mergedValue(b)
}

// mergedValue decodes any AnyValue.
func mergedValue(b []byte) (v Value) {
	if len(b) == 3 && b[0] == byte(Int)<<3|byte(protobuf.TypeVarint) && b[1] >= 0x80 && b[2] < 0x80 {
		return Value{kind: Int, content: b[1:3:3]}
	}
	v.merge(b)
	return v
}
