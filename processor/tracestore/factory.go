package tracestore

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/slowburn/slowburn/processor/tracestore/internal/metadata"
)

// NewFactory returns the factory of the exporter `trace_store`.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(
		metadata.Type,
		func() component.Config {
			return &Config{Directory: "slowburn-data", Retention: 24 * time.Hour, MaxBytes: 1 << 30}
		},
		exporter.WithTraces(newTraces, metadata.TracesStability),
	)
}

func newTraces(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
	s, err := newStore(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	// No queue and no retries of the helper's: the store has a queue of its own, and never fails.
	return exporterhelper.NewTraces(ctx, set, cfg, s.consume,
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 0}),
		exporterhelper.WithStart(s.start),
		exporterhelper.WithShutdown(s.shutdown))
}
