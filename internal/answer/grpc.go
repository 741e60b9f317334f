package answer

import (
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// grpcClasses interprets gRPC's codes by the OTLP specification: the first group may be sent again, all others may not.
// The specification does not say whether the others concern the data or the gateway.
var grpcClasses = map[codes.Code]Class{
	codes.Canceled:         Retry,
	codes.DeadlineExceeded: Retry,
	codes.Aborted:          Retry,
	codes.OutOfRange:       Retry,
	codes.Unavailable:      Retry,
	codes.DataLoss:         Retry,

	codes.InvalidArgument:    Data,
	codes.FailedPrecondition: Data, // Tempo: a trace over its limit
	codes.AlreadyExists:      Data,

	codes.Unauthenticated:  Gateway,
	codes.PermissionDenied: Gateway,
	codes.Unimplemented:    Gateway,
	codes.NotFound:         Gateway, // as 404: a tenant or a data set is missing, whatever the request contains

	codes.Internal: Either,
	codes.Unknown:  Either,
}

// FromGRPC interprets the error of an RPC; nil for nil.
func FromGRPC(err error) *Error {
	if err == nil {
		return nil
	}
	s, ok := status.FromError(err)
	if !ok {
		return FromNetwork(err)
	}
	if s.Code() == codes.OK {
		return nil
	}
	return fromStatus(s, err)
}

func fromStatus(s *status.Status, err error) *Error {
	e := &Error{Code: codeName(s.Code()), Text: Words(s.Message()), Cause: err}
	var asked bool
	e.Delay, asked = retryDelay(s)
	class, known := grpcClasses[s.Code()]
	switch {
	case known:
		e.Class = class
	case s.Code() != codes.ResourceExhausted:
		e.Class = Either // an unknown code
	case asked:
		e.Class = Retry
	default:
		e.Class = TooLarge
	}
	if e.Class != Retry {
		e.Delay = 0
	}
	return e
}

// AboutSize reports whether a TooLarge is about the request's size, by its text. A quota also answers RESOURCE_EXHAUSTED,
// not always with a delay.
func (e *Error) AboutSize() bool {
	if e.Class != TooLarge {
		return false
	}
	if strings.HasPrefix(e.Code, "HTTP ") {
		return true
	}
	text := strings.ToLower(e.Text)
	for _, hint := range []string{"larger than max", "too large", "message size", "request size", "body size", "too big"} {
		if strings.Contains(text, hint) {
			return true
		}
	}
	return false
}

// retryDelay returns the delay in the status's RetryInfo, and whether there is one.
func retryDelay(s *status.Status) (delay time.Duration, ok bool) {
	for _, detail := range s.Details() {
		if info, is := detail.(*errdetails.RetryInfo); is {
			return max(0, info.GetRetryDelay().AsDuration()), true
		}
	}
	return 0, false
}

// codeName returns the name of a code in the specification, such as DEADLINE_EXCEEDED.
func codeName(c codes.Code) string {
	if name, known := code.Code_name[int32(c)]; known {
		return name
	}
	return "CODE_" + strconv.FormatUint(uint64(c), 10)
}
