package sli

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"

	"github.com/slowburn/slowburn/slo/sli/internal/metadata"
)

// NewFactory returns the factory of the connector `sli`.
func NewFactory() connector.Factory {
	f := &factory{shared: make(map[component.Config]*Connector)}
	return connector.NewFactory(
		metadata.Type,
		createDefaultConfig,
		connector.WithTracesToTraces(f.tracesToTraces, metadata.TracesToTracesStability),
		connector.WithTracesToMetrics(f.tracesToMetrics, metadata.TracesToMetricsStability),
	)
}

// factory pairs the two components of one `sli`, which the Collector builds separately, but with one configuration. The key is
// that configuration's identity rather than the component's ID: components that were built of a configuration that failed to
// start, and are therefore never shut down, must not be shared with the next one.
type factory struct {
	mu     sync.Mutex
	shared map[component.Config]*Connector
}

func (f *factory) tracesToTraces(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Traces) (connector.Traces, error) {
	c, err := f.connector(set, cfg)
	if err != nil {
		return nil, err
	}
	c.passesOn = true
	return &passing{Connector: c, next: next}, nil
}

func (f *factory) tracesToMetrics(_ context.Context, set connector.Settings, cfg component.Config, next consumer.Metrics) (connector.Traces, error) {
	c, err := f.connector(set, cfg)
	if err != nil {
		return nil, err
	}
	c.metrics = next
	return &emitting{Connector: c}, nil
}

func (f *factory) connector(set connector.Settings, cfg component.Config) (*Connector, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c, ok := f.shared[cfg]; ok {
		return c, nil
	}
	c, err := newConnector(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	c.forget = func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.shared, cfg)
	}
	f.shared[cfg] = c
	return c, nil
}
