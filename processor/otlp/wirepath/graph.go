package wirepath

import (
	"maps"
	"slices"
	"strings"

	"github.com/slowburn/slowburn/processor/inplace"
)

// Types of components that take part in the wire path.
const (
	receiverType  = "otlp"
	memoryLimiter = "memory_limiter"
	tailSampling  = "tail_sampling"
	reconstruct   = "reconstruct"
	sli           = "sli"
	batch         = "batch"
)

// graph is the configuration's traces pipelines and connectors.
type graph struct {
	pipelines  []pipeline     // by ID
	connectors []string       // IDs
	processors map[string]any // their configurations, by ID
}

// pipeline is a traces pipeline with the IDs of its components, in the order of the YAML.
type pipeline struct {
	id, written                      string // the ID, and how the YAML writes it
	receivers, processors, exporters []string
}

func newGraph(config map[string]any) *graph {
	g := &graph{processors: map[string]any{}}
	for id := range section(config, "connectors") {
		g.connectors = append(g.connectors, clean(id))
	}
	for id, settings := range section(config, "processors") {
		g.processors[clean(id)] = settings
	}
	pipelines := section(section(config, "service"), "pipelines")
	for _, id := range slices.Sorted(maps.Keys(pipelines)) {
		if typeOf(id) != "traces" {
			continue
		}
		p, _ := pipelines[id].(map[string]any)
		g.pipelines = append(g.pipelines, pipeline{
			id: clean(id), written: id, receivers: ids(p["receivers"]), processors: ids(p["processors"]), exporters: ids(p["exporters"]),
		})
	}
	return g
}

// wirePath reports whether the traces of the receiver or connector may travel as wire bytes, and whether it has any.
func (g *graph) wirePath(id string) (answer any, used bool) {
	fed := g.fedBy(id)
	return len(g.obstacles(fed, nil)) == 0, len(fed) > 0
}

// fedBy returns the pipelines that have the receiver or connector.
func (g *graph) fedBy(id string) (fed []*pipeline) {
	for i := range g.pipelines {
		if p := &g.pipelines[i]; slices.Contains(p.receivers, clean(id)) {
			fed = append(fed, p)
		}
	}
	return fed
}

// obstacles are what takes decoded spans alone before they are sampled, in the pipelines and all that follow them. way is how these
// were reached: connectors in a circle lead nowhere.
func (g *graph) obstacles(pipelines, way []*pipeline) (found []obstacle) {
	for _, p := range pipelines {
		found = append(found, g.obstaclesIn(p, way)...)
	}
	return found
}

func (g *graph) obstaclesIn(p *pipeline, way []*pipeline) (found []obstacle) {
	if slices.Contains(way, p) {
		return []obstacle{{p, "the pipeline leads back to itself"}}
	}
	for _, id := range p.processors {
		if typeOf(id) == tailSampling {
			return found
		}
		if why := g.takesDecoded(id); why != "" {
			found = append(found, obstacle{p, "processor " + id + why})
		}
	}
	way = append(slices.Clip(way), p)
	for _, exporter := range p.exporters {
		if typeOf(exporter) != sli {
			found = append(found, obstacle{p, "exporter " + exporter + " takes decoded spans"})
			continue
		}
		found = append(found, g.obstacles(g.fedBy(exporter), way)...)
	}
	if len(p.exporters) == 0 {
		found = append(found, obstacle{p, "the pipeline has no exporter"})
	}
	return found
}

// takesDecoded returns why a processor takes decoded spans alone, as it goes on behind its name, nothing where it does not.
func (g *graph) takesDecoded(id string) string {
	switch typ := typeOf(id); typ {
	case memoryLimiter, batch: // batch is left out
		return ""
	default:
		settings, _ := g.processors[id].(map[string]any)
		switch why, known := inplace.Reason(typ, settings); {
		case !known:
			return " takes decoded spans"
		case why != "":
			return ": " + why
		default:
			return ""
		}
	}
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
