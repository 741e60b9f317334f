package api

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

// answers are the structures of whole answers. The structures of their parts are reached from here.
var answers = []any{
	Problem{}, Readiness{}, Caller{}, Objectives{}, Overview{}, History{}, Breakdown{}, Endpoints{}, Services{}, TracePage{}, Trace{}, SamplingStatus{}, ObjectiveTraces{},
	SamplingCost{}, Policies{}, Shadow{}, Decision{}, Destinations{}, Drain{}, Retried{}, Alerts{}, Deliveries{},
}

// TestStructuresAreTheSchemas: each structure has exactly the fields of the schema of its name, in JSON's names; fields that the
// schema requires are always present. A schema without a structure fails, too.
func TestStructuresAreTheSchemas(t *testing.T) {
	parsed, err := confmap.NewRetrievedFromYAML(OpenAPI)
	require.NoError(t, err)
	document, err := parsed.AsConf()
	require.NoError(t, err)
	schemas := document.Get("components::schemas").(map[string]any)
	structures := map[string]reflect.Type{}
	for _, answer := range answers {
		reach(reflect.TypeOf(answer), structures)
	}
	for name, schema := range schemas {
		if _, structured := schema.(map[string]any)["properties"]; structured {
			assert.Contains(t, structures, name)
		}
	}
	for name, structure := range structures {
		schema, described := schemas[name].(map[string]any)
		if !assert.True(t, described, "openapi.yaml has no schema %s", name) {
			continue
		}
		var properties, required []string
		for property := range schema["properties"].(map[string]any) {
			properties = append(properties, property)
		}
		for _, property := range schema["required"].([]any) {
			required = append(required, property.(string))
		}
		has, always := fieldsOf(structure)
		assert.ElementsMatch(t, properties, has, name)
		assert.ElementsMatch(t, required, always, "required in %s", name)
	}
}

// reach collects the structures of this package that a type consists of. Embedded ones count as part of their structure.
func reach(t reflect.Type, found map[string]reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		reach(t.Elem(), found)
	case reflect.Struct:
		if t.PkgPath() != reflect.TypeFor[Problem]().PkgPath() {
			return
		}
		found[t.Name()] = t
		for _, field := range reflect.VisibleFields(t) {
			if !field.Anonymous {
				reach(field.Type, found)
			}
		}
	default:
	}
}

// fieldsOf returns the JSON names of a structure's fields, and those that are always present.
func fieldsOf(t reflect.Type) (all, always []string) {
	for _, field := range reflect.VisibleFields(t) {
		if field.Anonymous {
			continue
		}
		options := strings.Split(field.Tag.Get("json"), ",")
		all = append(all, options[0])
		if !slices.Contains(options, "omitempty") {
			always = append(always, options[0])
		}
	}
	return all, always
}
