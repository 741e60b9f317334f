// Package odd warns about a valid configuration: Warnings returns what its components would log at their start, and OpenToAll what is odd
// about their directories.
package odd

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/slowburn/slowburn/cmd/slowburn/internal/datadir"
	"github.com/slowburn/slowburn/internal/access"
	"github.com/slowburn/slowburn/processor/otlp"
)

// Warnings returns the warnings that the components in use would log at their start, a line each, with the component. whole is the same
// configuration with all defaults.
func Warnings(cfg *otelcol.Config, whole *confmap.Conf) (lines []string) {
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
	return slices.Concat(warningsOf("extensions", cfg.Extensions, used), unguarded(cfg, whole), processors, uncounted(cfg), cramped(cfg))
}

// OpenToAll warns about directories that every user of the machine may read, a line each.
func OpenToAll(directories []datadir.Directory) (lines []string) {
	var seen []string
	for _, d := range directories {
		if open := access.OpenToAll(d.Path); open != "" && !slices.Contains(seen, d.Path) {
			seen = append(seen, d.Path)
			lines = append(lines, d.Component+"::directory: "+open)
		}
	}
	return lines
}

// unguarded warns if the gateway's own metrics are served without the authentication that an extension has.
func unguarded(cfg *otelcol.Config, whole *confmap.Conf) (lines []string) {
	for _, id := range cfg.Service.Extensions {
		if guard, ok := cfg.Extensions[id].(interface {
			Unguarded(whole *confmap.Conf) (warning, address string)
		}); ok {
			if warning, address := guard.Unguarded(whole); warning != "" {
				lines = append(lines, fmt.Sprintf("extensions::%s: %s (address: %s)", id, warning, address))
			}
		}
	}
	return lines
}

// uncounted warns about sli connectors that are in no metrics pipeline: they pass spans on and count none.
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

// cramped warns about otlp receivers that allow longer messages than the budget that they share has room for.
func cramped(cfg *otelcol.Config) (lines []string) {
	var configs []*otlp.Config
	var names []string
	seen := map[component.ID]bool{}
	for _, p := range cfg.Service.Pipelines {
		for _, id := range p.Receivers {
			if c, ok := cfg.Receivers[id].(*otlp.Config); ok && !seen[id] {
				seen[id] = true
				configs, names = append(configs, c), append(names, id.String())
			}
		}
	}
	budget := otlp.SharedBudget(configs)
	for i, c := range configs {
		if w := c.WarningOfBudget(budget); w != "" {
			lines = append(lines, fmt.Sprintf("receivers::%s: %s", names[i], w))
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
