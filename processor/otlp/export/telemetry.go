package export

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/slowburn/slowburn/processor/otlp/export/internal/metadata"
)

// telemetry is what an exporter counts and logs.
type telemetry struct {
	*metadata.TelemetryBuilder
	log    *zap.Logger
	seldom *zap.Logger // each message at most once a minute
	// sent and failed are the exporterhelper's own metrics: what leaves as bytes does not go through it.
	sent, failed metric.Int64Counter
	ofHelper     metric.MeasurementOption
	exporter     metric.MeasurementOption
}

const helperScope = "go.opentelemetry.io/collector/exporter/exporterhelper"

func newTelemetry(set exporter.Settings, server []attribute.KeyValue) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	id := attribute.String("exporter", set.ID.String())
	meter := set.MeterProvider.Meter(helperScope)
	sent, sentErr := meter.Int64Counter("otelcol_exporter_sent_spans",
		metric.WithDescription("Number of spans successfully sent to destination. [Alpha]"), metric.WithUnit("{span}"))
	failed, failedErr := meter.Int64Counter("otelcol_exporter_send_failed_spans",
		metric.WithDescription("Number of spans in failed attempts to send to destination. At detailed telemetry level, includes attributes: error.type (semantic convention), error.permanent. [Alpha]"), metric.WithUnit("{span}"))
	return &telemetry{
		TelemetryBuilder: builder,
		log:              set.Logger,
		seldom: set.Logger.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
			return zapcore.NewSamplerWithOptions(core, time.Minute, 1, 0)
		})),
		sent: sent, failed: failed,
		ofHelper: metric.WithAttributeSet(attribute.NewSet(append(server, id)...)),
		exporter: metric.WithAttributeSet(attribute.NewSet(id)),
	}, errors.Join(sentErr, failedErr)
}

// limited reports how large a request may be.
func (t *telemetry) limited(size int) {
	t.ExporterOtlpRequestLimitBytes.Record(context.Background(), int64(size), t.exporter)
}
