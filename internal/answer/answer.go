// Package answer interprets a backend's answer to traces: whether the backend has them, whether to send them again, and
// whether it refuses them, or the gateway itself.
//
// Its types are Class (the meaning of an answer) and Error (an answer other than acceptance: exporters return it, and delivery
// follows it). Of returns the Error for any error of a component. An Error does not change; there are no locks.
//
// References: the OTLP specification, "Failures" of OTLP/gRPC and OTLP/HTTP, and "Throttling"; docs/delivery.md has the table.
package answer

import (
	"fmt"
	"time"
)

// Class is the meaning of an answer.
type Class uint8

// The classes of answers.
const (
	// Accepted: the destination has the traces.
	Accepted Class = iota
	// Retry: it may accept them later. It did not answer, or is busy.
	Retry
	// TooLarge: the request is too large for it. Exporters then send smaller ones; an exporter that returns this class has
	// a single span that is still too large after trimming.
	TooLarge
	// Data: it refuses the contents of the request, for good.
	Data
	// Gateway: it refuses the sender, or has no such service, whatever the request contains.
	Gateway
	// Either: it failed, because of the data or by itself.
	Either
)

var classNames = [...]string{"accepted", "retry", "too_large", "data", "gateway", "either"}

// String returns the name of the class in the API.
func (c Class) String() string { return classNames[c] }

// Error is an answer other than acceptance.
type Error struct {
	Class Class
	// Code is the destination's status, such as "HTTP 503" or "UNAVAILABLE". It is empty if there was no answer.
	Code string
	// Text is the destination's message, or why there was no answer.
	Text string
	// Delay is the retry delay that the destination asks for; 0 if it does not.
	Delay time.Duration
	// Cause is the original error, for errors.Is and As.
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
