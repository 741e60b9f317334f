package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// sections are the top-level keys of a configuration.
var sections = []string{"receivers", "processors", "connectors", "exporters", "extensions", "service"}

// others are files with configurations of other programs, or with mistakes on purpose. A name covers all files that begin with it.
var others = map[string]string{
	"bench/configs/contrib":           "contrib's Collector",
	"bench/configs/nop.yaml":          "has the receiver and exporter nop",
	"processor/otlp/wirepath/":        "pipelines with components that are not in the binary",
	"deploy/helm/slowburn/templates/": "templates",
	"deploy/check-chart/bad-":         "wrong on purpose",
	"slo/spec/testdata/":              "wrong on purpose",
}

func compileSchema(t *testing.T) *jsonschema.Schema {
	var printed bytes.Buffer
	cmd := command()
	cmd.SetArgs([]string{"schema"})
	cmd.SetOut(&printed)
	require.NoError(t, cmd.Execute())
	doc, err := jsonschema.UnmarshalJSON(&printed)
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	require.NoError(t, c.AddResource("config.schema.json", doc))
	schema, err := c.Compile("config.schema.json")
	require.NoError(t, err)
	return schema
}

// TestSchemaAcceptsAllConfigurations validates every configuration of the repository by the schema: files, ConfigMaps, and the snippets
// of the docs.
func TestSchemaAcceptsAllConfigurations(t *testing.T) {
	schema := compileSchema(t)
	found := 0
	check := func(name string, text []byte) {
		for i, conf := range configurations(t, text) {
			found++
			assert.NoError(t, schema.Validate(conf), "%s, configuration %d", name, i+1)
		}
	}
	root := "../.."
	require.NoError(t, filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(filepath.ToSlash(file), root+"/")
		if d.IsDir() {
			if slices.Contains([]string{".git", "node_modules", ".venv", "bin", "slowburn-data", "artifacts"}, d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		for other := range others {
			if strings.HasPrefix(name, other) {
				return nil
			}
		}
		switch ext := filepath.Ext(file); {
		case strings.HasSuffix(name, ".bad.yaml"): // of tests of mistakes
		case ext == ".yaml", ext == ".yml":
			text, err := os.ReadFile(file)
			check(name, text)
			return err
		case ext == ".md":
			text, err := os.ReadFile(file)
			for i, block := range yamlBlock.FindAllSubmatch(text, -1) {
				check(fmt.Sprintf("%s, block %d", name, i+1), block[1])
			}
			return err
		}
		return nil
	}))
	require.Greater(t, found, 80, "the configurations were not found")
}

// configurations returns the configurations in a YAML text, including those within its strings.
func configurations(t *testing.T, text []byte) (found []any) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	for {
		var doc any
		if err := decoder.Decode(&doc); err != nil {
			return found // the end, or invalid YAML, which another test covers
		}
		found = append(found, within(t, doc)...)
	}
}

func within(t *testing.T, value any) (found []any) {
	switch value := value.(type) {
	case map[string]any:
		if isConfiguration(value) {
			return []any{value}
		}
		for _, v := range value {
			found = append(found, within(t, v)...)
		}
	case []any:
		for _, v := range value {
			found = append(found, within(t, v)...)
		}
	case string:
		if strings.Contains(value, "service:") && strings.Contains(value, "\n") {
			return configurations(t, []byte(value))
		}
	}
	return found
}

func isConfiguration(value map[string]any) bool {
	known := 0
	for key, v := range value {
		_, object := v.(map[string]any)
		if !slices.Contains(sections, key) || v != nil && !object {
			return false
		}
		known++
	}
	return known > 0
}

