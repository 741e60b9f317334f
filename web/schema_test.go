package web

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
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
	body, err := json.Marshal(raw)
	require.NoError(t, err)
	d, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	require.NoError(t, err)
	closeObjects(d)
	return document(d.(map[string]any))
}

// closeObjects forbids properties outside the schema. The document itself does not: a later version may add some, which clients
// must ignore.
func closeObjects(node any) {
	switch node := node.(type) {
	case map[string]any:
		if _, described := node["properties"]; described && node["type"] == "object" {
			node["additionalProperties"] = false
		}
		for _, next := range node {
			closeObjects(next)
		}
	case []any:
		for _, next := range node {
			closeObjects(next)
		}
	}
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

// schema is a schema of the document, or a reference to one.
func (d document) schema(t testing.TB, schema map[string]any) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("https://contract/", map[string]any{"components": d["components"], "wanted": schema}))
	compiled, err := c.Compile("https://contract/#/wanted")
	require.NoError(t, err)
	return compiled
}

// TestValidationFindsMistakes checks that validation finds mistakes.
func TestValidationFindsMistakes(t *testing.T) {
	delivery := openDocument(t).schema(t, map[string]any{"$ref": "#/components/schemas/Delivery"})
	good := func() map[string]any {
		return map[string]any{
			"id": "1", "idempotency_key": "k", "receiver": "r", "objective": "o", "transition": "firing", "state": "pending", "attempts": 1,
			"created_at": "2026-01-31T12:00:00Z", "next_attempt_at": nil, "delivered_at": nil, "last_error": "",
		}
	}
	assert.NoError(t, delivery.Validate(good()))
	for name, wrong := range map[string]any{
		"id": 1, "attempts": 1.5, "transition": "silenced", "created_at": "noon", "next_attempt_at": true, "extra": "",
	} {
		v := good()
		v[name] = wrong
		assert.ErrorContains(t, delivery.Validate(v), name)
	}
	v := good()
	delete(v, "last_error")
	assert.ErrorContains(t, delivery.Validate(v), "last_error")
}
