// Package checks finds what is wrong or odd with a whole configuration before the Collector reads it: Problems of its components, Units
// that are missing; and Inventory says what a valid one has.
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

// classes are the sections of a configuration that have components, in the order in which problems are said.
var classes = []string{"receivers", "processors", "connectors", "exporters", "extensions"}

// Problems are all that is wrong with the configurations of components. What is wrong between components it leaves to the Collector to
// say.
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
				continue // the Collector lists those that there are
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
	return list, nil
}

// Inventory says what a valid configuration has.
func Inventory(cfg *otelcol.Config) string {
	count := func(n int, one string) string {
		if n == 1 {
			return "1 " + one
		}
		return fmt.Sprintf("%d %ss", n, one)
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
