package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")

// Every YAML snippet of the docs is a second file beside config.yaml that the gateway accepts.
func TestDocsValidate(t *testing.T) {
	t.Setenv("SLOWBURN_DATA_DIR", t.TempDir())
	pages, err := filepath.Glob("../../docs/*.md")
	require.NoError(t, err)
	references, err := filepath.Glob("../../docs/*/*.md")
	require.NoError(t, err)
	snippets := 0
	for _, page := range append(append(pages, references...), "../../README.md") {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for i, block := range yamlBlock.FindAllSubmatch(text, -1) {
			snippets++
			t.Run(fmt.Sprintf("%s/%d", filepath.Base(page), i+1), func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "snippet.yaml")
				require.NoError(t, os.WriteFile(file, block[1], 0o600))
				require.NoError(t, validate(t, "../../config.yaml", file))
			})
		}
	}
	require.Greater(t, snippets, 10, "the snippets were not found")
}

// An error names the key that is wrong.
func TestBadConfigIsNamed(t *testing.T) {
	t.Setenv("SLOWBURN_DATA_DIR", t.TempDir())
	for config, want := range map[string]string{
		"processors: {tail_sampling: {decision_wait: -1s}}":                                                       "decision_wait",
		"processors: {tail_sampling: {polices: []}}":                                                              "polices",
		"extensions: {slo: {objectives: [{name: a, target: 100, window: 30d, availability: {}}]}}":                "target",
		"extensions: {web: {base_path: slowburn/}}":                                                               "base_path",
		"service: {pipelines: {traces/sampled: {exporters: [nothing]}}}":                                          "nothing",
		"exporters: {trace_store: {retention: -1h}}":                                                              "retention",
		"connectors: {sli: {interval: 7s}}":                                                                       "interval",
		"extensions: {tsdb: {query: {max_samples: -1}}}":                                                          "max_samples",
		"receivers: {otlp: {wire_path: true}}":                                                                    "receivers::otlp::wire_path",
		"connectors: {sli: {wire_path: false}}":                                                                   "connectors::sli::wire_path",
		"processors: {tail_sampling: {destinations: []}}":                                                         "processors::tail_sampling::destinations",
		"{exporters: {debug: {sending_queue: {}}}, service: {pipelines: {traces/sampled: {exporters: [debug]}}}}": "exporters::debug::sending_queue",
	} {
		file := filepath.Join(t.TempDir(), "bad.yaml")
		require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
		require.ErrorContains(t, validate(t, "../../config.yaml", file), want, config)
	}
}
