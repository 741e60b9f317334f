package main

import (
	"cmp"
	"context"
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

// check returns an error that says all that is wrong with the configurations of components, a line each, or with the files themselves.
// What is wrong between components it leaves to the Collector to say.
func (s *source) check(ctx context.Context) error {
	settings := s.settings
	settings.ConverterFactories = nil
	for _, uri := range s.uris() {
		if _, err := s.resolve(ctx, settings, []string{uri}); err != nil {
			return fmt.Errorf("%s: %w", s.nameOf(uri), err)
		}
	}
	conf, err := s.resolve(ctx, settings, s.uris())
	if err != nil {
		return err
	}
	if !conf.IsSet("service::pipelines") && len(s.given) > 0 {
		return fmt.Errorf("there are no service::pipelines: --config %[1]s replaces the configuration that slowburn is shipped with; "+
			"put --config config.yaml before it to add to that one (`slowburn config default` writes it): slowburn --config config.yaml --config %[1]s",
			s.given[0])
	}
	list, err := s.problemsOf(conf)
	if err != nil || len(list) == 0 {
		return err
	}
	lines := make([]string, len(list))
	for i, p := range list {
		lines[i] = "  " + p.String()
	}
	what := "1 problem"
	if len(list) > 1 {
		what = fmt.Sprintf("%d problems", len(list))
	}
	return fmt.Errorf("the configuration has %s:\n%s", what, strings.Join(lines, "\n"))
}

func (s *source) problemsOf(conf *confmap.Conf) (list []problems.Problem, err error) {
	defaults, err := defaultsOf(s)
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
			defaults[class][id.Type()] = nil
			if defaults, err = defaultsOf(s); err != nil { // as the one that there was is changed
				return nil, err
			}
		}
	}
	return list, nil
}

// inventory says what a valid configuration has.
func inventory(cfg *otelcol.Config) string {
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
