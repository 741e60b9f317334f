package wire

import "fmt"

// ScanError says why bytes are no OTLP trace request.
type ScanError struct {
	// Offset is where in the bytes the offending field, or what there is of it, starts.
	Offset int
	// Field is the message and field, such as "Span.trace_id", or only the message.
	Field string
	// Reason is what is wrong.
	Reason string
}

// Error implements error.
func (e *ScanError) Error() string {
	return fmt.Sprintf("malformed OTLP trace request at byte %d: %s: %s", e.Offset, e.Field, e.Reason)
}

// Codes that functions of this package return in place of a position.
const (
	errTruncated = -1 - iota
	errOverflow
	errLength
	errFieldNumber
	errWireType
	errGroup
)

func reason(code int) string {
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
