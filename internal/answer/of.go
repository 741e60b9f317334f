package answer

import (
	"errors"
	"net/http"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Of interprets a component's error. If it is not an Error, its gRPC or Collector status decides. Without a status, a
// permanent error is about the data, and any other is to be retried. It returns nil for nil.
func Of(err error) *Error {
	var e *Error
	var told *consumererror.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	case errors.As(err, &told):
		return ofStatuses(told, err)
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

// ofStatuses is Of for an error that has both a gRPC and an HTTP status, one derived from the other. The HTTP status is the better
// one unless it is 500, which is also its value if there is none.
func ofStatuses(statuses *consumererror.Error, err error) *Error {
	if code := consumererror.ToHTTPStatus(statuses); code != http.StatusInternalServerError {
		e := fromStatus(consumererror.ToGRPCStatus(statuses), err)
		e.Class = httpClass(code)
		if e.Class != Retry {
			e.Delay = 0
		}
		e.Text = Words(statuses.Error())
		return e
	}
	e := fromStatus(consumererror.ToGRPCStatus(statuses), err)
	e.Text = Words(statuses.Error())
	return e
}
