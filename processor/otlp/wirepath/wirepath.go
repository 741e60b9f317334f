// Package wirepath is the confmap converter that decides from where on traces may travel as wire bytes: behind an otlp
// receiver, or behind an sli connector that was given decoded spans.
//
// They may if nothing but memory_limiter, sli and tail_sampling stands between there and the decision, in every
// pipeline that the receiver or connector feeds: those leave the spans alone or read them as bytes, and tail_sampling
// decodes what it keeps. Everything else is given decoded spans. The answer is written to receivers::<id>::wire_path and
// connectors::<id>::wire_path, over whatever a user put there: a wrong true would make spans vanish, for a component that
// does not know the path sees none.
//
// A configuration that is broken is left for the Collector to report.
package wirepath

import (
	"context"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// Types of the components that the path knows.
const (
	receiverType  = "otlp"
	memoryLimiter = "memory_limiter"
	tailSampling  = "tail_sampling"
	sli           = "sli"
)

// sources has, by section of the configuration, the type of the components with which the path can begin.
var sources = map[string]string{"receivers": receiverType, "connectors": sli}

// NewFactory returns the factory of the converter.
func NewFactory() confmap.ConverterFactory {
	return confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return converter{} })
}

type converter struct{}

// Convert implements confmap.Converter.
func (converter) Convert(_ context.Context, conf *confmap.Conf) error {
	config := conf.ToStringMap()
	pipelines := tracesPipelines(config)
	answers := map[string]any{}
	for kind, typ := range sources {
		answer := map[string]any{}
		for id, v := range section(config, kind) {
			if _, ok := v.(map[string]any); typeOf(id) != typ || !ok && v != nil {
				continue
			}
			if on, used := decide(pipelines, id); used {
				answer[id] = map[string]any{"wire_path": on}
			}
		}
		if len(answer) > 0 {
			answers[kind] = answer
		}
	}
	if len(answers) == 0 {
		return nil
	}
	return conf.Merge(confmap.NewFromStringMap(answers))
}

// decide reports whether the traces of the receiver or connector may travel as wire bytes, and whether there are any.
func decide(pipelines []pipeline, id string) (on, used bool) {
	on = true
	for i := range pipelines {
		if p := &pipelines[i]; slices.Contains(p.receivers, id) {
			used = true
			on = on && p.takesBytes(pipelines, nil)
		}
	}
	return on, used
}

// pipeline is a traces pipeline: IDs of components.
type pipeline struct {
	receivers, processors, exporters []string
}

// takesBytes reports whether the pipeline, and all that follow it, read spans as bytes until they are sampled. way is
// how it was reached: connectors in a circle lead nowhere.
func (p *pipeline) takesBytes(pipelines []pipeline, way []*pipeline) bool {
	if slices.Contains(way, p) {
		return false
	}
	for _, id := range p.processors {
		switch typeOf(id) {
		case tailSampling:
			return true
		case memoryLimiter:
		default:
			return false
		}
	}
	way = append(slices.Clip(way), p)
	for _, exporter := range p.exporters {
		if typeOf(exporter) != sli {
			return false
		}
		for i := range pipelines {
			if next := &pipelines[i]; slices.Contains(next.receivers, exporter) && !next.takesBytes(pipelines, way) {
				return false
			}
		}
	}
	return len(p.exporters) > 0
}

func tracesPipelines(config map[string]any) []pipeline {
	var all []pipeline
	for id, v := range section(section(config, "service"), "pipelines") {
		if typeOf(id) != "traces" {
			continue
		}
		p, _ := v.(map[string]any)
		all = append(all, pipeline{receivers: ids(p["receivers"]), processors: ids(p["processors"]), exporters: ids(p["exporters"])})
	}
	return all
}

// section returns the map under the key, or none where there is something else.
func section(m map[string]any, key string) map[string]any {
	s, _ := m[key].(map[string]any)
	return s
}

// ids returns the strings of a list.
func ids(v any) []string {
	list, _ := v.([]any)
	var all []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			all = append(all, strings.TrimSpace(s))
		}
	}
	return all
}

// typeOf returns the type in a component's or pipeline's ID, which is type or type/name.
func typeOf(id string) string {
	t, _, _ := strings.Cut(id, "/")
	return strings.TrimSpace(t)
}
