package memorylimiter

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/slowburn/slowburn/internal/items"
)

// scope is the scope of the Collector's metrics. Instruments with the same name, unit and description are one.
const scope = "go.opentelemetry.io/collector/processor/memorylimiterprocessor"

// telemetry counts spans that travel as bytes, under the Collector's metrics.
type telemetry struct {
	accepted, refused metric.Int64Counter
	attributes        []metric.AddOption // a slice, so that a call allocates none
	processor         *items.Processor
}

func newTelemetry(set processor.Settings) (*telemetry, error) {
	meter := set.MeterProvider.Meter(scope)
	accepted, acceptedErr := meter.Int64Counter("otelcol_processor_memory_limiter_accepted_spans", metric.WithUnit("{span}"),
		metric.WithDescription("Number of spans successfully pushed into the next component in the pipeline. [Alpha]"))
	refused, refusedErr := meter.Int64Counter("otelcol_processor_memory_limiter_refused_spans", metric.WithUnit("{span}"),
		metric.WithDescription("Number of spans that were rejected by the next component in the pipeline. [Alpha]"))
	p, err := items.NewProcessor(set.TelemetrySettings, set.ID)
	return &telemetry{accepted: accepted, refused: refused, processor: p, attributes: []metric.AddOption{metric.WithAttributeSet(
		attribute.NewSet(attribute.String("processor", set.ID.String())))}}, errors.Join(acceptedErr, refusedErr, err)
}

func (t *telemetry) accept(ctx context.Context, spans int) {
	t.accepted.Add(ctx, int64(spans), t.attributes...)
	t.processor.Passed(ctx, spans, spans)
}

func (t *telemetry) refuse(ctx context.Context, spans int) {
	t.refused.Add(ctx, int64(spans), t.attributes...)
	t.processor.Passed(ctx, spans, 0)
}
