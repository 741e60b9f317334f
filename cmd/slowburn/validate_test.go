package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestValidateWarns checks that validate prints the warnings of a start, each with its component, and succeeds.
func TestValidateWarns(t *testing.T) {
	for name, tt := range map[string]struct {
		yaml string
		want []string // parts of the lines, in order
	}{
		"the shipped configuration": {"", nil},
		"a rule behind one for all": {`
processors:
  tail_sampling:
    policies: []
    rules:
      - {name: all, sample: 5}
      - {name: errors, match: {type: status_code, status_code: {status_codes: [ERROR]}}, sample: always}
`, []string{`Warning: processors::tail_sampling: rules[1] "errors": is never asked`}},
		"an inverted match beside others, and a key without a meaning": {`
processors:
  tail_sampling:
    expected_new_traces_per_sec: 10
    policies:
      - {name: not-health, type: string_attribute, string_attribute: {key: http.route, values: [/health], invert_match: true}}
      - {name: rest, type: probabilistic, probabilistic: {sampling_percentage: 10}}
`, []string{"Warning: processors::tail_sampling: expected_new_traces_per_sec has no meaning here", `"not-health": string_attribute::invert_match`}},
		"a shadow": {`
processors:
  tail_sampling:
    shadow:
      policies: [{name: none, type: drop, drop: {drop_sub_policy: [{name: all, type: always_sample}]}}]
`, []string{"Warning: processors::tail_sampling: shadow::policies: all are of type drop"}},
		"nobody is told, and links lead nowhere": {`
extensions:
  slo:
    objectives: [{name: a, target: 99, window: 30d, availability: {kind: server}}]
    receivers: [{name: desk, webhook: {endpoint: "http://127.0.0.1:1/"}, severities: [ticket]}]
`, []string{"Warning: extensions::slo: alerts reach nobody: nobody is told of a page of objective a", "Warning: extensions::slo: links in notifications"}},
		"spans that nobody counts": {`
service: {pipelines: {metrics: {receivers: [otlp], exporters: [tsdb]}}}
`, []string{"Warning: connectors::sli: spans pass uncounted"}},
		"components that take decoded spans, and batch": {`
processors:
  batch: {}
  attributes: {actions: [{key: user, action: hash}]}
  transform: {}
service:
  pipelines:
    traces/in: {processors: [memory_limiter, attributes]}
    traces/sampled: {processors: [batch, tail_sampling, transform]}
`, []string{
			"Decoded: pipeline traces/in: spans of otlp are decoded: processor attributes: actions[0]: action hash is done on decoded spans",
			"Decoded: pipeline traces/sampled: kept traces are decoded for trace_store: processor transform behind tail_sampling takes decoded spans",
			"Warning: service::pipelines::traces/sampled::processors: batch is left out",
		}},
		"a dashboard whose operators nobody named, and metrics that anybody may read": {`
extensions:
  bearertokenauth: {token: secret}
  web: {auth: {authenticator: bearertokenauth}}
service:
  extensions: [bearertokenauth, tsdb, slo, web]
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: 0.0.0.0, port: 8888}}}}]}}
`, []string{"Warning: extensions::web: nobody may reload, promote, retry or drain", "Warning: extensions::web: the gateway's own metrics can be read without credentials"}},
		"a processor that no pipeline has": {`
processors:
  tail_sampling/other:
    expected_new_traces_per_sec: 10
    policies: [{name: all, type: always_sample}]
`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "ours.yaml")
			require.NoError(t, os.WriteFile(file, []byte(tt.yaml), 0o600))
			out, err := slowburnSays(t, "validate", "--config", "../../config.yaml", "--config", file)
			require.NoError(t, err, out)
			lines := strings.FieldsFunc(out, func(r rune) bool { return r == '\n' })
			require.Len(t, lines, 2+len(tt.want), out)
			assert.Contains(t, lines[0], "Memory, with this machine's limit: ")
			assert.Contains(t, lines[1], "Valid: 2 receivers, ")
			lines = lines[2:]
			for i, want := range tt.want {
				assert.Contains(t, lines[i], want)
			}
		})
	}
	out, err := slowburnSays(t, "validate")
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(out, "\n"), "without --config it is the shipped one, of which there is nothing to say but its memory and what it has: %s", out)
}

// TestValidateOfEmptyRules checks the error for an empty list of rules.
func TestValidateOfEmptyRules(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ours.yaml")
	require.NoError(t, os.WriteFile(file, []byte("processors: {tail_sampling: {policies: [], rules: []}}"), 0o600))
	_, err := slowburnSays(t, "validate", "--config", "../../config.yaml", "--config", file)
	require.ErrorContains(t, err, "processors::tail_sampling::rules: is empty; write at least one rule")
	assert.NotContains(t, err.Error(), "policies: is empty")
}

// TestValidateWarnsOfOpenDirectories checks that a data directory that other users can read causes one warning.
func TestValidateWarnsOfOpenDirectories(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.Mkdir(dir, 0o700))
	t.Setenv("SLOWBURN_DATA_DIR", dir)
	for mode, count := range map[os.FileMode]int{0o700: 0, 0o750: 0, 0o755: 1} {
		require.NoError(t, os.Chmod(dir, mode))
		out, err := slowburnSays(t, "validate")
		require.NoError(t, err, out)
		assert.Equal(t, count, strings.Count(out, "::directory: "+dir+" has mode 0755"), out)
	}
}
