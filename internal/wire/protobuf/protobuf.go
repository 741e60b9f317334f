package protobuf

// Type is the layout of a protobuf field's content.
type Type uint8

// The types.
const (
	TypeVarint     Type = 0
	TypeFixed64    Type = 1
	TypeLen        Type = 2
	TypeStartGroup Type = 3
	TypeEndGroup   Type = 4
	TypeFixed32    Type = 5
)

// Varint reads a number at pos and returns the position after it, or an error code.
func Varint(b []byte, pos int) (uint64, int) {
	if pos < len(b) && b[pos] < 0x80 {
		return uint64(b[pos]), pos + 1
	}
	return LongVarint(b, pos)
}

// LongVarint is Varint for any length. Bits beyond the 64th are dropped, as in pdata.
func LongVarint(b []byte, pos int) (uint64, int) {
	var v uint64
	for shift := uint(0); shift < 64; shift += 7 {
		if pos >= len(b) {
			return 0, errTruncated
		}
		c := b[pos]
		pos++
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v, pos
		}
	}
	return 0, errOverflow
}

// Tag reads a field's number and wire type at pos and returns the position after it, or an error code. Field
// numbers are cut to 32 bits, as in pdata.
func Tag(b []byte, pos int) (int32, Type, int) {
	v, pos := Varint(b, pos)
	if pos < 0 {
		return 0, 0, pos
	}
	num := int32(v >> 3)
	if num <= 0 {
		return 0, 0, errFieldNumber
	}
	return num, Type(v & 7), pos
}

// Length reads the length at pos and returns the range of the content; start may be an error code.
func Length(b []byte, pos int) (start, end int) {
	n, pos := Varint(b, pos)
	if pos < 0 {
		return pos, 0
	}
	if n > uint64(len(b)-pos) {
		return errLength, 0
	}
	return pos, pos + int(n)
}

// Skip returns the position after the content, at pos, of an unknown field, or an error code.
//
// It reads groups as pdata does, so that what it accepts can be decoded there: it counts begins and ends without
// comparing their numbers, the first field with content ends the skipping (its siblings then count as fields of the
// message, and the end of their group as an error), and a group may not end the message.
func Skip(b []byte, pos int, typ Type) int {
	for depth := 0; pos < len(b); {
		switch typ {
		case TypeVarint:
			_, pos = Varint(b, pos)
			return pos
		case TypeFixed64:
			return Within(b, pos+8)
		case TypeFixed32:
			return Within(b, pos+4)
		case TypeLen:
			start, end := Length(b, pos)
			if start < 0 {
				return start
			}
			return end
		case TypeStartGroup:
			depth++
		case TypeEndGroup:
			if depth == 0 {
				return errGroup
			}
			if depth--; depth == 0 {
				return pos
			}
		default:
			return errWireType
		}
		if _, typ, pos = Tag(b, pos); pos < 0 {
			return pos
		}
	}
	return errTruncated
}

// Within returns end if b is that long, otherwise an error code.
func Within(b []byte, end int) int {
	if end > len(b) {
		return errTruncated
	}
	return end
}
