package wirepath

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"

	"github.com/slowburn/slowburn/processor/tailsampling/destination"
)

// takesKept are the types of the exporters that take kept traces as bytes, under all of their names.
var takesKept = []string{"otlp_grpc", "otlp", "otlp_http", "otlphttp", "trace_store"}

// TakesKept reports whether exporters of this type take kept traces as bytes.
func TakesKept(exporter component.Type) bool { return slices.Contains(takesKept, exporter.String()) }

// destinations returns the destinations of a tail_sampling processor's kept traces, in their YAML form.
//
// The Collector creates an instance of a processor for each pipeline that names it, all with the same configuration. The
// instances cannot know their pipelines: if there are several, all components together are one destination, with the
// processor's ID, and nothing goes as bytes.
func (g *graph) destinations(id string) (answer any, used bool) {
	all := g.destinationsOf(id)
	return asYAML(all), len(all) > 0
}

// destinationsOf is destinations before it is YAML.
func (g *graph) destinationsOf(id string) (all []destination.Destination) {
	var in []string
	for i := range g.pipelines {
		if p := &g.pipelines[i]; slices.Contains(p.processors, clean(id)) {
			in = append(in, p.id)
			all = append(all, g.behind(p, clean(id))...)
		}
	}
	if len(in) > 1 {
		whole := destination.Destination{ID: clean(id), Pipeline: strings.Join(in, ", ")}
		for _, d := range all {
			for _, exporter := range d.Exporters {
				if !slices.Contains(whole.Exporters, exporter) {
					whole.Exporters = append(whole.Exporters, exporter)
				}
			}
		}
		all = []destination.Destination{whole}
	}
	return all
}

// behind returns the destinations of a processor in a pipeline, in the order of the exporters; the destination for
// decoded spans is the last.
func (g *graph) behind(p *pipeline, id string) []destination.Destination {
	var all []destination.Destination
	decoded := destination.Destination{ID: p.id, Pipeline: p.id}
	bytes := g.leavesAsBytes(p, id)
	for _, exporter := range p.exporters {
		if bytes && slices.Contains(takesKept, typeOf(exporter)) {
			all = append(all, destination.Destination{ID: exporter, Pipeline: p.id, Bytes: true, Exporters: []string{exporter}})
		} else {
			decoded.Exporters = append(decoded.Exporters, exporter)
		}
	}
	if len(decoded.Exporters) > 0 {
		all = append(all, decoded)
	}
	return all
}

// leavesAsBytes reports whether all components of a pipeline behind the processor pass kept traces on as bytes. A connector
// that is not ours does not: exporters behind it would receive traces that are meant for the pipeline's own.
func (g *graph) leavesAsBytes(p *pipeline, id string) bool {
	for _, processor := range p.processors[slices.Index(p.processors, id)+1:] {
		if !leavesBytes(processor) {
			return false
		}
	}
	return !slices.ContainsFunc(p.exporters, func(exporter string) bool {
		return slices.Contains(g.connectors, exporter) && typeOf(exporter) != sli
	})
}

// leavesBytes reports whether a processor behind tail_sampling hands kept traces on as bytes.
func leavesBytes(id string) bool { return typeOf(id) == reconstruct || typeOf(id) == memoryLimiter }

func asYAML(destinations []destination.Destination) []any {
	var list []any
	for _, d := range destinations {
		var exporters []any
		for _, exporter := range d.Exporters {
			exporters = append(exporters, exporter)
		}
		list = append(list, map[string]any{"id": d.ID, "pipeline": d.Pipeline, "bytes": d.Bytes, "exporters": exporters})
	}
	return list
}
