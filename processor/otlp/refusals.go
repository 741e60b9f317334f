package otlp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/otlp/internal/intake"
	"github.com/slowburn/slowburn/processor/otlp/internal/metadata"
)

// Reasons of refusals, as the metric has them.
const (
	reasonConnections = "connections"
	reasonElements    = "elements"
	reasonBudget      = "intake_budget"
	reasonMalformed   = "malformed"
	reasonPanic       = "panic"
	reasonTimeout     = "receive_timeout"
	reasonTooLarge    = "too_large"
)

// refusal is why the receiver itself refuses a request. It is an error that statusOf answers as it says.
type refusal struct {
	reason string
	status *status.Status
	code   int // of HTTP
}

// Error implements error.
func (r *refusal) Error() string { return r.status.Message() }

// GRPCStatus lets package status find the status.
func (r *refusal) GRPCStatus() *status.Status { return r.status }

// malformed refuses what is no OTLP request.
func malformed(message string) error {
	return &refusal{reasonMalformed, status.New(codes.InvalidArgument, message), http.StatusBadRequest}
}

// errLate refuses what does not arrive in time. A sender whose network stood still may try again.
var errLate = &refusal{reasonTimeout, status.New(codes.Unavailable, "the request did not arrive within receive_timeout"), http.StatusServiceUnavailable}

// refused returns the refusal that an error of package intake amounts to. It returns other errors as they are.
func (e *entrance) refused(err error) error {
	tooLarge := func(message string) error {
		code := codes.InvalidArgument
		if e.transport == "grpc" {
			code = codes.ResourceExhausted // as gRPC itself has it; without a delay it is final
		}
		return &refusal{reasonTooLarge, status.New(code, message), http.StatusRequestEntityTooLarge}
	}
	var large *intake.TooLargeError
	switch {
	case errors.Is(err, intake.ErrSpent):
		return &refusal{reasonBudget, status.New(codes.ResourceExhausted, err.Error()), http.StatusTooManyRequests}
	case errors.Is(err, intake.ErrTooLong):
		return tooLarge("the decompressed body is over the limit: send smaller batches, or raise " + e.key)
	case errors.As(err, &large):
		return tooLarge(large.Error())
	}
	return err
}

// refusals counts what the receiver refuses, and reports what its budget holds. It may be used concurrently.
type refusals struct {
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	logged    atomic.Int64 // when a panic was last logged, in nanoseconds since the Unix epoch
	grpc      atomic.Pointer[intake.Listener]
	http      atomic.Pointer[intake.Listener]
}

func newRefusals(set component.TelemetrySettings, budget *intake.Budget) (*refusals, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	r := &refusals{logger: set.Logger, telemetry: telemetry}
	observe := func(read func() int64) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(read())
			return nil
		}
	}
	return r, errors.Join(
		telemetry.RegisterReceiverOtlpIntakeBudgetBytesCallback(observe(budget.Limit)),
		telemetry.RegisterReceiverOtlpIntakeReservedBytesCallback(observe(budget.Reserved)),
		telemetry.RegisterReceiverOtlpOpenConnectionsCallback(func(_ context.Context, o metric.Int64Observer) error {
			for transport, l := range map[string]*intake.Listener{"grpc": r.grpc.Load(), "http": r.http.Load()} {
				if l != nil {
					o.Observe(l.Open(), metric.WithAttributes(attribute.String("transport", transport)))
				}
			}
			return nil
		}))
}

// stop ends the reports.
func (r *refusals) stop() { r.telemetry.Shutdown() }

// count counts a refusal.
func (r *refusals) count(ctx context.Context, reason, transport string) {
	r.telemetry.ReceiverOtlpRefusedRequests.Add(ctx, 1, metric.WithAttributeSet(attribute.NewSet(
		attribute.String("reason", reason), attribute.String("transport", transport))))
}

// reject counts spans that a request was taken without.
func (r *refusals) reject(ctx context.Context, spans int, reason string) {
	r.telemetry.ReceiverOtlpRejectedSpans.Add(ctx, int64(spans), metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", reason))))
}

// maxStack is how much of a stack is logged.
const maxStack = 8 << 10

// panicked reports a panic of a component, and returns what its sender is told: that another try is in vain, for the same
// bytes would make it panic again.
func (r *refusals) panicked(value any) error {
	now, last := clock.Now().UnixNano(), r.logged.Load()
	if now-last >= int64(logEvery) && r.logged.CompareAndSwap(last, now) {
		stack := debug.Stack()
		what := fmt.Sprint(value)
		r.logger.Error("a request was given up: a component behind this receiver panicked; others like it are only counted for a minute",
			zap.String("panic", what[:min(len(what), maxStack)]), zap.ByteString("stack", stack[:min(len(stack), maxStack)]))
	}
	return &refusal{reasonPanic, status.New(codes.Internal, "a component of the gateway failed on this request; its log says where"), http.StatusInternalServerError}
}