// TestSchemaRefuses checks that the schema reports mistakes at their places.
func TestSchemaRefuses(t *testing.T) {
	schema := compileSchema(t)
	for config, where := range map[string]string{
		"processor: {}": "",
		"processors: {tail_sampling: {polices: []}}":                                                        "/processors/tail_sampling",
		"processors: {tail_sampling/two: {policies: [{name: a, type: latncy}]}}":                            "/processors/tail_sampling~1two/policies/0/type",
		"processors: {tail_sampling: {policies: [{name: a, type: latency}]}}":                               "/processors/tail_sampling/policies/0",
		"processors: {tail_sampling: {policies: [{type: always_sample}]}}":                                  "/processors/tail_sampling/policies/0",
		"processors: {tail_sampling: {policies: [{name: a, type: latency, latency: {threshold: 5}}]}}":      "/processors/tail_sampling/policies/0/latency",
		"processors: {tail_sampling: {rules: [{name: a, sample: 101}]}}":                                    "/processors/tail_sampling/rules/0/sample",
		"processors: {tail_sampling: {storage: floppy}}":                                                    "/processors/tail_sampling/storage",
		"processors: {tail_sampling: {decision_wait: soon}}":                                                "/processors/tail_sampling/decision_wait",
		"processors: {tail_sampling: {watch: 300}}":                                                         "/processors/tail_sampling/watch",
		"processors: {tail_sampling: {disk_budget: 4096}}":                                                  "/processors/tail_sampling/disk_budget",
		"processors: {tail_sampling: {disk_budget: 4 apples}}":                                              "/processors/tail_sampling/disk_budget",
		"processors: {tail_sampling: {num_shards: 257}}":                                                    "/processors/tail_sampling/num_shards",
		"processors: {tail_sampling: {destinations: []}}":                                                   "/processors/tail_sampling",
		"receivers: {otlp: {protocols: {grpc: {endpoint: 4317}}}}":                                          "/receivers/otlp/protocols/grpc/endpoint",
		"receivers: {otlp: {wire_path: true}}":                                                              "/receivers/otlp",
		"receivers: {otpl: {}}":                                                                             "/receivers",
		"extensions: {slo: {objectives: [{name: a, taget: 99}]}}":                                           "/extensions/slo/objectives/0",
		"extensions: {slo: {objectives: [{name: a, target: 99, latency: {threshold: 1s, kind: servant}}]}}": "/extensions/slo/objectives/0/latency/kind",
		"extensions: {web: {max_connections: 1}}":                                                           "/extensions/web/max_connections",
		"exporters: {otlp_grpc/backend: {tls: {insecure: perhaps}}}":                                        "/exporters/otlp_grpc~1backend/tls/insecure",
		"service: {pipelines: {spans: {}}}":                                                                 "/service/pipelines",
		"service: {pipelines: {traces: {receiver: [otlp]}}}":                                                "/service/pipelines/traces",
	} {
		var value any
		require.NoError(t, yaml.Unmarshal([]byte(config), &value))
		err := schema.Validate(value)
		var invalid *jsonschema.ValidationError
		if !assert.ErrorAs(t, err, &invalid, config) {
			continue
		}
		assert.Contains(t, places(invalid), where, config)
	}
	for _, config := range []string{
		"processors: {tail_sampling: {num_shards: '${env:SHARDS}', storage: '${env:STORAGE:-disk}', policies: '${file:policies.yaml}'}}",
		"processors: {tail_sampling: {decision_wait: 1m30s, memory_budget: 1.5GiB, watch: '0'}}",
		"exporters: {trace_store: }",
	} {
		var value any
		require.NoError(t, yaml.Unmarshal([]byte(config), &value))
		assert.NoError(t, schema.Validate(value), config)
	}
}

// places returns where a configuration does not fit the schema, as JSON pointers.
func places(err *jsonschema.ValidationError) (found []string) {
	if len(err.Causes) == 0 {
		pointer := ""
		for _, part := range err.InstanceLocation {
			pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(part)
		}
		return []string{pointer}
	}
	for _, cause := range err.Causes {
		found = append(found, places(cause)...)
	}
	return found
}
