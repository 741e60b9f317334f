package checks

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/units"
)

// Factories returns the factories of the components that a configuration may name.
type Factories func() (otelcol.Factories, error)

// Units holds the whole configuration to one grammar of durations and bytes, before components decode it: numbers without a unit are
// refused in keys of ours and warned about in others, and 7d can stand in each key of ours that is a duration. Its methods may be called
// concurrently.
type Units struct {
	factories Factories

	mu       sync.Mutex
	warnings []string // of the last conversion
}

// NewUnits returns a Units for the components.
func NewUnits(factories Factories) *Units { return &Units{factories: factories} }

// Warnings returns the warnings of the last conversion, a line each.
func (u *Units) Warnings() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.warnings)
}

// Converter returns a factory of the converter that checks units while the configuration is read.
func (u *Units) Converter() confmap.ConverterFactory {
	return confmap.NewConverterFactory(func(set confmap.ConverterSettings) confmap.Converter {
		return &converter{units: u, logger: set.Logger}
	})
}

type converter struct {
	units  *Units
	logger *zap.Logger
}

// Convert implements confmap.Converter.
func (c *converter) Convert(_ context.Context, conf *confmap.Conf) error {
	defaults, err := DefaultsOf(c.units.factories)
	if err != nil {
		return err
	}
	var refused []error
	var warnings []string
	changes := map[string]any{}
	all := conf.ToStringMap()
	for _, class := range slices.Sorted(maps.Keys(defaults)) {
		components, _ := all[class].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(components)) {
			var id component.ID
			if id.UnmarshalText([]byte(name)) != nil || defaults[class][id.Type()] == nil {
				continue // the Collector reports the error
			}
			found := units.Check(class+"::"+name, components[name], defaults[class][id.Type()])
			for _, f := range found.Refused {
				refused = append(refused, errors.New(f.String()))
			}
			for _, f := range found.Warned {
				warnings = append(warnings, f.String())
			}
			for key, text := range found.Rewritten {
				changes[key] = text
			}
		}
	}
	if len(refused) > 0 {
		return errors.Join(refused...)
	}
	c.units.mu.Lock()
	c.units.warnings = warnings
	c.units.mu.Unlock()
	if c.logger != nil {
		for _, w := range warnings {
			c.logger.Warn("a duration has no unit", zap.String("warning", w))
		}
	}
	if err := conf.Merge(confmap.NewFromStringMap(changes)); err != nil {
		return fmt.Errorf("write durations: %w", err)
	}
	return nil
}

// DefaultsOf returns the default configurations of all components, by class and type.
func DefaultsOf(factories Factories) (map[string]map[component.Type]component.Config, error) {
	f, err := factories()
	if err != nil {
		return nil, err
	}
	return map[string]map[component.Type]component.Config{
		"receivers":  configsOf(f.Receivers),
		"processors": configsOf(f.Processors),
		"connectors": configsOf(f.Connectors),
		"exporters":  configsOf(f.Exporters),
		"extensions": configsOf(f.Extensions),
	}, nil
}

func configsOf[F component.Factory](factories map[component.Type]F) map[component.Type]component.Config {
	configs := map[component.Type]component.Config{}
	for t, f := range factories {
		configs[t] = f.CreateDefaultConfig()
	}
	return configs
}
