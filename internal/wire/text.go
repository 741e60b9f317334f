package wire

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// protobuf's strings are UTF-8, and strict backends refuse a request with one that is not. Scan accepts such text, as pdata
// does. The functions below find it and make it valid: each run of invalid bytes becomes one U+FFFD, as strings.ToValidUTF8
// has it. They read messages that have been scanned, or headers of ones that have.

// ValidText reports whether all text in the body of a Span is UTF-8.
func ValidText(span []byte) bool { return validText(&schema.Span, span, 0, 0) }

// ValidResourceText reports whether all text in the header of a ResourceSpans is UTF-8.
func ValidResourceText(header []byte) bool { return validText(&schema.ResourceSpans, header, 0, 0) }

// ValidScopeText reports whether all text in the header of a ScopeSpans is UTF-8.
func ValidScopeText(header []byte) bool { return validText(&schema.ScopeSpans, header, 0, 0) }

// AppendValidText appends the body of a Span with all text made UTF-8: attributes, names, trace states, messages, those of
// events and links included. All else stays byte by byte.
func AppendValidText(dst, span []byte) []byte { return appendValid(dst, &schema.Span, span) }

// AppendValidResourceText appends the header of a ResourceSpans with all text made UTF-8.
func AppendValidResourceText(dst, header []byte) []byte {
	return appendValid(dst, &schema.ResourceSpans, header)
}

// AppendValidScopeText appends the header of a ScopeSpans with all text made UTF-8.
func AppendValidScopeText(dst, header []byte) []byte {
	return appendValid(dst, &schema.ScopeSpans, header)
}

// asciiDepth is how deep in a message ASCII is looked for: each level reads its content again.
const asciiDepth = 4

// validText reports whether all text in the message that starts at pos and ends with b is UTF-8. A field of ASCII has no
// other text, whatever it is: nearly all are passed over so.
func validText(m *schema.Message, b []byte, pos, depth int) bool {
	for pos < len(b) {
		var f schema.Field
		// Most fields have a tag and a length of one byte; calls of next are what the rest costs.
		if tag := b[pos]; tag < 0x80 && tag >= 1<<3 && protobuf.Type(tag&7) == protobuf.TypeLen && pos+1 < len(b) && int(b[pos+1]) < 0x80 {
			f = schema.Field{Num: int32(tag >> 3), Start: pos + 2, End: pos + 2 + int(b[pos+1])}
		} else if protobuf.Type(tag&7) == protobuf.TypeFixed64 && tag < 0x80 {
			pos += 1 + 8
			continue
		} else {
			var err error
			if f, err = m.Next(b, pos); err != nil {
				return true // not after a scan
			}
		}
		pos = f.End
		t := m.Field(f.Num)
		if t.Type != protobuf.TypeLen || t.Size != 0 || pos > len(b) || depth < asciiDepth && ascii(b[f.Start:f.End]) {
			continue
		}
		if t.Message != nil && !number(t.Message, b[f.Start:f.End]) && !validText(t.Message, b[:f.End], f.Start, depth+1) ||
			m.IsText(t) && !utf8.Valid(b[f.Start:f.End]) {
			return false
		}
	}
	return true
}

// number reports whether a message is an attribute whose value is no text, and whose key is ASCII.
func number(m *schema.Message, kv []byte) bool {
	if m != &schema.KeyValue {
		return false
	}
	key, value, ok := schema.SplitPlain(kv)
	if !ok || len(value) == 0 || !ascii(key) {
		return false
	}
	switch value[0] {
	case schema.AnyValueFieldInt<<3 | byte(protobuf.TypeVarint):
		return len(value) == 2 || len(value) == 3 && value[1] >= 0x80
	case schema.AnyValueFieldDouble<<3 | byte(protobuf.TypeFixed64):
		return len(value) == 9
	}
	return false
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

func appendValid(dst []byte, m *schema.Message, b []byte) []byte {
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
func (r *textRepair) measure(m *schema.Message, b []byte, pos int) (size int, changes bool) {
	for from := pos; from < len(b); from = pos {
		f, err := m.Next(b, from)
		if err != nil {
			return size + len(b) - from, changes // not after a scan
		}
		pos = f.End
		inner, changed := f.End-f.Start, false
		switch t := m.Field(f.Num); {
		case t.Message != nil:
			n := len(r.sizes)
			r.sizes = append(r.sizes, unchanged)
			if inner, changed = r.measure(t.Message, b[:f.End], f.Start); changed {
				r.sizes[n] = inner
			} else {
				r.sizes = r.sizes[:n+1]
			}
		case m.IsText(t) && !utf8.Valid(b[f.Start:f.End]):
			inner, changed = len(bytes.ToValidUTF8(b[f.Start:f.End], replacement)), true
		}
		if !changed {
			size += f.End - from
			continue
		}
		changes = true
		size += protobuf.LenSize(inner) - 1 + len(protobuf.AppendTag(nil, f.Num))
	}
	return size, changes
}

// append appends the message that starts at pos and ends with b, valid.
func (r *textRepair) append(dst []byte, m *schema.Message, b []byte, pos int) []byte {
	for from := pos; from < len(b); from = pos {
		f, err := m.Next(b, from)
		if err != nil {
			return append(dst, b[from:]...) // not after a scan
		}
		pos = f.End
		t := m.Field(f.Num)
		if t.Message != nil {
			size := r.sizes[0]
			r.sizes = r.sizes[1:]
			if size != unchanged {
				dst = binary.AppendUvarint(protobuf.AppendTag(dst, f.Num), uint64(size))
				dst = r.append(dst, t.Message, b[:f.End], f.Start)
				continue
			}
		} else if m.IsText(t) && !utf8.Valid(b[f.Start:f.End]) {
			valid := bytes.ToValidUTF8(b[f.Start:f.End], replacement)
			dst = binary.AppendUvarint(protobuf.AppendTag(dst, f.Num), uint64(len(valid)))
			dst = append(dst, valid...)
			continue
		}
		dst = append(dst, b[from:f.End]...)
	}
	return dst
}

var replacement = []byte("\uFFFD")
