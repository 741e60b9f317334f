package wirepath

import (
	"maps"
	"slices"
	"strings"
)

// Types of components that take part in the wire path.
const (
	receiverType  = "otlp"
	memoryLimiter = "memory_limiter"
	tailSampling  = "tail_sampling"
	reconstruct   = "reconstruct"
	sli           = "sli"
)

// graph is the configuration's traces pipelines and connectors.
type graph struct {
	pipelines  []pipeline // by ID
	connectors []string   // IDs
}

// pipeline is a traces pipeline with the IDs of its components, in the order of the YAML.
type pipeline struct {
	id                               string
	receivers, processors, exporters []string
}

func newGraph(config map[string]any) *graph {
	g := &graph{}
	for id := range section(config, "connectors") {
		g.connectors = append(g.connectors, clean(id))
	}
	pipelines := section(section(config, "service"), "pipelines")
	for _, id := range slices.Sorted(maps.Keys(pipelines)) {
		if typeOf(id) != "traces" {
			continue
		}
		p, _ := pipelines[id].(map[string]any)
		g.pipelines = append(g.pipelines, pipeline{
			id: clean(id), receivers: ids(p["receivers"]), processors: ids(p["processors"]), exporters: ids(p["exporters"]),
		})
	}
	return g
}

// wirePath reports whether the traces of the receiver or connector may travel as wire bytes, and whether it has any.
func (g *graph) wirePath(id string) (answer any, used bool) {
	on := true
	for i := range g.pipelines {
		if p := &g.pipelines[i]; slices.Contains(p.receivers, clean(id)) {
			used = true
			on = on && g.takesBytes(p, nil)
		}
	}
	return on, used
}

// takesBytes reports whether the pipeline, and all that follow it, read spans as bytes until they are sampled. way is
// the path to it: a cycle of connectors leads nowhere.
func (g *graph) takesBytes(p *pipeline, way []*pipeline) bool {
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
		for i := range g.pipelines {
			if next := &g.pipelines[i]; slices.Contains(next.receivers, exporter) && !g.takesBytes(next, way) {
				return false
			}
		}
	}
	return len(p.exporters) > 0
}

// section returns the map under the key, or an empty one for any other value.
func section(m map[string]any, key string) map[string]any {
	s, _ := m[key].(map[string]any)
	return s
}

// ids returns the strings of a list without repetitions.
func ids(v any) []string {
	list, _ := v.([]any)
	var all []string
	for _, e := range list {
		if s, ok := e.(string); ok && !slices.Contains(all, clean(s)) {
			all = append(all, clean(s))
		}
	}
	return all
}

// clean normalises a component's or pipeline's ID, which is type or type/name, as the Collector does.
func clean(id string) string {
	typ, name, named := strings.Cut(id, "/")
	if !named {
		return strings.TrimSpace(typ)
	}
	return strings.TrimSpace(typ) + "/" + strings.TrimSpace(name)
}

// typeOf returns the type in an ID.
func typeOf(id string) string {
	t, _, _ := strings.Cut(id, "/")
	return strings.TrimSpace(t)
}
