package answer

import (
	"errors"

	"go.opentelemetry.io/collector/consumer/consumererror"
)

// Of returns what an error of a component means. Of one that is no Error, and says nothing of a status, a permanent one is
// about the data, and another is one to retry. It returns nil for nil.
func Of(err error) *Error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	case consumererror.IsPermanent(err):
		return &Error{Class: Data, Text: err.Error(), Cause: err}
	}
	return &Error{Class: Retry, Text: err.Error(), Cause: err}
}
