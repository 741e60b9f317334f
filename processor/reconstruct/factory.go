package reconstruct

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"

	"github.com/slowburn/slowburn/internal/items"
	"github.com/slowburn/slowburn/processor/reconstruct/internal/metadata"
	"github.com/slowburn/slowburn/processor/trace/assemble"
)

// NewFactory returns the factory of the processor `reconstruct`.
func NewFactory() processor.Factory {
	return processor.NewFactory(
		metadata.Type,
		func() component.Config { return &Config{MaxSpans: defaultMaxSpans} },
		processor.WithTraces(newTraces, metadata.TracesStability),
	)
}

func newTraces(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	a := &annotator{
		maxSpans:    cfg.(*Config).MaxSpans,
		reconstruct: (*assemble.Batch).Trace,
		logger:      set.Logger,
		telemetry:   telemetry,
	}
	p, err := processorhelper.NewTraces(ctx, set, cfg, next, a.decoded,
		processorhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		processorhelper.WithShutdown(func(context.Context) error { telemetry.Shutdown(); return nil }))
	if err != nil {
		return nil, err
	}
	counted, err := items.NewProcessor(set.TelemetrySettings, set.ID)
	return doors{p, a, next, counted}, err
}
