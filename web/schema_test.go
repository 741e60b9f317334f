package web

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/web/api"
)

// document is openapi.yaml.
type document map[string]any

func openDocument(t testing.TB) document {
	t.Helper()
	parsed, err := confmap.NewRetrievedFromYAML(api.OpenAPI)
	require.NoError(t, err)
	raw, err := parsed.AsRaw()
	require.NoError(t, err)
	return document(raw.(map[string]any))
}

// at follows keys into the document, and references on the way.
func (d document) at(t testing.TB, keys ...string) map[string]any {
	t.Helper()
	node := map[string]any(d)
	for _, key := range keys {
		next, ok := node[key].(map[string]any)
		require.True(t, ok, "openapi.yaml has no %s in %s", key, strings.Join(keys, " "))
		node = d.resolve(t, next)
	}
	return node
}

func (d document) resolve(t testing.TB, node map[string]any) map[string]any {
	t.Helper()
	if ref, ok := node["$ref"].(string); ok {
		require.True(t, strings.HasPrefix(ref, "#/"), ref)
		return d.at(t, strings.Split(ref[2:], "/")...)
	}
	return node
}

// keywords are the keywords that check understands: a schema with another would be checked less than it says.
var keywords = []string{"type", "enum", "required", "properties", "additionalProperties", "items", "pattern", "format", "minimum", "description", "examples", "default"}

// check lists where a value is not what the schema says. It knows the part of JSON Schema that openapi.yaml uses, and
// is stricter in one way: an object must not have properties that its schema does not describe.
func (d document) check(t testing.TB, schema map[string]any, value any, path string) (wrong []string) {
	t.Helper()
	schema = d.resolve(t, schema)
	fail := func(format string, args ...any) { wrong = append(wrong, path+": "+fmt.Sprintf(format, args...)) }
	for keyword := range schema {
		require.Contains(t, keywords, keyword, "in the schema of %s", path)
	}
	if types := listOf(schema["type"]); len(types) > 0 && !slices.ContainsFunc(types, func(t any) bool { return isA(value, t.(string)) }) {
		fail("%v (%T) is not %v", value, value, types)
		return wrong
	}
	if options, ok := schema["enum"].([]any); ok && !slices.Contains(options, value) {
		fail("%v is none of %v", value, options)
	}
	switch value := value.(type) {
	case string:
		if pattern, ok := schema["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(value) {
			fail("%q does not match %s", value, pattern)
		}
		if _, err := time.Parse(time.RFC3339Nano, value); schema["format"] == "date-time" && err != nil {
			fail("%v", err)
		}
	case float64:
		if least, ok := schema["minimum"].(int); ok && value < float64(least) {
			fail("%v is less than %d", value, least)
		}
	case []any:
		if items, ok := schema["items"].(map[string]any); ok {
			for i, item := range value {
				wrong = append(wrong, d.check(t, items, item, fmt.Sprintf("%s[%d]", path, i))...)
			}
		}
	case map[string]any:
		wrong = append(wrong, d.checkObject(t, schema, value, path)...)
	}
	return wrong
}

func (d document) checkObject(t testing.TB, schema, value map[string]any, path string) (wrong []string) {
	t.Helper()
	for _, name := range listOf(schema["required"]) {
		if _, ok := value[name.(string)]; !ok {
			wrong = append(wrong, fmt.Sprintf("%s: %s is missing", path, name))
		}
	}
	properties, closed := schema["properties"].(map[string]any)
	rest, open := schema["additionalProperties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(value)) {
		at := path + "." + name
		switch property, ok := properties[name].(map[string]any); {
		case ok:
			wrong = append(wrong, d.check(t, property, value[name], at)...)
		case open:
			wrong = append(wrong, d.check(t, rest, value[name], at)...)
		case closed:
			wrong = append(wrong, at+": is not described")
		}
	}
	return wrong
}

func listOf(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

func isA(value any, kind string) bool {
	switch v := value.(type) {
	case nil:
		return kind == "null"
	case bool:
		return kind == "boolean"
	case string:
		return kind == "string"
	case float64:
		return kind == "number" || kind == "integer" && v == math.Trunc(v)
	case []any:
		return kind == "array"
	case map[string]any:
		return kind == "object"
	default:
		return false
	}
}

// TestCheck makes sure that the checker finds what is wrong.
func TestCheck(t *testing.T) {
	d := openDocument(t)
	delivery := d.at(t, "components", "schemas", "Delivery")
	good := func() map[string]any {
		return map[string]any{
			"id": "1", "idempotency_key": "k", "receiver": "r", "objective": "o", "transition": "firing", "state": "pending", "attempts": 1.0,
			"created_at": "2026-01-31T12:00:00Z", "next_attempt_at": nil, "delivered_at": nil, "last_error": "",
		}
	}
	assert.Empty(t, d.check(t, delivery, good(), "$"))
	for name, wrong := range map[string]struct {
		value any
		want  string
	}{
		"id":              {1.0, "$.id: 1 (float64) is not [string]"},
		"attempts":        {1.5, "$.attempts: 1.5 (float64) is not [integer]"},
		"transition":      {"silenced", "$.transition: silenced is none of [firing escalated resolved]"},
		"created_at":      {"noon", "cannot parse"},
		"next_attempt_at": {true, "$.next_attempt_at: true (bool) is not [string null]"},
		"extra":           {"", "$.extra: is not described"},
	} {
		v := good()
		v[name] = wrong.value
		assert.Contains(t, strings.Join(d.check(t, delivery, v, "$"), "\n"), wrong.want)
	}
	v := good()
	delete(v, "last_error")
	assert.Equal(t, []string{"$: last_error is missing"}, d.check(t, delivery, v, "$"))
	labels := d.at(t, "components", "schemas", "Labels")
	assert.Equal(t, []string{"$.a: 1 (float64) is not [string]"}, d.check(t, labels, map[string]any{"a": 1.0}, "$"))
}
