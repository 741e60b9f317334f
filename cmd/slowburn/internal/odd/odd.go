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
	return append(warningsOf("extensions", cfg.Extensions, used), processors...)
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
