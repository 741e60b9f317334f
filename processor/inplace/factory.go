package inplace

import (
	"context"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/attributesprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/filterprocessor"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/resourceprocessor"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"github.com/slowburn/slowburn/internal/items"
)

// NewAttributesFactory returns the factory of the processor `attributes`.
func NewAttributesFactory() processor.Factory { return factory{attributesprocessor.NewFactory()} }

// NewResourceFactory returns the factory of the processor `resource`.
func NewResourceFactory() processor.Factory { return factory{resourceprocessor.NewFactory()} }

// NewFilterFactory returns the factory of the processor `filter`.
func NewFilterFactory() processor.Factory { return factory{filterprocessor.NewFactory()} }

// factories are the processors by type.
var factories = map[string]func() processor.Factory{
	"attributes": NewAttributesFactory, "resource": NewResourceFactory, "filter": NewFilterFactory,
}

// Reason says why a processor of one of the types cannot do its work on spans that travel as bytes, nothing where it can. known is
// false for other types. section is the processor's configuration.
func Reason(typ string, section map[string]any) (reason string, known bool) {
	newFactory, known := factories[typ]
	if !known {
		return "", false
	}
	cfg := newFactory().CreateDefaultConfig()
	if err := confmap.NewFromStringMap(section).Unmarshal(cfg); err != nil {
		return "its configuration is not valid", true
	}
	_, reason = editsOf(cfg, nil)
	return reason, true
}

// factory is contrib's but for traces.
type factory struct{ processor.Factory }

// CreateTraces implements processor.Factory.
func (f factory) CreateTraces(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
	decoded, err := f.Factory.CreateTraces(ctx, set, cfg, next)
	if err != nil {
		return nil, err
	}
	e, _ := editsOf(cfg, set.Logger)
	if e != nil {
		if err := e.count(set); err != nil {
			return nil, err
		}
	}
	counted, err := items.NewProcessor(set.TelemetrySettings, set.ID)
	return &editing{Traces: decoded, next: next, edits: e, items: counted}, err
}
