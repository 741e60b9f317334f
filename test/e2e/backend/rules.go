package main

import (
	"context"
	"encoding/hex"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// rule sets the answer to some of the requests. The first rule that applies to a request decides.
type rule struct {
	// TraceID limits the rule to requests with a span of this trace; empty for all.
	TraceID string `json:"trace_id"`
	// Every limits the rule to each nth of those requests; 0 and 1 for all.
	Every int `json:"every"`
	// Times is the largest number of requests that the rule applies to; 0 for all.
	Times int `json:"times"`
	// Code is the answer over gRPC, Status over HTTP. If that of a protocol is 0, and neither Hang nor Reject is set, the rule does not
	// apply to its requests.
	Code   codes.Code `json:"code"`
	Status int        `json:"status"`
	// RetryAfter is the answered delay of a retry, in seconds.
	RetryAfter float64 `json:"retry_after"`
	Text       string  `json:"text"`
	// Hang delays the answer until the rules change or the sender cancels.
	Hang bool `json:"hang"`
	// Reject is the number of spans that a partial success rejects; the request is accepted.
	Reject int64 `json:"reject"`

	seen, applied int
	replaced      chan struct{} // closed when the rules change
}

// door is the protocol of a request.
type door int

const (
	doorGRPC door = iota
	doorHTTP
)

// applies reports whether the rule applies to a request, and counts the request.
func (r *rule) applies(from door, td ptrace.Traces) bool {
	switch {
	case r.Hang || r.Reject > 0:
	case from == doorGRPC && r.Code == codes.OK, from == doorHTTP && r.Status == 0:
		return false
	}
	if r.Times > 0 && r.applied == r.Times || r.TraceID != "" && !holds(td, r.TraceID) {
		return false
	}
	if r.seen++; r.Every > 1 && r.seen%r.Every != 0 {
		return false
	}
	r.applied++
	return true
}

func holds(td ptrace.Traces, traceID string) bool {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				if id := span.TraceID(); hex.EncodeToString(id[:]) == traceID {
					return true
				}
			}
		}
	}
	return false
}

// wait returns when the rules change or ctx ends.
func (r *rule) wait(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-r.replaced:
	}
}

// status returns the answer over gRPC.
func (r *rule) status() error {
	code := r.Code
	if code == codes.OK {
		code = codes.Unavailable // the rule let the request hang
	}
	s := status.New(code, r.Text)
	if r.RetryAfter > 0 {
		delay := durationpb.New(time.Duration(r.RetryAfter * float64(time.Second)))
		if with, err := s.WithDetails(&errdetails.RetryInfo{RetryDelay: delay}); err == nil {
			s = with
		}
	}
	return s.Err()
}
