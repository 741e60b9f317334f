package wire

// seek returns where the content of the next field num at or behind pos is; end is 0 if there is none. It is for fields
// of submessages and bytes with numbers below 16, whose tags have one byte, in messages that have been scanned: other
// fields are passed over by their wire type alone, which is several times faster than reading them.
func (m *message) seek(b []byte, pos int, num int32) (start, end int) {
	want := byte(num)<<3 | byte(typeLen)
	for pos+1 < len(b) { // no field is shorter than two bytes
		tag, n := b[pos], int(b[pos+1])
		if tag < 0x80 && tag >= 1<<3 {
			switch wireType(tag & 7) {
			case typeLen:
				if n < 0x80 && n <= len(b)-pos-2 {
					if tag == want {
						return pos + 2, pos + 2 + n
					}
					pos += 2 + n
					continue
				}
			case typeFixed64:
				pos += 1 + 8
				continue
			case typeVarint:
				if n < 0x80 {
					pos += 2
					continue
				}
			case typeFixed32:
				pos += 1 + 4
				continue
			}
		}
		f, err := m.next(b, pos)
		if err != nil {
			return 0, 0
		}
		if f.num == num {
			return f.start, f.end
		}
		pos = f.end
	}
	return 0, 0
}

// AttributeWalk reads the attributes of a span one by one, for code that looks at those of every span: it is
// SpanAttributes without closures, and reads values only where they are asked for.
type AttributeWalk struct {
	span  []byte
	pos   int
	any   []byte // the AnyValue of a plain attribute
	value Value  // of another
	plain bool
}

// WalkAttributes begins before the first attribute. span is the body of a Span.
func WalkAttributes(span []byte) AttributeWalk { return AttributeWalk{span: span} }

// Next goes to the next attribute and returns its key, a part of the span's body. It reports false behind the last.
func (w *AttributeWalk) Next() (key []byte, ok bool) {
	if b := w.span[w.pos:]; len(b) >= 6 && b[0] == attributeTag && b[1] < 0x80 && 2+int(b[1]) <= len(b) {
		// Nearly all attributes are found here: those behind another, and plain as splitPlain has it.
		kv := b[2 : 2+int(b[1])]
		if len(kv) >= 4 && int(kv[1])+4 <= len(kv) {
			second := kv[2+int(kv[1]):]
			if int(second[1])+2 == len(second) {
				switch {
				case kv[0] == keyTag && second[0] == valueTag:
					w.pos += 2 + len(kv)
					w.any, w.plain = second[2:], true
					return kv[2 : 2+int(kv[1]) : 2+int(kv[1])], true
				case kv[0] == valueTag && second[0] == keyTag:
					w.pos += 2 + len(kv)
					w.any, w.plain = kv[2:2+int(kv[1]):2+int(kv[1])], true
					return second[2:], true
				}
			}
		}
	}
	return w.next()
}

// attributeTag is that of a span's attributes.
const attributeTag = spanFieldAttributes<<3 | byte(typeLen)

// next is Next for an attribute of any layout, and passes over other fields.
func (w *AttributeWalk) next() (key []byte, ok bool) {
	start, end := spanMessage.seek(w.span, w.pos, spanFieldAttributes)
	if end == 0 {
		return nil, false
	}
	w.pos = end
	kv := w.span[start:end]
	if key, w.any, w.plain = splitPlain(kv); !w.plain {
		key, w.value = keyValue(kv)
	}
	return key, true
}

// Value returns the value of the attribute that Next went to.
func (w *AttributeWalk) Value() Value {
	if !w.plain {
		return w.value
	}
	return valueIn(w.any)
}

// valueIn reads an AnyValue; the plain kinds at once.
func valueIn(b []byte) Value {
	if len(b) >= 2 && b[1] < 0x80 {
		switch b[0] {
		case byte(String)<<3 | byte(typeLen):
			if int(b[1]) == len(b)-2 {
				return Value{kind: String, content: b[2:len(b):len(b)]}
			}
		case byte(Bool)<<3 | byte(typeVarint), byte(Int)<<3 | byte(typeVarint):
			if len(b) == 2 {
				return Value{kind: ValueKind(b[0] >> 3), content: b[1:2:2]}
			}
		}
	}
	return mergedValue(b)
}

// mergedValue reads any AnyValue.
func mergedValue(b []byte) (v Value) {
	if len(b) == 3 && b[0] == byte(Int)<<3|byte(typeVarint) && b[1] >= 0x80 && b[2] < 0x80 {
		return Value{kind: Int, content: b[1:3:3]}
	}
	v.merge(b)
	return v
}

// last returns the content of the last field num at or behind pos, which is the one that counts.
func (m *message) last(b []byte, pos int, num int32) (content []byte, ok bool) {
	for start, end := m.seek(b, pos, num); end != 0; start, end = m.seek(b, end, num) {
		content, ok = b[start:end:end], true
	}
	return content, ok
}
