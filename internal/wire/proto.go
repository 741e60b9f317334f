package wire

import "encoding/binary"

// wireType says how the content of a protobuf field is laid out.
type wireType uint8

const (
	typeVarint     wireType = 0
	typeFixed64    wireType = 1
	typeLen        wireType = 2
	typeStartGroup wireType = 3
	typeEndGroup   wireType = 4
	typeFixed32    wireType = 5
)

// varint reads a number at pos and returns the position behind it, or an error code.
func varint(b []byte, pos int) (uint64, int) {
	if pos < len(b) && b[pos] < 0x80 {
		return uint64(b[pos]), pos + 1
	}
	return longVarint(b, pos)
}

// longVarint is varint for any length. Bits beyond the 64th are lost, as in pdata.
func longVarint(b []byte, pos int) (uint64, int) {
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

// tag reads a field's number and wire type at pos and returns the position behind it, or an error code.
// Field numbers are cut to 32 bits, as in pdata.
func tag(b []byte, pos int) (int32, wireType, int) {
	v, pos := varint(b, pos)
	if pos < 0 {
		return 0, 0, pos
	}
	num := int32(v >> 3)
	if num <= 0 {
		return 0, 0, errFieldNumber
	}
	return num, wireType(v & 7), pos
}

// length reads the length at pos and returns where the content starts and ends; an error code in place of the start.
func length(b []byte, pos int) (start, end int) {
	n, pos := varint(b, pos)
	if pos < 0 {
		return pos, 0
	}
	if n > uint64(len(b)-pos) {
		return errLength, 0
	}
	return pos, pos + int(n)
}

// skip returns the position behind the content, at pos, of a field that is not known, or an error code.
//
// Groups are read as pdata reads them, so that what is accepted here can be decoded there: begins and ends are counted
// without looking at their numbers, the first field with content ends the skipping (its siblings are then taken for
// fields of the message, and the end of their group for an error), and a group may not end the message.
func skip(b []byte, pos int, typ wireType) int {
	for depth := 0; pos < len(b); {
		switch typ {
		case typeVarint:
			_, pos = varint(b, pos)
			return pos
		case typeFixed64:
			return within(b, pos+8)
		case typeFixed32:
			return within(b, pos+4)
		case typeLen:
			start, end := length(b, pos)
			if start < 0 {
				return start
			}
			return end
		case typeStartGroup:
			depth++
		case typeEndGroup:
			if depth == 0 {
				return errGroup
			}
			if depth--; depth == 0 {
				return pos
			}
		default:
			return errWireType
		}
		if _, typ, pos = tag(b, pos); pos < 0 {
			return pos
		}
	}
	return errTruncated
}

func within(b []byte, end int) int {
	if end > len(b) {
		return errTruncated
	}
	return end
}

// appendLen appends a field of bytes with the tag, which has one byte, and its length.
func appendLen(dst []byte, tag byte, content []byte) []byte {
	dst = append(dst, tag)
	dst = binary.AppendUvarint(dst, uint64(len(content)))
	return append(dst, content...)
}

// TooDeep reports that decoding b, a protobuf message of any type, could take more than 10,000 nested messages, which is
// where google.golang.org/protobuf stops. pdata recurses without a limit: 20 MB of nested attribute values are enough
// to exhaust the stack, which ends the process. Requests that were Scanned are known not to be.
//
// It knows no schema, so it takes every field that could be a message for one. Text cannot be that deep by chance: each
// level has to hold the length of all that follows.
func TooDeep(b []byte) bool {
	if len(b) < 2*maxDepth { // each level takes a tag and a length
		return false
	}
	ends := []int{len(b)}
	for pos := 0; len(ends) > 0; {
		end := ends[len(ends)-1]
		if pos >= end {
			ends = ends[:len(ends)-1]
			continue
		}
		_, typ, next := tag(b[:end], pos)
		if next >= 0 && typ == typeLen {
			var inner int
			if next, inner = length(b[:end], next); next >= 0 {
				if ends = append(ends, inner); len(ends) > maxDepth {
					return true
				}
			}
		} else if next >= 0 {
			next = skip(b[:end], next, typ)
		}
		if next < 0 { // no message, or a malformed one, which decoding stops at
			next = end
		}
		pos = next
	}
	return false
}
