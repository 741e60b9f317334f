// Package checks checks a whole configuration before the Collector reads it: Problems finds errors of its components, Units finds
// missing units, and Inventory describes a valid configuration.
package checks

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/slowburn/slowburn/internal/problems"
)

// classes are the sections of a configuration that have components, in the order in which problems are reported.
var classes = []string{"receivers", "processors", "connectors", "exporters", "extensions"}

// Problems returns all problems of the components' configurations, and of how service puts them together. The Collector itself reports
// problems of the graph that connectors and pipelines form.
func Problems(conf *confmap.Conf, factories Factories) (list []problems.Problem, err error) {
	defaults, err := DefaultsOf(factories)
	if err != nil {
		return nil, err
	}
	for _, class := range classes {
		section, err := conf.Sub(class)
		if err != nil {
			list = append(list, problems.Problem{Key: class, Text: "must be a map of components"})
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(section.ToStringMap())) {
			key := class + confmap.KeyDelimiter + name
			var id component.ID
			if err := id.UnmarshalText([]byte(name)); err != nil {
				list = append(list, problems.Problem{Key: key, Text: err.Error()})
				continue
			}
			config := defaults[class][id.Type()]
			if config == nil {
				types := typesOf(defaults[class])
				list = append(list, problems.Problem{Key: key, Text: fmt.Sprintf("%q is no type of %s%s", id.Type(), strings.TrimSuffix(class, "s"),
					orOneOf(problems.Suggestion(id.Type().String(), types), types))})
				continue
			}
			own, err := section.Sub(name)
			if err != nil {
				list = append(list, problems.Problem{Key: key, Text: "must be a map of keys"})
				continue
			}
			list = append(list, problems.Of(key, own, config)...)
			if defaults, err = DefaultsOf(factories); err != nil { // as the one that there was is changed
				return nil, err
			}
		}
	}
	all, err := factories()
	if err != nil {
		return nil, err
	}
	return append(list, serviceProblems(conf, all)...), nil
}

// typesOf returns the names of types, sorted.
func typesOf(configs map[component.Type]component.Config) (names []string) {
	for t := range configs {
		names = append(names, t.String())
	}
	slices.Sort(names)
	return names
}

// Inventory returns a summary of a valid configuration.
func Inventory(cfg *otelcol.Config) string {
	count := func(n int, noun string) string {
		if n == 1 {
			return "1 " + noun
		}
		return fmt.Sprintf("%d %ss", n, noun)
	}
	var pipelines []string
	for id := range cfg.Service.Pipelines {
		pipelines = append(pipelines, id.String())
	}
	slices.SortFunc(pipelines, cmp.Compare)
	return fmt.Sprintf("Valid: %s, %s, %s, %s, %s; pipelines %s.",
		count(len(cfg.Receivers), "receiver"), count(len(cfg.Processors), "processor"), count(len(cfg.Connectors), "connector"),
		count(len(cfg.Exporters), "exporter"), count(len(cfg.Service.Extensions), "extension"), strings.Join(pipelines, ", "))
}
