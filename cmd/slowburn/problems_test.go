package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// All mistakes in ten components are reported at once, a line each, with component and key.
func TestAllProblemsAtOnce(t *testing.T) {
	out, err := slowburnSays(t, "validate", "--config", "../../config.yaml", "--config", "testdata/ten.bad.yaml")
	require.Error(t, err, out)
	for _, line := range []string{
		"the configuration has 15 problems:",
		"receivers::otlp::receive_timout: is no key; write receive_timeout, if that is meant",
		"processors::memory_limiter::check_interval: must be greater than zero",
		"processors::reconstruct::max_spans: must be a whole number, not a text",
		"processors::tail_sampling::memory_budget: 100 has no unit; write 100B, 100MiB or 100MB, whichever it is",
		`processors::tail_sampling::storage: "floppy" is not one of disk, memory`,
		"connectors::sli::interval: 7s does not divide a minute, or is below 1s; write 5s, 10s, 15s or 30s",
		"exporters::otlp_grpc/backend::max_request_size: 1KiB is not from 64KiB to 1GiB; write 4MiB",
		"exporters::trace_store::max_bytes: 5B is too few; write at least 1MiB",
		"exporters::tsdb::extension: id must not be empty",
		`extensions::slo::objectives[0] "a b"::name: "a b" is no name; write 1 to 128 letters`,
		`extensions::slo::objectives[0] "a b"::taget: is no key; write target, if that is meant`,
		"extensions::tsdb::retention: 1m is too short; write at least 2h",
		"extensions::web::max_header_size: 1B is not from 4KiB to 1MiB; write",
	} {
		assert.ErrorContains(t, err, line)
	}
}

// An error of a file as a whole names the file; a second file without the first gets the hint to put config.yaml before it.
func TestProblemsOfFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	broken := write("broken.yaml", "receivers:\n  otlp: {a: b\nx: ]")
	_, err := slowburnSays(t, "validate", "--config", "../../config.yaml", "--config", broken)
	require.ErrorContains(t, err, broken+": ")
	require.ErrorContains(t, err, "yaml: line")
	second := write("second.yaml", "processors: {tail_sampling: {decision_wait: 30s}}")
	_, err = slowburnSays(t, "validate", "--config", second)
	require.ErrorContains(t, err, "put --config config.yaml before it")
	require.ErrorContains(t, err, "slowburn --config config.yaml --config "+second)

	foreign := write("foreign.yaml", "processors: {tail_sampling: {decision_wait: 30000000000}, memory_limiter: {check_interval: 1000000000}}")
	out, err := slowburnSays(t, "validate", "--config", "../../config.yaml", "--config", foreign)
	require.NoError(t, err, out)
	assert.Contains(t, out, "Warning: processors::memory_limiter::check_interval: 1000000000 has no unit, and is 1s; write what is meant")
	assert.Contains(t, out, "Warning: processors::tail_sampling::decision_wait: 30000000000 has no unit, and is 30s")
}

// Errors in service are reported like those of components: all at once, each with its key.
func TestProblemsOfService(t *testing.T) {
	for name, c := range map[string]struct {
		yaml string
		want []string
	}{
		"names that are not defined": {"service: {extensions: [tsbd, slo, web], pipelines: {traces/in: {receivers: [otpl], exporters: [sli]}, traces/sampled: {processors: [tail_smapling, elsewhere]}}}", []string{
			`service::extensions[0]: there is no extension "tsbd"; write tsdb, if that is meant`,
			`service::pipelines::traces/in::receivers[0]: there is no receiver "otpl"; write otlp, if that is meant`,
			`service::pipelines::traces/sampled::processors[0]: there is no processor "tail_smapling"; write tail_sampling, if that is meant`,
			`service::pipelines::traces/sampled::processors[1]: there is no processor "elsewhere"; define it under processors`,
		}},
		"types that there are not": {"receivers: {jaeger: {}}\nexporters: {otlp_grcp/x: {}}", []string{
			`exporters::otlp_grcp/x: "otlp_grcp" is no type of exporter; write otlp_grpc, if that is meant`,
			`receivers::jaeger: "jaeger" is no type of receiver; write one of otlp`,
		}},
		"keys that nothing reads": {"receivrs: {}\nservice: {extension: [web], telemetry: {metrics: {lvel: none}}, pipelines: {metrics: {exporter: [tsdb]}}}", []string{
			`receivrs: is no key; write receivers, if that is meant`,
			`service::extension: is no key; write extensions, if that is meant`,
			`service::pipelines::metrics::exporter: is no key; write exporters, if that is meant`,
			`service::telemetry::metrics::lvel: is no key; write level, if that is meant`,
		}},
		"signals": {"service: {pipelines: {trace/x: {receivers: [otlp], exporters: [trace_store]}, metrics: {exporters: [trace_store]}}}", []string{
			`service::pipelines::metrics::exporters: trace_store does not go with metrics; it may stand in a pipeline of traces`,
			`service::pipelines::trace/x: "trace" is no signal; write traces, if that is meant`,
		}},
		"lists": {"service: {extensions: web, pipelines: {traces/in: {receivers: [], processors: memory_limiter}, traces/sampled: {processors: [reconstruct, reconstruct]}}}", []string{
			`service::extensions: must be a list of extensions`,
			`service::pipelines::traces/in::processors: must be a list of processors`,
			`service::pipelines::traces/in::receivers: is empty; write at least one receiver`,
			`service::pipelines::traces/sampled::processors: "reconstruct" is in the list twice; remove one`,
		}},
		"connectors": {"connectors: {sli/other: {}, sli/third: {}}\nservice: {pipelines: {traces/in: {exporters: [sli, sli/other]}, metrics: {receivers: [otlp, sli, sli/third]}}}", []string{
			`connectors::sli/other: is among the exporters of service::pipelines::traces/in and the receivers of none; name it under receivers of another pipeline`,
			`connectors::sli/third: is among the receivers of service::pipelines::metrics and the exporters of none; name it under exporters of another pipeline`,
		}},
		"telemetry": {"service: {telemetry: {logs: {level: loud}, metrics: {level: none}}}", []string{`service::telemetry::logs::level: `}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := slowburnSays(t, "validate", "--config", "../../config.yaml", "--config", "yaml:"+c.yaml)
			require.Error(t, err)
			lines := strings.Split(err.Error(), "\n")[1:]
			require.Len(t, lines, len(c.want), err.Error())
			slices.Sort(lines)
			for i, want := range c.want {
				assert.Contains(t, lines[i], "  "+want)
			}
		})
	}
}
