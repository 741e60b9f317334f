package items

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

const exporterScope = "go.opentelemetry.io/collector/exporter/exporterhelper"

// Exporter counts the spans that an exporter sends.
type Exporter struct {
	sent, failed metric.Int64Counter
	attributes   []metric.AddOption // a slice, so that a call allocates none
}

// NewExporter returns the Exporter of a component. Attributes must be those that it gives the helper.
func NewExporter(set component.TelemetrySettings, id component.ID, attributes ...attribute.KeyValue) (*Exporter, error) {
	meter := set.MeterProvider.Meter(exporterScope)
	sent, sentErr := meter.Int64Counter("otelcol_exporter_sent_spans",
		metric.WithDescription("Number of spans successfully sent to destination. [Alpha]"), metric.WithUnit("{span}"))
	failed, failedErr := meter.Int64Counter("otelcol_exporter_send_failed_spans",
		metric.WithDescription("Number of spans in failed attempts to send to destination. At detailed telemetry level, includes attributes: error.type (semantic convention), error.permanent. [Alpha]"), metric.WithUnit("{span}"))
	all := append(attributes[:len(attributes):len(attributes)], attribute.String("exporter", id.String()))
	return &Exporter{sent, failed, []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(all...))}}, errors.Join(sentErr, failedErr)
}

// Sent counts spans that arrived.
func (e *Exporter) Sent(ctx context.Context, spans int) {
	e.sent.Add(ctx, int64(spans), e.attributes...)
}

// Failed counts spans of a failed attempt.
func (e *Exporter) Failed(ctx context.Context, spans int) {
	e.failed.Add(ctx, int64(spans), e.attributes...)
}
