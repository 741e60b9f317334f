package wire

import (
	"encoding/binary"
	"fmt"
)

// field is one field as read from the bytes.
type field struct {
	num        int32  // 0 if the message has no such field
	start, end int    // of the content; end is where the next field begins
	value      uint64 // of a varint, fixed64 or fixed32
}

// next reads the field at pos, which is less than len(b), of the message that ends with b. It does not look into
// submessages. Tags and lengths of one byte are read right here: nearly all are, and calls are what the rest costs.
func (m *message) next(b []byte, pos int) (field, error) {
	num, typ, start := int32(b[pos]>>3), wireType(b[pos]&7), pos+1
	if b[pos] >= 0x80 || num == 0 {
		if num, typ, start = tag(b, pos); start < 0 {
			return field{}, m.malformed(nil, pos, reason(start))
		}
	}
	t := m.field(num)
	if t.name == "" {
		end := skip(b, start, typ)
		if end < 0 {
			return field{}, m.malformed(nil, pos, fmt.Sprintf("unknown field %d: %s", num, reason(end)))
		}
		return field{start: start, end: end}, nil
	}
	if typ != t.typ {
		return field{}, m.malformed(t, pos, fmt.Sprintf("wire type is %d, want %d", typ, t.typ))
	}
	f := field{num: num, start: start}
	switch typ {
	case typeLen:
		if start < len(b) && b[start] < 0x80 && int(b[start]) < len(b)-start {
			f.start, f.end = start+1, start+1+int(b[start])
		} else if f.start, f.end = length(b, start); f.start < 0 {
			return field{}, m.malformed(t, pos, reason(f.start))
		}
		if t.size != 0 && f.end != f.start && f.end != f.start+int(t.size) {
			return field{}, m.malformed(t, pos, fmt.Sprintf("is %d bytes long, want %d or none", f.end-f.start, t.size))
		}
		return f, nil
	case typeVarint:
		f.value, f.end = varint(b, start)
	case typeFixed64:
		if f.end = within(b, start+8); f.end > 0 {
			f.value = binary.LittleEndian.Uint64(b[start:])
		}
	default:
		if f.end = within(b, start+4); f.end > 0 {
			f.value = uint64(binary.LittleEndian.Uint32(b[start:]))
		}
	}
	if f.end < 0 {
		return field{}, m.malformed(t, pos, reason(f.end))
	}
	return f, nil
}

func (m *message) malformed(t *fieldType, offset int, reason string) error {
	name := m.name
	if t != nil {
		name += "." + t.name
	}
	return &ScanError{Offset: offset, Field: name, Reason: reason}
}

// maxDepth is how deep messages may be nested within an attribute, event or link: what google.golang.org/protobuf
// allows. pdata has no limit and would let a request exhaust the stack.
const maxDepth = 10_000

// check walks the message that starts at pos and ends with b, and all in it. It reports whether there are fields that
// this version does not know.
func (m *message) check(b []byte, pos, depth int) (unknown bool, err error) {
	if depth > maxDepth {
		return false, m.malformed(nil, pos, fmt.Sprintf("nested deeper than %d messages", maxDepth))
	}
	if m == &keyValueMessage && plainAttribute(b[pos:]) {
		return false, nil
	}
	for pos < len(b) {
		f, err := m.next(b, pos)
		if err != nil {
			return false, err
		}
		pos = f.end
		if f.num == 0 {
			unknown = true
			continue
		}
		sub := m.field(f.num).msg
		if sub == nil {
			continue
		}
		u, err := sub.check(b[:f.end], f.start, depth+1)
		if err != nil {
			return false, err
		}
		unknown = unknown || u
	}
	return unknown, nil
}

// plainAttribute reports that kv is a valid KeyValue with a key and a value of a plain kind, laid out as exporters do.
func plainAttribute(kv []byte) bool {
	if len(kv) < 4 || kv[1] >= 0x80 {
		return false
	}
	i := 2 + int(kv[1]) // where the second of its two fields begins; see splitPlain
	if i+2 > len(kv) || kv[i+1] >= 0x80 || i+2+int(kv[i+1]) != len(kv) {
		return false
	}
	v := kv[i+2:]
	if kv[0] == valueTag && kv[i] == keyTag {
		v = kv[2:i]
	} else if kv[0] != keyTag || kv[i] != valueTag {
		return false
	}
	if len(v) < 2 {
		return len(v) == 0
	}
	switch v[0] {
	case 1<<3 | byte(typeLen), 7<<3 | byte(typeLen):
		return 2+int(v[1]) == len(v) // and less than 128, as v is
	case 2<<3 | byte(typeVarint), 3<<3 | byte(typeVarint):
		return len(v) == 2 && v[1] < 0x80 || len(v) == 3 && v[1] >= 0x80 && v[2] < 0x80
	case 4<<3 | byte(typeFixed64):
		return len(v) == 9
	}
	return false
}

// keyTag and valueTag are those of a KeyValue's fields.
const keyTag, valueTag = keyValueFieldKey<<3 | byte(typeLen), keyValueFieldValue<<3 | byte(typeLen)

// splitPlain returns the key and the value in kv, a KeyValue, if it consists of just these in either order (SDKs write
// the key first, the Collector the value), each shorter than 128 bytes. It is the short way past next.
func splitPlain(kv []byte) (key, value []byte, ok bool) {
	if len(kv) < 4 || kv[1] >= 0x80 {
		return nil, nil, false
	}
	i := 2 + int(kv[1])
	if i+2 > len(kv) || kv[i+1] >= 0x80 || i+2+int(kv[i+1]) != len(kv) {
		return nil, nil, false
	}
	switch {
	case kv[0] == keyTag && kv[i] == valueTag:
		return kv[2:i:i], kv[i+2:], true
	case kv[0] == valueTag && kv[i] == keyTag:
		return kv[i+2:], kv[2:i:i], true
	}
	return nil, nil, false
}
