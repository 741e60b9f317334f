// Package wirepath is the confmap converter that decides from the pipelines where traces may travel as wire bytes. Only it
// decides: its keys are refused in a file, because a wrong true would make spans vanish behind a component that does not
// know the path.
//
// On the way in, bytes may travel behind an otlp receiver, or behind an sli connector that gets decoded spans, if only
// memory_limiter, sli, tail_sampling, and processors that package inplace applies to bytes stand between there and the
// decision, in every pipeline that the receiver or connector feeds: these leave the spans alone or read them as bytes. All
// other components get decoded spans. The result is written to receivers::<id>::wire_path and connectors::<id>::wire_path.
// batch would be in the way and does nothing there that the log does not: where it is the only obstacle, it is removed from
// service::pipelines::<id>::processors, with a notice in the log. Explain and Notices report all this to users.
//
// On the way out, kept traces may travel as bytes from a tail_sampling processor to the exporters otlp_grpc, otlp_http and
// trace_store of its pipeline, if only reconstruct and memory_limiter stand between. Each of these exporters is a
// destination of its own. All other ends of a pipeline take decoded spans and are one destination together, because the
// Collector's fan-out has one answer for them. The list is written to processors::<id>::destinations, in the form of
// destination.Destination. A sending_queue without storage behind tail_sampling is refused.
//
// A broken configuration is left for the Collector to report. Guard protects exporters of decoded spans from calls for other
// destinations.
package wirepath

import (
	"context"
	"errors"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"
)

// NewFactory returns the factory of the converter.
func NewFactory() confmap.ConverterFactory {
	return confmap.NewConverterFactory(func(set confmap.ConverterSettings) confmap.Converter { return converter{set.Logger} })
}

type converter struct{ logger *zap.Logger }

// decided lists the keys that the converter writes: section of the configuration, type of component, key.
var decided = []struct {
	section, typ, key string
	decide            func(g *graph, id string) (answer any, ok bool)
}{
	{"receivers", receiverType, "wire_path", (*graph).wirePath},
	{"connectors", sli, "wire_path", (*graph).wirePath},
	{"processors", tailSampling, "destinations", (*graph).destinations},
}

// Convert implements confmap.Converter.
func (c converter) Convert(_ context.Context, conf *confmap.Conf) error {
	config := conf.ToStringMap()
	g := newGraph(config)
	errs := append(g.memoryQueues(section(config, "exporters")), g.memoryProcessors()...)
	answers := map[string]any{}
	for _, d := range decided {
		for _, id := range slices.Sorted(maps.Keys(section(config, d.section))) {
			v := section(config, d.section)[id]
			settings, ok := v.(map[string]any)
			if typeOf(id) != d.typ || !ok && v != nil {
				continue
			}
			if _, written := settings[d.key]; written {
				errs = append(errs, errors.New(d.section+"::"+id+"::"+d.key+
					": only the gateway may set it, which decides it from the pipelines; remove the key"))
			} else if answer, ok := d.decide(g, id); ok {
				setValue(answers, answer, d.section, id, d.key)
			}
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	for _, p := range g.batched(config) {
		setValue(answers, withoutBatch(p), "service", "pipelines", p.written, "processors")
		if c.logger != nil {
			c.logger.Warn(notice(p))
		}
	}
	return conf.Merge(confmap.NewFromStringMap(answers))
}

// setValue sets a value in nested maps.
func setValue(m map[string]any, v any, path ...string) {
	for _, key := range path[:len(path)-1] {
		next := section(m, key)
		if next == nil {
			next = map[string]any{}
			m[key] = next
		}
		m = next
	}
	m[path[len(path)-1]] = v
}
