package memorylimiter

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/memorylimiterprocessor"
	"go.opentelemetry.io/collector/processor/xprocessor"
	"go.opentelemetry.io/otel/metric/noop"
)

// Config is the Collector's configuration.
type Config = memorylimiterprocessor.Config

// factory is the Collector's factory, except for traces.
type factory struct {
	xprocessor.Factory
	mu     sync.Mutex
	shared map[component.Config]*shared
}

// NewFactory returns the factory of the processor `memory_limiter`.
func NewFactory() processor.Factory {
	return &factory{Factory: memorylimiterprocessor.NewFactory().(xprocessor.Factory), shared: map[component.Config]*shared{}}
}

// CreateTraces implements processor.Factory.
func (f *factory) CreateTraces(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
	decides, err := consumer.NewTraces(func(context.Context, ptrace.Traces) error { return nil })
	if err != nil {
		return nil, err
	}
	gate, err := f.Factory.CreateTraces(ctx, set, cfg, decides)
	if err != nil {
		return nil, err
	}
	t, err := newTelemetry(set)
	if err != nil {
		return nil, err
	}
	s, err := f.share(ctx, set, cfg, decides)
	return &limiter{Traces: gate, next: next, telemetry: t, shared: s}, err
}

// share returns the part that the processors of a configuration share.
func (f *factory) share(ctx context.Context, set processor.Settings, cfg component.Config, decides consumer.Traces) (*shared, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s, ok := f.shared[cfg]; ok {
		return s, nil
	}
	set.MeterProvider = noop.NewMeterProvider() // a probe must not count as a request
	gate, err := f.Factory.CreateTraces(ctx, set, cfg, decides)
	if err != nil {
		return nil, err
	}
	s := &shared{id: set.ID, gate: gate, forget: func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.shared, cfg)
	}}
	f.shared[cfg] = s
	return s, nil
}
