package wirepath

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// obstacle is a part of a pipeline before the decision that takes decoded spans alone.
type obstacle struct {
	pipeline *pipeline
	why      string
}

// Explain says of each pipeline where spans are decoded, and why: a line each, none where all spans travel as bytes. conf is the
// configuration as it is written, before the converter.
func Explain(conf *confmap.Conf) (lines []string) {
	config := conf.ToStringMap()
	g := newGraph(config)
	for _, kind := range []string{"receivers", "connectors"} {
		for _, id := range g.starts(config, kind) {
			for _, o := range g.obstacles(g.fedBy(id), nil) {
				lines = append(lines, fmt.Sprintf("pipeline %s: spans of %s are decoded: %s", o.pipeline.id, id, o.why))
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(g.processors)) {
		if typeOf(id) != tailSampling {
			continue
		}
		for _, d := range g.destinationsOf(id) {
			if !d.Bytes {
				lines = append(lines, fmt.Sprintf("pipeline %s: kept traces are decoded for %s: %s", d.Pipeline, strings.Join(d.Exporters, ", "), g.whyDecoded(id)))
			}
		}
	}
	return lines
}

// whyDecoded says why a destination of a tail_sampling processor takes decoded spans.
func (g *graph) whyDecoded(id string) string {
	in := slices.DeleteFunc(slices.Clone(g.pipelines), func(p pipeline) bool { return !slices.Contains(p.processors, id) })
	if len(in) > 1 {
		return id + " stands in several pipelines"
	}
	for _, p := range in {
		for _, behind := range p.processors[slices.Index(p.processors, id)+1:] {
			if !leavesBytes(behind) {
				return "processor " + behind + " behind " + id + " takes decoded spans"
			}
		}
		for _, exporter := range p.exporters {
			if slices.Contains(g.connectors, exporter) && typeOf(exporter) != sli {
				return "connector " + exporter + " takes decoded spans"
			}
		}
	}
	return "only otlp_grpc, otlp_http and trace_store take bytes"
}

// Notices says from where batch is left out, a line each. conf is the configuration as it is written, before the converter.
func Notices(conf *confmap.Conf) (lines []string) {
	config := conf.ToStringMap()
	for _, p := range newGraph(config).batched(config) {
		lines = append(lines, notice(p))
	}
	return lines
}

// notice says that a pipeline's batch is left out.
func notice(p *pipeline) string {
	return "service::pipelines::" + p.id + "::processors: batch is left out, as a request goes into the log as one batch and is " +
		"acknowledged once it is there; remove it from the list"
}

// starts are the components of a section whose spans may travel as bytes.
func (g *graph) starts(config map[string]any, kind string) (starting []string) {
	for _, id := range slices.Sorted(maps.Keys(section(config, kind))) {
		if t := typeOf(id); kind == "receivers" && t == receiverType || kind == "connectors" && t == sli {
			starting = append(starting, clean(id))
		}
	}
	return starting
}

// batched are the pipelines that have batch where spans travel as bytes.
func (g *graph) batched(config map[string]any) (found []*pipeline) {
	for _, kind := range []string{"receivers", "connectors"} {
		for _, id := range g.starts(config, kind) {
			if fed := g.fedBy(id); len(g.obstacles(fed, nil)) == 0 {
				found = g.withBatch(fed, found)
			}
		}
	}
	return found
}

// withBatch adds the pipelines that have batch before the decision, and those that follow.
func (g *graph) withBatch(pipelines, found []*pipeline) []*pipeline {
	for _, p := range pipelines {
		before := p.processors
		i := slices.IndexFunc(before, isSampler)
		if i >= 0 {
			before = before[:i]
		}
		if slices.ContainsFunc(before, isBatch) && !slices.Contains(found, p) {
			found = append(found, p)
		}
		if i >= 0 {
			continue
		}
		for _, exporter := range p.exporters {
			found = g.withBatch(g.fedBy(exporter), found)
		}
	}
	return found
}

func isBatch(id string) bool { return typeOf(id) == batch }

// withoutBatch returns the processors of a pipeline without batch, as the YAML would have them. One behind tail_sampling is refused
// elsewhere.
func withoutBatch(p *pipeline) (list []any) {
	for _, id := range p.processors {
		if !isBatch(id) {
			list = append(list, id)
		}
	}
	return list
}
