package wire

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// protobuf's strings are UTF-8, and strict backends refuse a request with one that is not. Scan accepts such text, as pdata
// does. The functions below find it and make it valid: each run of invalid bytes becomes one U+FFFD, as strings.ToValidUTF8
// has it. They read messages that have been scanned, or headers of ones that have.

// ValidText reports whether all text in the body of a Span is UTF-8.
func ValidText(span []byte) bool { return spanMessage.validText(span, 0, 0) }

// ValidResourceText reports whether all text in the header of a ResourceSpans is UTF-8.
func ValidResourceText(header []byte) bool { return resourceSpansMessage.validText(header, 0, 0) }

// ValidScopeText reports whether all text in the header of a ScopeSpans is UTF-8.
func ValidScopeText(header []byte) bool { return scopeSpansMessage.validText(header, 0, 0) }

// AppendValidText appends the body of a Span with all text made UTF-8: attributes, names, trace states, messages, those of
// events and links included. All else stays byte by byte.
func AppendValidText(dst, span []byte) []byte { return appendValid(dst, &spanMessage, span) }

// AppendValidResourceText appends the header of a ResourceSpans with all text made UTF-8.
func AppendValidResourceText(dst, header []byte) []byte {
	return appendValid(dst, &resourceSpansMessage, header)
}

// AppendValidScopeText appends the header of a ScopeSpans with all text made UTF-8.
func AppendValidScopeText(dst, header []byte) []byte {
	return appendValid(dst, &scopeSpansMessage, header)
}

// asciiDepth is how deep in a message ASCII is looked for: each level reads its content again.
const asciiDepth = 4

// validText reports whether all text in the message that starts at pos and ends with b is UTF-8. A field of ASCII has no
// other text, whatever it is: nearly all are passed over so.
func (m *message) validText(b []byte, pos, depth int) bool {
	for pos < len(b) {
		var f field
		// Most fields have a tag and a length of one byte; calls of next are what the rest costs.
		if tag := b[pos]; tag < 0x80 && tag >= 1<<3 && wireType(tag&7) == typeLen && pos+1 < len(b) && int(b[pos+1]) < 0x80 {
			f = field{num: int32(tag >> 3), start: pos + 2, end: pos + 2 + int(b[pos+1])}
		} else if wireType(tag&7) == typeFixed64 && tag < 0x80 {
			pos += 1 + 8
			continue
		} else {
			var err error
			if f, err = m.next(b, pos); err != nil {
				return true // not after a scan
			}
		}
		pos = f.end
		t := m.field(f.num)
		if t.typ != typeLen || t.size != 0 || pos > len(b) || depth < asciiDepth && ascii(b[f.start:f.end]) {
			continue
		}
		if t.msg != nil && !number(t.msg, b[f.start:f.end]) && !t.msg.validText(b[:f.end], f.start, depth+1) ||
			m.text(t) && !utf8.Valid(b[f.start:f.end]) {
			return false
		}
	}
	return true
}

// number reports whether a message is an attribute whose value is no text, and whose key is ASCII.
func number(m *message, kv []byte) bool {
	if m != &keyValueMessage {
		return false
	}
	key, value, ok := splitPlain(kv)
	if !ok || len(value) == 0 || !ascii(key) {
		return false
	}
	switch value[0] {
	case byte(Int)<<3 | byte(typeVarint):
		return len(value) == 2 || len(value) == 3 && value[1] >= 0x80
	case byte(Double)<<3 | byte(typeFixed64):
		return len(value) == 9
	}
	return false
}

// text reports whether a field of the message is text: of bytes, but no ID, no message, and not bytes_value.
func (m *message) text(t *fieldType) bool {
	return t.typ == typeLen && t.size == 0 && t.msg == nil && t != &anyValueMessage.fields[Bytes]
}

// ascii reports whether no byte is 0x80 or more.
func ascii(b []byte) bool {
	const high = 0x8080808080808080
	if len(b) < 8 {
		var all byte
		for _, c := range b {
			all |= c
		}
		return all < 0x80
	}
	last := binary.LittleEndian.Uint64(b[len(b)-8:])
	for ; len(b) > 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b)&high != 0 {
			return false
		}
	}
	return last&high == 0
}

func appendValid(dst []byte, m *message, b []byte) []byte {
	var r textRepair
	if _, changes := r.measure(m, b, 0); !changes {
		return append(dst, b...)
	}
	return r.append(dst, m, b, 0)
}

// textRepair is text that is about to be made valid, measured: a length comes before what it is of. Nested messages are
// measured once and written once, however deep they are.
type textRepair struct {
	sizes []int // of messages in the order in which they begin, those in one that does not change left out; see unchanged
}

// unchanged is in place of the size of a message that stays as it is.
const unchanged = -1

// measure returns how long the message that starts at pos and ends with b will be, and whether anything in it changes.
func (r *textRepair) measure(m *message, b []byte, pos int) (size int, changes bool) {
	for from := pos; from < len(b); from = pos {
		f, err := m.next(b, from)
		if err != nil {
			return size + len(b) - from, changes // not after a scan
		}
		pos = f.end
		inner, changed := f.end-f.start, false
		switch t := m.field(f.num); {
		case t.msg != nil:
			n := len(r.sizes)
			r.sizes = append(r.sizes, unchanged)
			if inner, changed = r.measure(t.msg, b[:f.end], f.start); changed {
				r.sizes[n] = inner
			} else {
				r.sizes = r.sizes[:n+1]
			}
		case m.text(t) && !utf8.Valid(b[f.start:f.end]):
			inner, changed = len(bytes.ToValidUTF8(b[f.start:f.end], replacement)), true
		}
		if !changed {
			size += f.end - from
			continue
		}
		changes = true
		size += lenSize(inner) - 1 + len(appendTag(nil, f.num))
	}
	return size, changes
}

// append appends the message that starts at pos and ends with b, valid.
func (r *textRepair) append(dst []byte, m *message, b []byte, pos int) []byte {
	for from := pos; from < len(b); from = pos {
		f, err := m.next(b, from)
		if err != nil {
			return append(dst, b[from:]...) // not after a scan
		}
		pos = f.end
		t := m.field(f.num)
		if t.msg != nil {
			size := r.sizes[0]
			r.sizes = r.sizes[1:]
			if size != unchanged {
				dst = binary.AppendUvarint(appendTag(dst, f.num), uint64(size))
				dst = r.append(dst, t.msg, b[:f.end], f.start)
				continue
			}
		} else if m.text(t) && !utf8.Valid(b[f.start:f.end]) {
			valid := bytes.ToValidUTF8(b[f.start:f.end], replacement)
			dst = binary.AppendUvarint(appendTag(dst, f.num), uint64(len(valid)))
			dst = append(dst, valid...)
			continue
		}
		dst = append(dst, b[from:f.end]...)
	}
	return dst
}

// appendTag appends the tag of a field of bytes.
func appendTag(dst []byte, num int32) []byte {
	return binary.AppendUvarint(dst, uint64(num)<<3|uint64(typeLen))
}

var replacement = []byte("\uFFFD")
