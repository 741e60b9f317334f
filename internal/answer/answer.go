// Package answer says what the answer of a backend means for the traces that it was sent: whether it has them, whether to
// send them again, and whether it refuses them, or the gateway itself.
//
// Its types are Class (what an answer means) and Error (an answer that is not acceptance: exporters return it, delivery goes
// by it). Of returns the Error for any error of a component. An Error does not change; there are no locks.
//
// References: the OTLP specification, "Failures" of OTLP/gRPC and OTLP/HTTP, and "Throttling"; docs/delivery.md has the table.
package answer

import (
	"fmt"
	"time"
)

// Class is what an answer means.
type Class uint8

// The classes of answers.
const (
	// Accepted: the destination has the traces.
	Accepted Class = iota
	// Retry: it may accept them later. Nobody answered, or it is busy.
	Retry
	// TooLarge: the request is larger than it takes. The exporter sends smaller ones; that it returns this class means that
	// a single span, made as small as it can be, is still too large.
	TooLarge
	// Data: it refuses what is in the request, for good.
	Data
	// Gateway: it refuses whoever sends, or has no such service, whatever is in the request.
	Gateway
	// Either: it failed, which can be for the data or for itself.
	Either
)

var classNames = [...]string{"accepted", "retry", "too_large", "data", "gateway", "either"}

// String returns the name of the class, as the API has it.
func (c Class) String() string { return classNames[c] }

// Error is an answer other than acceptance.
type Error struct {
	Class Class
	// Code is what the destination answered, such as "HTTP 503" or "UNAVAILABLE". It is empty where nobody answered.
	Code string
	// Text is the destination's words, or why nobody answered.
	Text string
	// Delay is how long the destination asks to wait; 0 if it does not say.
	Delay time.Duration
	// Cause is the error that this was made of, which errors.Is and As see.
	Cause error
}

// Error implements error.
func (e *Error) Error() string {
	switch {
	case e.Code == "":
		return e.Text
	case e.Text == "":
		return e.Code
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Text)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }
