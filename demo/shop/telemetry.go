package shop

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"go.opentelemetry.io/otel/sdk/resource"
)

// telemetry is the SDK of one process: a tracer provider that exports to the gateway.
type telemetry struct {
	*sdktrace.TracerProvider
}

// process identifies a process.
type process struct {
	service, version, host string
	pid                    int
	// clock returns how far this process's clock is ahead.
	clock func() time.Duration
}

func newTelemetry(ctx context.Context, endpoint string, p process) (*telemetry, error) {
	exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithEndpoint(endpoint), otlptracegrpc.WithInsecure())
	if err != nil {
		return nil, err
	}
	res := resource.NewSchemaless(
		attribute.String("service.namespace", "shop"),
		attribute.String("service.name", p.service),
		attribute.String("service.version", p.version),
		attribute.String("service.instance.id", p.service+"-"+p.version+"-1"),
		attribute.String("deployment.environment.name", "demo"),
		attribute.String("host.name", p.host),
		attribute.Int("process.pid", p.pid),
	)
	return &telemetry{sdktrace.NewTracerProvider(
		sdktrace.WithResource(res),
		sdktrace.WithBatcher(skewed{exporter, p.clock}, sdktrace.WithBatchTimeout(time.Second)),
	)}, nil
}

// stop exports the remaining spans.
func (t *telemetry) stop(ctx context.Context) error {
	return errors.Join(t.ForceFlush(ctx), t.Shutdown(ctx))
}

// skewed exports spans with the timestamps of a clock that is ahead.
type skewed struct {
	*otlptrace.Exporter
	ahead func() time.Duration
}

func (s skewed) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	ahead := s.ahead()
	if ahead == 0 {
		return s.Exporter.ExportSpans(ctx, spans)
	}
	moved := make(tracetest.SpanStubs, len(spans))
	for i, span := range spans {
		moved[i] = tracetest.SpanStubFromReadOnlySpan(span)
		moved[i].StartTime = moved[i].StartTime.Add(ahead)
		moved[i].EndTime = moved[i].EndTime.Add(ahead)
		for j := range moved[i].Events {
			moved[i].Events[j].Time = moved[i].Events[j].Time.Add(ahead)
		}
	}
	return s.Exporter.ExportSpans(ctx, moved.Snapshots())
}
