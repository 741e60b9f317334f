package otlp

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/slowburn/slowburn/internal/brief"
)

// retryAfter is the retry delay for senders. Exporters add jitter and back off by themselves.
const retryAfter = time.Second

// statusOf returns OTLP's answer to the error of a door: over gRPC the status, over HTTP the code with the status as the body.
//
// A refusal of the receiver itself has its answer. A status or code that the error carries is passed on. Otherwise a permanent error is the
// server's fault and final, a cancelled or late request is unavailable, and everything else is back-pressure. A permanent error is never
// answered with a code that makes the sender retry, and what is retryable says after how long.
//
// The message is cut: it repeats what the client sent.
func statusOf(err error) (*status.Status, int) {
	permanent := consumererror.IsPermanent(err)
	s, code := carriedStatus(err)
	refusal, ours := errors.AsType[*refusal](err)
	switch {
	case ours:
		s, code = refusal.status, refusal.code
		if code == http.StatusRequestEntityTooLarge {
			return s, code // without a delay, so that ResourceExhausted is final
		}
	case s != nil && (!permanent || !retryable(s.Code())):
	case permanent:
		s, code = status.New(codes.Internal, err.Error()), http.StatusInternalServerError
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		s, code = status.New(codes.Unavailable, err.Error()), http.StatusServiceUnavailable
	default:
		s, code = status.New(codes.ResourceExhausted, err.Error()), http.StatusTooManyRequests
	}
	s = briefly(s)
	if _, told := retryDelay(s); !told && retryable(s.Code()) {
		if with, err := s.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retryAfter)}); err == nil {
			s = with
		}
	}
	return s, code
}

// carriedStatus returns the status and HTTP code that came with the error, or nil.
func carriedStatus(err error) (*status.Status, int) {
	if e, ok := errors.AsType[*consumererror.Error](err); ok {
		s, code := consumererror.ToGRPCStatus(e), consumererror.ToHTTPStatus(e)
		if s.Code() == codes.Unknown && code >= http.StatusBadRequest && code < http.StatusInternalServerError {
			s = status.New(codes.InvalidArgument, s.Message()) // the request's own fault, 413 for one
		}
		return s, code
	}
	if s, ok := status.FromError(err); ok && s.Code() != codes.OK {
		return s, consumererror.ToHTTPStatus(consumererror.NewOTLPGRPCError(err, s))
	}
	return nil, 0
}

// retryable reports whether a code makes a sender retry, by the OTLP specification (ResourceExhausted only with
// RetryInfo).
func retryable(c codes.Code) bool {
	switch c {
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.Unavailable, codes.DataLoss, codes.ResourceExhausted:
		return true
	}
	return false
}

// retryDelay returns the delay in the status.
func retryDelay(s *status.Status) (time.Duration, bool) {
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration(), true
		}
	}
	return 0, false
}

// briefly returns the status with its message shortened.
func briefly(s *status.Status) *status.Status {
	if len(s.Message()) <= brief.Answer {
		return s
	}
	p := s.Proto()
	p.Message = brief.Text(p.GetMessage(), brief.Answer)
	return status.FromProto(p)
}

// statusFromHTTP returns the status for the HTTP code of a refusal.
func statusFromHTTP(message string, code int) *status.Status {
	s := consumererror.ToGRPCStatus(consumererror.NewOTLPHTTPError(errors.New(message), code))
	if s.Code() == codes.Unknown && code < http.StatusInternalServerError {
		return status.New(codes.InvalidArgument, message)
	}
	return s
}
