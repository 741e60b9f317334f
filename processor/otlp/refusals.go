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

// Reasons of refusals in the metric.
const (
	reasonConnections = "connections"
	reasonElements    = "elements"
	reasonBudget      = "intake_budget"
	reasonMalformed   = "malformed"
	reasonPanic       = "panic"
	reasonTimeout     = "receive_timeout"
	reasonTooLarge    = "too_large"
)

// refusal is a refusal by the receiver itself, with its answer.
type refusal struct {
	reason string
	status *status.Status
	code   int // HTTP status code
}

// Error implements error.
func (r *refusal) Error() string { return r.status.Message() }

// GRPCStatus makes package status find the status.
func (r *refusal) GRPCStatus() *status.Status { return r.status }

// malformed refuses a body that is not an OTLP request.
func malformed(message string) error {
	return &refusal{reasonMalformed, status.New(codes.InvalidArgument, message), http.StatusBadRequest}
}

// errLate refuses a request that did not arrive in time. Its sender may retry, as the network may have been
// at fault.
var errLate = &refusal{reasonTimeout, status.New(codes.Unavailable, "the request did not arrive within receive_timeout"), http.StatusServiceUnavailable}

// refused returns the refusal for an error of package intake, and any other error as it is.
func (e *entrance) refused(err error) error {
	tooLarge := func(message string) error {
		code := codes.InvalidArgument
		if e.transport == "grpc" {
			code = codes.ResourceExhausted // as gRPC itself answers; without a delay it is final
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

// refusals counts the refusals of a receiver, and reports the use of its budget. It may be used concurrently.
type refusals struct {
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	logged    atomic.Int64 // the last log of a panic, in nanoseconds since the Unix epoch
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

// reject counts spans that were left out of an accepted request.
func (r *refusals) reject(ctx context.Context, spans int, reason string) {
	r.telemetry.ReceiverOtlpRejectedSpans.Add(ctx, int64(spans), metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", reason))))
}

// maxStack is the number of bytes of a stack that are logged.
const maxStack = 8 << 10

// panicked logs a panic of a component, and returns the answer for the sender: it is final, because the same bytes would
// cause the same panic.
func (r *refusals) panicked(value any) error {
	now, last := clock.Now().UnixNano(), r.logged.Load()
	if now-last >= int64(logEvery) && r.logged.CompareAndSwap(last, now) {
		stack := debug.Stack()
		what := fmt.Sprint(value)
		r.logger.Error("request given up, a component behind this receiver panicked; for a minute others are only counted",
			zap.String("panic", what[:min(len(what), maxStack)]), zap.ByteString("stack", stack[:min(len(stack), maxStack)]))
	}
	return &refusal{reasonPanic, status.New(codes.Internal, "a component of the gateway failed on this request; its log says where"), http.StatusInternalServerError}
}
