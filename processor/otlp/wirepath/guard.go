package wirepath

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
)

// Guard returns a factory whose traces exporters ignore calls for other destinations: an empty ptrace.Traces beside kept traces. The
// Collector's exporters would queue, log and count it as an empty request. A factory of exporters that take kept traces as bytes is
// returned as it is.
func Guard(f exporter.Factory) exporter.Factory {
	if TakesKept(f.Type()) {
		return f
	}
	return guard{f}
}

type guard struct{ exporter.Factory }

// CreateTraces implements exporter.Factory.
func (g guard) CreateTraces(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
	e, err := g.Factory.CreateTraces(ctx, set, cfg)
	if err != nil {
		return nil, err
	}
	return guarded{e}, nil
}

type guarded struct{ exporter.Traces }

// ConsumeTraces implements exporter.Traces.
func (g guarded) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	if td.ResourceSpans().Len() == 0 && wire.KeptOf(ctx) != nil {
		return nil
	}
	return g.Traces.ConsumeTraces(ctx, td)
}
