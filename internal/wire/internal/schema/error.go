package schema

import "fmt"

// Error says why bytes are not an OTLP trace request.
type Error struct {
	// Offset is where the offending field starts in the bytes.
	Offset int
	// Field is the message and field, such as "Span.trace_id", or only the message.
	Field string
	// Reason is the mistake.
	Reason string
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("malformed OTLP trace request at byte %d: %s: %s", e.Offset, e.Field, e.Reason)
}
