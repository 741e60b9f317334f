package reconstruct

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"

	"github.com/slowburn/slowburn/processor/reconstruct/internal/metadata"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/handover"
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
		reconstruct: assemble.Trace,
		logger:      set.Logger,
		telemetry:   telemetry,
	}
	p, err := processorhelper.NewTraces(ctx, set, cfg, next, a.process,
		processorhelper.WithCapabilities(consumer.Capabilities{MutatesData: true}),
		processorhelper.WithShutdown(func(context.Context) error { telemetry.Shutdown(); return nil }))
	return handing{p}, err
}

// handing lets components further down, which the helper calls, see what the processor found.
type handing struct{ processor.Traces }

func (h handing) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	ctx, found := handover.NewContext(ctx)
	defer found.Forget()
	return h.Traces.ConsumeTraces(ctx, td)
}
