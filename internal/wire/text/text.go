// Package text makes the text in spans and in the headers of their resources and scopes valid UTF-8.
//
// protobuf's strings are UTF-8, and strict backends refuse a request with one that is not. Request.Scan of package wire accepts
// such text, as pdata does. The functions here find it and replace each run of invalid bytes by one U+FFFD, like
// strings.ToValidUTF8. They read scanned messages, or headers of such.
package text

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/slowburn/slowburn/internal/wire/internal/schema"
	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// ValidSpan reports whether all text in the body of a Span is UTF-8.
func ValidSpan(span []byte) bool { return validMessage(&schema.Span, span, 0, 0) }

// ValidResource reports whether all text in the header of a ResourceSpans is UTF-8.
func ValidResource(header []byte) bool { return validMessage(&schema.ResourceSpans, header, 0, 0) }

// ValidScope reports whether all text in the header of a ScopeSpans is UTF-8.
func ValidScope(header []byte) bool { return validMessage(&schema.ScopeSpans, header, 0, 0) }

// AppendValidSpan appends the body of a Span with all text made valid: attributes, names, trace states, messages,
// including those of events and links. The other bytes stay the same.
func AppendValidSpan(dst, span []byte) []byte { return appendValid(dst, &schema.Span, span) }

// AppendValidResource appends the header of a ResourceSpans with all text made valid.
func AppendValidResource(dst, header []byte) []byte {
	return appendValid(dst, &schema.ResourceSpans, header)
}

// AppendValidScope appends the header of a ScopeSpans with all text made valid.
func AppendValidScope(dst, header []byte) []byte {
	return appendValid(dst, &schema.ScopeSpans, header)
}

// asciiDepth is the depth to which messages are checked for being ASCII: each level reads its content again.
const asciiDepth = 4

// validMessage reports whether all text in the message that starts at pos and ends with b is UTF-8. A field of ASCII needs
// no further check, whatever it contains: nearly all are.
func validMessage(m *schema.Message, b []byte, pos, depth int) bool {
	for pos < len(b) {
		var f schema.Field
		// Most fields have a tag and a length of one byte; calls of next are most of the remaining cost.
		if tag := b[pos]; tag < 0x80 && tag >= 1<<3 && protobuf.Type(tag&7) == protobuf.TypeLen && pos+1 < len(b) && int(b[pos+1]) < 0x80 {
			f = schema.Field{Num: int32(tag >> 3), Start: pos + 2, End: pos + 2 + int(b[pos+1])}
		} else if protobuf.Type(tag&7) == protobuf.TypeFixed64 && tag < 0x80 {
			pos += 1 + 8
			continue
		} else {
			var err error
			if f, err = m.Next(b, pos); err != nil {
				return true // cannot happen after a scan
			}
		}
		pos = f.End
		t := m.Field(f.Num)
		if t.Type != protobuf.TypeLen || t.Size != 0 || pos > len(b) || depth < asciiDepth && ascii(b[f.Start:f.End]) {
			continue
		}
		if t.Message != nil && !number(t.Message, b[f.Start:f.End]) && !validMessage(t.Message, b[:f.End], f.Start, depth+1) ||
			m.IsText(t) && !utf8.Valid(b[f.Start:f.End]) {
			return false
		}
	}
	return true
}

// number reports whether a message is an attribute with an ASCII key and without a text value.
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
