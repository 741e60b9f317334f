// Package odd tells what is odd about a valid configuration. Its one function is Warnings.
package odd

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/otelcol"
)

// Warnings returns a line for everything that components which are used would warn of at their start, with the component.
func Warnings(cfg *otelcol.Config) (lines []string) {
	used := map[component.ID]bool{}
	for _, p := range cfg.Service.Pipelines {
		for _, id := range p.Processors {
			used[id] = true
		}
	}
	processors := warningsOf("processors", cfg.Processors, used)
	clear(used)
	for _, id := range cfg.Service.Extensions {
		used[id] = true
	}
	return slices.Concat(warningsOf("extensions", cfg.Extensions, used), processors, uncounted(cfg))
}

// uncounted warns of connectors sli that no metrics pipeline has: these pass spans on, and count none.
func uncounted(cfg *otelcol.Config) (lines []string) {
	passes, counts := map[component.ID]bool{}, map[component.ID]bool{}
	for id, p := range cfg.Service.Pipelines {
		for _, from := range p.Receivers {
			passes[from] = true
			counts[from] = counts[from] || id.Signal().String() == "metrics"
		}
	}
	for id := range cfg.Connectors {
		if id.Type() == component.MustNewType("sli") && passes[id] && !counts[id] {
			lines = append(lines, fmt.Sprintf("connectors::%s: spans pass uncounted: name this connector under receivers of a metrics pipeline", id))
		}
	}
	slices.Sort(lines)
	return lines
}

func warningsOf(class string, configs map[component.ID]component.Config, used map[component.ID]bool) (lines []string) {
	ids := slices.SortedFunc(maps.Keys(configs), func(a, b component.ID) int { return cmp.Compare(a.String(), b.String()) })
	for _, id := range ids {
		odd, ok := configs[id].(interface{ Warnings() []string })
		if !ok || !used[id] {
			continue
		}
		for _, w := range odd.Warnings() {
			lines = append(lines, fmt.Sprintf("%s::%s: %s", class, id, w))
		}
	}
	return lines
}
