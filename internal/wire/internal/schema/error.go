package schema

import "fmt"

// Error says why bytes are no OTLP trace request.
type Error struct {
	// Offset is where in the bytes the offending field, or what there is of it, starts.
	Offset int
	// Field is the message and field, such as "Span.trace_id", or only the message.
	Field string
	// Reason is what is wrong.
	Reason string
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("malformed OTLP trace request at byte %d: %s: %s", e.Offset, e.Field, e.Reason)
}
