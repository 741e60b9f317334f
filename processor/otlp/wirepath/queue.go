package wirepath

import (
	"errors"
	"maps"
	"slices"
)

// memoryQueues returns an error for each exporter behind tail_sampling whose section enables a sending_queue without
// storage. It does not know whether an exporter that is not ours has a queue by default.
func (g *graph) memoryQueues(exporters map[string]any) (errs []error) {
	sampled := g.sampledExporters()
	for _, id := range slices.Sorted(maps.Keys(exporters)) {
		if settings, _ := exporters[id].(map[string]any); slices.Contains(sampled, clean(id)) && hasMemoryQueue(settings) {
			errs = append(errs, errors.New("exporters::"+id+"::sending_queue: a queue in memory loses in a crash the traces "+
				"that tail_sampling has passed to it; remove the key, as tail_sampling holds each trace until the exporter has accepted "+
				"it, or set sending_queue::storage"))
		}
	}
	return errs
}

// memoryProcessors returns an error for each processor behind tail_sampling that answers before the exporters have, as it holds
// traces only in memory.
func (g *graph) memoryProcessors() (errs []error) {
	for _, p := range g.sampled() {
		behind := p.processors
		if i := slices.IndexFunc(behind, isSampler); i >= 0 {
			behind = behind[i+1:]
		}
		for _, id := range behind {
			if typ := typeOf(id); typ == "batch" || typ == "groupbytrace" {
				errs = append(errs, errors.New("service::pipelines::"+p.id+"::processors: "+id+" behind tail_sampling loses in a crash the "+
					"traces that tail_sampling has passed to it; remove it here, as tail_sampling passes whole traces on, many at a time"))
			}
		}
	}
	return errs
}

// sampledExporters returns the IDs of the exporters behind tail_sampling.
func (g *graph) sampledExporters() (found []string) {
	for _, p := range g.sampled() {
		for _, exporter := range p.exporters {
			if !slices.Contains(g.connectors, exporter) {
				found = append(found, exporter)
			}
		}
	}
	return found
}

func isSampler(id string) bool { return typeOf(id) == tailSampling }

// sampled returns the pipelines with tail_sampling, and those that connectors lead to from there.
func (g *graph) sampled() (found []*pipeline) {
	var follow func(p *pipeline)
	follow = func(p *pipeline) {
		if slices.Contains(found, p) {
			return
		}
		found = append(found, p)
		for i := range g.pipelines {
			next := &g.pipelines[i]
			if slices.ContainsFunc(p.exporters, func(id string) bool {
				return slices.Contains(g.connectors, id) && slices.Contains(next.receivers, id)
			}) {
				follow(next)
			}
		}
	}
	for i := range g.pipelines {
		if p := &g.pipelines[i]; slices.ContainsFunc(p.processors, isSampler) {
			follow(p)
		}
	}
	return found
}

// hasMemoryQueue reports whether an exporter's section enables a queue without storage. A section sending_queue does,
// even an empty one, unless it says enabled: false.
func hasMemoryQueue(settings map[string]any) bool {
	v, written := settings["sending_queue"]
	queue, ok := v.(map[string]any)
	if !written || !ok && v != nil {
		return false
	}
	if enabled, ok := queue["enabled"]; ok && enabled != true {
		return false
	}
	return queue["storage"] == nil
}
