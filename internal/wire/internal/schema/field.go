package schema

import (
	"encoding/binary"
	"fmt"

	"github.com/slowburn/slowburn/internal/wire/protobuf"
)

// Field is one field as read from the bytes.
type Field struct {
	Num        int32  // 0 if the message has no such field
	Start, End int    // of the content; the next field begins at End
	Value      uint64 // of a varint, fixed64 or fixed32
}

// Next reads the field at pos, which is less than len(b), of the message that ends with b. It does not look into
// submessages. It reads tags and lengths of one byte, which nearly all are, without calls, because calls are most
// of the remaining cost.
func (m *Message) Next(b []byte, pos int) (Field, error) {
	num, typ, start := int32(b[pos]>>3), protobuf.Type(b[pos]&7), pos+1
	if b[pos] >= 0x80 || num == 0 {
		if num, typ, start = protobuf.Tag(b, pos); start < 0 {
			return Field{}, m.Malformed(nil, pos, protobuf.Reason(start))
		}
	}
	t := m.Field(num)
	if t.name == "" {
		end := protobuf.Skip(b, start, typ)
		if end < 0 {
			return Field{}, m.Malformed(nil, pos, fmt.Sprintf("unknown field %d: %s", num, protobuf.Reason(end)))
		}
		return Field{Start: start, End: end}, nil
	}
	if typ != t.Type {
		return Field{}, m.Malformed(t, pos, fmt.Sprintf("wire type is %d, want %d", typ, t.Type))
	}
	f := Field{Num: num, Start: start}
	switch typ {
	case protobuf.TypeLen:
		if start < len(b) && b[start] < 0x80 && int(b[start]) < len(b)-start {
			f.Start, f.End = start+1, start+1+int(b[start])
		} else if f.Start, f.End = protobuf.Length(b, start); f.Start < 0 {
			return Field{}, m.Malformed(t, pos, protobuf.Reason(f.Start))
		}
		if t.Size != 0 && f.End != f.Start && f.End != f.Start+int(t.Size) {
			return Field{}, m.Malformed(t, pos, fmt.Sprintf("is %d bytes long, want %d or none", f.End-f.Start, t.Size))
		}
		return f, nil
	case protobuf.TypeVarint:
		f.Value, f.End = protobuf.Varint(b, start)
	case protobuf.TypeFixed64:
		if f.End = protobuf.Within(b, start+8); f.End > 0 {
			f.Value = binary.LittleEndian.Uint64(b[start:])
		}
	default:
		if f.End = protobuf.Within(b, start+4); f.End > 0 {
			f.Value = uint64(binary.LittleEndian.Uint32(b[start:]))
		}
	}
	if f.End < 0 {
		return Field{}, m.Malformed(t, pos, protobuf.Reason(f.End))
	}
	return f, nil
}

// Malformed returns the error for a field of the message, or for the message itself if t is nil.
func (m *Message) Malformed(t *FieldType, offset int, reason string) error {
	name := m.name
	if t != nil {
		name += "." + t.name
	}
	return &Error{Offset: offset, Field: name, Reason: reason}
}

// Check checks the message that starts at pos and ends with b, with all nested ones. It reports whether there are
// unknown fields.
func (m *Message) Check(b []byte, pos, depth int) (unknown bool, err error) {
	if depth > protobuf.MaxDepth {
		return false, m.Malformed(nil, pos, fmt.Sprintf("nested deeper than %d messages", protobuf.MaxDepth))
	}
	if m == &KeyValue && PlainAttribute(b[pos:]) {
		return false, nil
	}
	for pos < len(b) {
		f, err := m.Next(b, pos)
		if err != nil {
			return false, err
		}
		pos = f.End
		if f.Num == 0 {
			unknown = true
			continue
		}
		sub := m.Field(f.Num).Message
		if sub == nil {
			continue
		}
		u, err := sub.Check(b[:f.End], f.Start, depth+1)
		if err != nil {
			return false, err
		}
		unknown = unknown || u
	}
	return unknown, nil
}
