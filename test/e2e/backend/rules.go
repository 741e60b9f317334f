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

// rule says what some of the requests are answered. The first one that applies to a request is it.
type rule struct {
	// TraceID is one that a request has a span of; empty if any will do.
	TraceID string `json:"trace_id"`
	// Every is 3 for each third of those requests, and 0 or 1 for all.
	Every int `json:"every"`
	// Times is to how many requests the rule applies; 0 for all.
	Times int `json:"times"`
	// Code is answered by gRPC, Status by HTTP. Where a door's own is 0 and none of the below is set, the rule says nothing
	// about that door's requests.
	Code   codes.Code `json:"code"`
	Status int        `json:"status"`
	// RetryAfter is the time that it asks the sender to wait, in seconds.
	RetryAfter float64 `json:"retry_after"`
	Text       string  `json:"text"`
	// Hang leaves the request without an answer until the rules change or the sender goes away.
	Hang bool `json:"hang"`
	// Reject accepts the request, and says that so many spans of it were not stored.
	Reject int64 `json:"reject"`

	seen, applied int
	replaced      chan struct{} // closed when the rules change
}

// door is how a request came.
type door int

const (
	doorGRPC door = iota
	doorHTTP
)

// applies reports whether the rule is about a request, and counts that.
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

// wait returns when the rules changed or ctx has ended.
func (r *rule) wait(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-r.replaced:
	}
}

// status is the answer for gRPC.
func (r *rule) status() error {
	code := r.Code
	if code == codes.OK {
		code = codes.Unavailable // of a rule that let the request hang
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
