package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/units"
)

// unitsConverter holds the whole configuration to one grammar of durations and bytes, before components decode it: numbers without a
// unit are refused in keys of ours and warned about in others, and 7d can stand in each key of ours that is a duration.
type unitsConverter struct {
	src    *source
	logger *zap.Logger
}

// unitWarnings are what the last conversion warned of.
type unitWarnings struct {
	mu    sync.Mutex
	lines []string
}

func (w *unitWarnings) set(lines []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = lines
}

func (w *unitWarnings) get() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.lines)
}

func newUnitsConverter(src *source) confmap.ConverterFactory {
	if src == nil { // nobody asks for the warnings
		src = new(source)
	}
	return confmap.NewConverterFactory(func(set confmap.ConverterSettings) confmap.Converter {
		return &unitsConverter{src: src, logger: set.Logger}
	})
}

// Convert implements confmap.Converter.
func (u *unitsConverter) Convert(_ context.Context, conf *confmap.Conf) error {
	defaults, err := defaultsOf(u.src)
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
				continue // the Collector says what is wrong with it
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
	u.src.unitless.set(warnings)
	if u.logger != nil {
		for _, w := range warnings {
			u.logger.Warn("a duration has no unit", zap.String("warning", w))
		}
	}
	if err := conf.Merge(confmap.NewFromStringMap(changes)); err != nil {
		return fmt.Errorf("write durations: %w", err)
	}
	return nil
}

// defaultsOf are the default configurations of all components, by class and type.
func defaultsOf(src *source) (map[string]map[component.Type]component.Config, error) {
	f, err := factories(src)
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
