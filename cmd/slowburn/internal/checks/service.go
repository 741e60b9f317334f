package checks

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/slowburn/slowburn/internal/problems"
)

// signals are the signals of pipelines.
var signals = []string{"traces", "metrics", "logs"}

// roles are the lists of a pipeline, each with the sections that define its components.
var roles = []struct {
	list, one string
	sections  []string
	needed    bool
}{
	{"receivers", "receiver", []string{"receivers", "connectors"}, true},
	{"processors", "processor", []string{"processors"}, false},
	{"exporters", "exporter", []string{"exporters", "connectors"}, true},
}

// serviceCheck checks how service puts components together.
type serviceCheck struct {
	factories otelcol.Factories
	defined   map[string][]string // names of components by section, sorted
	list      []problems.Problem
}

// serviceProblems returns all problems of the top-level sections, of service, and of the components that service names.
func serviceProblems(conf *confmap.Conf, factories otelcol.Factories) []problems.Problem {
	c := serviceCheck{factories: factories, defined: map[string][]string{}}
	for _, section := range classes {
		components, _ := conf.Get(section).(map[string]any)
		c.defined[section] = slices.Sorted(maps.Keys(components))
	}
	c.unknown("", conf.ToStringMap(), append(slices.Clone(classes), "service"))
	c.ambiguous()
	service, ok := conf.Get("service").(map[string]any)
	if !ok {
		if conf.Get("service") != nil {
			c.wrong("service", "must be a map of keys")
		}
		return c.list
	}
	c.unknown("service::", service, []string{"extensions", "pipelines", "telemetry"})
	c.telemetry(conf)
	c.references("service::extensions", service["extensions"], "extension", []string{"extensions"})
	pipelines, ok := service["pipelines"].(map[string]any)
	if !ok && service["pipelines"] != nil {
		c.wrong("service::pipelines", "must be a map of pipelines")
	}
	for _, name := range slices.Sorted(maps.Keys(pipelines)) {
		c.pipeline(name, pipelines[name])
	}
	c.connectors(pipelines)
	return c.list
}

func (c *serviceCheck) wrong(key, format string, args ...any) {
	c.list = append(c.list, problems.Problem{Key: key, Text: fmt.Sprintf(format, args...)})
}

// unknown reports keys that nothing reads.
func (c *serviceCheck) unknown(prefix string, values map[string]any, known []string) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(known, key) {
			c.wrong(prefix+key, "is no key%s", orOneOf(problems.Suggestion(key, known), known))
		}
	}
}

// ambiguous reports connectors with the name of a receiver or an exporter.
func (c *serviceCheck) ambiguous() {
	for _, name := range c.defined["connectors"] {
		for _, section := range []string{"receivers", "exporters"} {
			if slices.Contains(c.defined[section], name) {
				c.wrong("connectors::"+name, "has the name of %s::%s, and pipelines cannot tell them apart; write another, such as %s/connector", section, name, name)
			}
		}
	}
}

// telemetry checks the configuration of the Collector's own telemetry.
func (c *serviceCheck) telemetry(conf *confmap.Conf) {
	const key = "service::telemetry"
	if c.factories.Telemetry == nil || conf.Get(key) == nil {
		return
	}
	own, err := conf.Sub(key)
	if err != nil {
		c.wrong(key, "must be a map of keys")
		return
	}
	before := len(c.list)
	sections := reflect.ValueOf(c.factories.Telemetry.CreateDefaultConfig()).Elem()
	var names []string
	for i := range sections.NumField() { // one by one: errors of a section that decodes itself lack its key
		name, _, _ := strings.Cut(sections.Type().Field(i).Tag.Get(confmap.MapstructureTag), ",")
		names = append(names, name)
		if own.Get(name) == nil {
			continue
		}
		section, err := own.Sub(name)
		if err != nil {
			c.wrong(key+confmap.KeyDelimiter+name, "must be a map of keys")
			continue
		}
		c.list = append(c.list, problems.Of(key+confmap.KeyDelimiter+name, section, sections.Field(i).Addr().Interface())...)
	}
	c.unknown(key+confmap.KeyDelimiter, own.ToStringMap(), names)
	if len(c.list) == before { // else the whole does not decode either
		c.list = append(c.list, problems.Of(key, own, c.factories.Telemetry.CreateDefaultConfig())...)
	}
}

