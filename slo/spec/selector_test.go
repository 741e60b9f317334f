package spec_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/match"
	"github.com/slowburn/slowburn/slo/spec"
)

// load builds the indicator of an objective whose indicator is given as YAML.
func load(t *testing.T, indicator string) slo.Indicator {
	t.Helper()
	path := filepath.Join(t.TempDir(), "o.yaml")
	require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, "objectives: [{name: a, target: 99, %s}]", indicator), 0o600))
	objectives, err := spec.Load(nil, []string{path})
	require.NoError(t, err, indicator)
	return objectives[0].Indicator
}

func text(t *testing.T, value any) *match.Text {
	parsed, err := match.ParseText("", value)
	require.NoError(t, err)
	return &parsed
}

func TestSelector(t *testing.T) {
	for _, tt := range []struct {
		yaml string
		want slo.Indicator
	}{
		{`availability: {service: checkout, kind: server, operations: POST /orders, attributes: {shard: 7, canary: true, none: ""}}`,
			slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{Service: "checkout", Kind: "server",
				Operations: []string{"POST /orders"}, Attributes: map[string]string{"shard": "7", "canary": "true", "none": ""}}}},
		{`availability: {service: "", kind: null, bad: server, exclude: []}`, slo.Indicator{Type: slo.Availability}},
		{`availability: {service: [a, b], kind: "!=internal", operations: =~GET .*, version: "1.10", attributes: {x: "!~.*", y: z}}`,
			slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{Attributes: map[string]string{"y": "z"}, Where: &match.Condition{
				Service: text(t, []any{"a", "b"}), Kind: text(t, "!=internal"), Operation: text(t, "=~GET .*"), Version: text(t, "1.10"),
				Attributes: map[string]match.Text{"x": *text(t, "!~.*")}}}}},
		{`availability: {kind: unspecified}`, slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{Where: &match.Condition{Kind: text(t, "unspecified")}}}},
		{`availability: {bad: user}`, slo.Indicator{Type: slo.Availability, Bad: match.Presets[1].Conditions}},
		{`latency: {threshold: 1ns, bad: server, exclude: user}`,
			slo.Indicator{Type: slo.Latency, Threshold: 1, Bad: match.Failed(), Exclude: match.Presets[1].Conditions}},
	} {
		assert.Equal(t, tt.want, load(t, tt.yaml), tt.yaml)
	}
}

// TestServiceOfAnObjective checks that an objective is about its indicator's service, if that is a single one.
func TestServiceOfAnObjective(t *testing.T) {
	dir := t.TempDir()
	for yaml, want := range map[string]string{"checkout": "checkout", "=checkout": "checkout", "[a, b]": "", "=~a.*": ""} {
		path := filepath.Join(dir, "o.yaml")
		require.NoError(t, os.WriteFile(path, fmt.Appendf(nil, "objectives: [{name: a, target: 99, availability: {service: %q}}]", yaml), 0o600))
		if yaml == "[a, b]" {
			require.NoError(t, os.WriteFile(path, []byte("objectives: [{name: a, target: 99, availability: {service: [a, b]}}]"), 0o600))
		}
		objectives, err := spec.Load(nil, []string{path})
		require.NoError(t, err)
		assert.Equal(t, want, objectives[0].Service, yaml)
	}
}

// TestIndicatorsThatCountTheSameAreEqual checks that the JSON of indicators, by which the ledger notices that an objective counts
// something else, is the same for those that count the same, and for no others.
func TestIndicatorsThatCountTheSameAreEqual(t *testing.T) {
	seen := map[string]string{}
	for _, group := range [][]string{
		{`availability: {}`, `availability: {bad: server}`, `availability: {bad: [server], exclude: []}`, `availability: {service: ""}`},
		{`availability: {service: a}`, `availability: {service: =a}`, `availability: {service: [a]}`},
		{`availability: {service: =~a}`},
		{`availability: {service: "!=a"}`},
		{`availability: {operations: [a, b]}`, `availability: {operations: [b, a, =a]}`},
		{`availability: {operations: [a, b, =~c]}`},
		{`availability: {version: a}`},
		{`availability: {attributes: {a: b}}`},
		{`availability: {attributes: {a: [b, c]}}`, `availability: {attributes: {a: [c, b]}}`},
		{`availability: {bad: user}`},
		{`availability: {bad: [server, user]}`, `availability: {bad: [user, server, user]}`},
		{`availability: {bad: {http.response.status_code: 5xx}}`, `availability: {bad: [{http.response.status_code: 500-599}]}`},
		{`availability: {exclude: {operations: a}}`, `availability: {exclude: [{operations: [a]}]}`},
		{`latency: {threshold: 1s}`},
		{`latency: {threshold: 1s, bad: server}`},
		{`latency: {threshold: 2s}`},
	} {
		for _, yaml := range group {
			key, err := json.Marshal(load(t, yaml))
			require.NoError(t, err)
			if first, ok := seen[string(key)]; ok {
				require.Equal(t, group[0], first, yaml)
			}
			seen[string(key)] = group[0]
		}
	}
	require.Len(t, seen, 16, "each group has a key of its own")
}
