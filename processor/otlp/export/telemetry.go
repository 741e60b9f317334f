package export

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/slowburn/slowburn/internal/items"
	"github.com/slowburn/slowburn/processor/otlp/export/internal/metadata"
)

// telemetry holds the counters and loggers of an exporter.
type telemetry struct {
	*metadata.TelemetryBuilder
	log      *zap.Logger
	seldom   *zap.Logger     // logs each message at most once a minute
	items    *items.Exporter // counts spans sent as bytes
	exporter metric.MeasurementOption
}

func newTelemetry(set exporter.Settings, server []attribute.KeyValue) (*telemetry, error) {
	builder, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	counted, err := items.NewExporter(set.TelemetrySettings, set.ID, server...)
	if err != nil {
		return nil, err
	}
	return &telemetry{
		TelemetryBuilder: builder,
		log:              set.Logger,
		seldom: set.Logger.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core {
			return zapcore.NewSamplerWithOptions(core, time.Minute, 1, 0)
		})),
		items:    counted,
		exporter: metric.WithAttributeSet(attribute.NewSet(attribute.String("exporter", set.ID.String()))),
	}, nil
}

// limited records the size limit of requests.
func (t *telemetry) limited(size int) {
	t.ExporterOtlpRequestLimitBytes.Record(context.Background(), int64(size), t.exporter)
}