// references checks a list of components' names, which sections define, and returns the names. noun is a component's name in a message.
func (c *serviceCheck) references(key string, value any, noun string, sections []string) (names []string) {
	list, ok := value.([]any)
	if !ok {
		if value != nil {
			c.wrong(key, "must be a list of %ss", noun)
		}
		return nil
	}
	var defined []string
	for _, section := range sections {
		defined = append(defined, c.defined[section]...)
	}
	for i, v := range list {
		at := fmt.Sprintf("%s[%d]", key, i)
		name, ok := v.(string)
		switch {
		case !ok:
			c.wrong(at, "%v is not the name of a component", v)
			continue
		case !slices.Contains(defined, name):
			c.wrong(at, "there is no %s %q%s", noun, name, cmp.Or(problems.Suggestion(name, defined), "; define it under "+strings.Join(sections, " or ")))
		}
		names = append(names, name)
	}
	return names
}

// pipeline checks one pipeline.
func (c *serviceCheck) pipeline(name string, value any) {
	key := "service::pipelines::" + name
	var id pipeline.ID
	signal, _, _ := strings.Cut(name, "/")
	switch err := id.UnmarshalText([]byte(name)); {
	case !slices.Contains(signals, signal) && signal != "profiles":
		c.wrong(key, "%q is no signal%s", signal, orOneOf(problems.Suggestion(signal, signals), signals))
	case err != nil:
		c.wrong(key, "%s", err.Error())
	}
	lists, ok := value.(map[string]any)
	if !ok && value != nil {
		c.wrong(key, "must be a map of receivers, processors and exporters")
		return
	}
	c.unknown(key+"::", lists, []string{"receivers", "processors", "exporters"})
	for _, role := range roles {
		at := key + "::" + role.list
		names := c.references(at, lists[role.list], role.one, role.sections)
		list, isList := lists[role.list].([]any)
		if role.needed && len(list) == 0 && (isList || lists[role.list] == nil) {
			c.wrong(at, "is empty; write at least one %s", role.one)
		}
		for i, name := range names {
			if role.list == "processors" && slices.Contains(names[:i], name) {
				c.wrong(at, "%q is in the list twice; remove one", name)
			}
			c.carries(at, role.list, name, signal)
		}
	}
}

// stabilities is a factory that has a stability for each signal.
type stabilities interface {
	TracesStability() component.StabilityLevel
	MetricsStability() component.StabilityLevel
	LogsStability() component.StabilityLevel
}

// carries reports components that do not support the signal of their pipeline.
func (c *serviceCheck) carries(key, list, name, signal string) {
	var id component.ID
	if id.UnmarshalText([]byte(name)) != nil || slices.Contains(c.defined["connectors"], name) {
		return // the Collector checks connectors by their direction
	}
	var factory stabilities
	switch list {
	case "receivers":
		if f, ok := c.factories.Receivers[id.Type()]; ok {
			factory = f
		}
	case "processors":
		if f, ok := c.factories.Processors[id.Type()]; ok {
			factory = f
		}
	case "exporters":
		if f, ok := c.factories.Exporters[id.Type()]; ok {
			factory = f
		}
	}
	if factory == nil {
		return
	}
	of := map[string]func() component.StabilityLevel{
		"traces": factory.TracesStability, "metrics": factory.MetricsStability, "logs": factory.LogsStability,
	}
	var has []string
	for _, s := range signals {
		if of[s]() != component.StabilityLevelUndefined {
			has = append(has, s)
		}
	}
	if slices.Contains(signals, signal) && !slices.Contains(has, signal) {
		c.wrong(key, "%s does not go with %s; it may stand in a pipeline of %s", name, signal, strings.Join(has, " or "))
	}
}

// connectors reports connectors that are only exporters, or only receivers, of pipelines.
func (c *serviceCheck) connectors(pipelines map[string]any) {
	for _, name := range c.defined["connectors"] {
		into, outOf := "", ""
		for _, p := range slices.Sorted(maps.Keys(pipelines)) {
			lists, _ := pipelines[p].(map[string]any)
			if hasName(lists["exporters"], name) {
				into = "service::pipelines::" + p
			}
			if hasName(lists["receivers"], name) {
				outOf = "service::pipelines::" + p
			}
		}
		switch {
		case into != "" && outOf == "":
			c.wrong("connectors::"+name, "is among the exporters of %s and the receivers of none; name it under receivers of another pipeline", into)
		case into == "" && outOf != "":
			c.wrong("connectors::"+name, "is among the receivers of %s and the exporters of none; name it under exporters of another pipeline", outOf)
		}
	}
}

// hasName reports whether a list holds a name.
func hasName(list any, name string) bool {
	names, _ := list.([]any)
	return slices.Contains(names, any(name))
}

// orOneOf returns the suggestion or, if that is empty, all names.
func orOneOf(suggestion string, names []string) string {
	return cmp.Or(suggestion, "; write one of "+strings.Join(names, ", "))
}
