package misdirected

import (
	"context"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/brief"
	"github.com/slowburn/slowburn/processor/otlp/internal/metadata"
)

// Requests counts, logs and answers the misdirected requests of a receiver.
type Requests struct {
	logger                  *zap.Logger
	telemetry               *metadata.TelemetryBuilder
	logged                  [numKinds]sync.Once
	tracesPath, metricsPath string
	grpc, http              atomic.Pointer[Port] // nil if the protocol is off
	answer                  Answer
	detached                *detached
}

// NewRequests returns the Requests of a receiver of OTLP over HTTP at these paths. Call Stop at the end.
func NewRequests(set component.TelemetrySettings, tracesPath, metricsPath string, answer Answer) (*Requests, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set)
	if err != nil {
		return nil, err
	}
	r := &Requests{logger: set.Logger, telemetry: telemetry, tracesPath: tracesPath, metricsPath: metricsPath, answer: answer}
	r.detached = newDetached(r)
	return r, nil
}

// OpenGRPC sets the gRPC port.
func (r *Requests) OpenGRPC(p *Port) { r.grpc.Store(p) }

// OpenHTTP sets the HTTP port.
func (r *Requests) OpenHTTP(p *Port) { r.http.Store(p) }

// Stop closes the connections of detached. Call it when no listener accepts any more.
func (r *Requests) Stop() error { return r.detached.stop() }

// request is a misdirected request.
type request struct {
	kind      Kind
	transport string // "grpc" or "http", of the port
	gRPC      bool   // it is gRPC
	host      string // the host that it was sent to
	what      string // the path or method
	from      string // the sender's address
}

// report counts a request, logs the first of its kind, and returns what to set.
func (r *Requests) report(ctx context.Context, q request) string {
	advice := brief.Text(r.advice(q), brief.Answer)
	r.telemetry.ReceiverOtlpMisdirectedRequests.Add(ctx, 1, metric.WithAttributeSet(attribute.NewSet(
		attribute.String("reason", q.kind.String()), attribute.String("transport", q.transport))))
	r.logged[q.kind].Do(func() {
		r.logger.Warn("request not for this port, others like it are only counted", zap.Stringer("reason", q.kind),
			zap.String("transport", q.transport), zap.String("from", q.from), zap.String("request", q.what),
			zap.String("advice", advice))
	})
	return advice
}
