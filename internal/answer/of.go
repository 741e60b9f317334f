package answer

import (
	"errors"
	"net/http"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Of returns what an error of a component means. Of one that is no Error it goes by the status in it: gRPC's, or the
// Collector's. Where there is none, a permanent one is about the data, and another is one to retry. It returns nil for nil.
func Of(err error) *Error {
	var e *Error
	var told *consumererror.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	case errors.As(err, &told):
		return ofTold(told, err)
	}
	if s, ok := status.FromError(err); ok && s.Code() != codes.OK {
		e = fromStatus(s, err)
	} else {
		e = &Error{Class: Retry, Text: Words(err.Error()), Cause: err}
	}
	if e.Class == Retry && consumererror.IsPermanent(err) {
		e.Class, e.Delay = Data, 0
	}
	return e
}

// ofTold is Of for an error that has a status for gRPC and one for HTTP, of which it derives one from the other. That for HTTP
// is the better one where it is not 500, which is what it is too if there is none.
func ofTold(told *consumererror.Error, err error) *Error {
	if code := consumererror.ToHTTPStatus(told); code != http.StatusInternalServerError {
		e := fromStatus(consumererror.ToGRPCStatus(told), err)
		e.Class = httpClass(code)
		if e.Class != Retry {
			e.Delay = 0
		}
		e.Text = Words(told.Error())
		return e
	}
	e := fromStatus(consumererror.ToGRPCStatus(told), err)
	e.Text = Words(told.Error())
	return e
}
