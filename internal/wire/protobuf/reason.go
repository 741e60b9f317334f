package protobuf

import "fmt"

// Error codes that functions of this package return in place of a position.
const (
	errTruncated = -1 - iota
	errOverflow
	errLength
	errFieldNumber
	errWireType
	errGroup
)

// Reason translates an error code to words.
func Reason(code int) string {
	switch code {
	case errTruncated:
		return "ends in the middle of a field"
	case errOverflow:
		return "varint longer than 10 bytes"
	case errLength:
		return "length reaches beyond the enclosing message"
	case errFieldNumber:
		return "field number is not positive"
	case errWireType:
		return "wire type does not exist"
	case errGroup:
		return "end of a group that has not begun"
	default:
		return fmt.Sprintf("code %d", code)
	}
}
