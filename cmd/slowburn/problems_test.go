package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Everything that is wrong in ten components is said at once, a line each, with its component and key.
func TestAllProblemsAtOnce(t *testing.T) {
	out, err := slowburnSays(t, "validate", "--config", "../../config.yaml", "--config", "testdata/ten.bad.yaml")
	require.Error(t, err, out)
	for _, line := range []string{
		"the configuration has 15 problems:",
		"receivers::otlp::receive_timout: is no key: write receive_timeout, if that is meant",
		"processors::memory_limiter::check_interval: must be greater than zero",
		"processors::reconstruct::max_spans: must be a whole number, not a text",
		"processors::tail_sampling::memory_budget: 100 has no unit: write 100B, 100MiB or 100MB, whichever it is",
		`processors::tail_sampling::storage: "floppy" is not known: use "disk" or "memory"`,
		"connectors::sli::interval: 7s must divide a minute",
		"exporters::otlp_grpc/backend::max_request_size: 1KiB is not between 64KiB and 1GiB",
		"exporters::trace_store::max_bytes: is 5B: set it to at least 1MiB",
		"exporters::tsdb::extension: id must not be empty",
		`extensions::slo::objectives[0]: (a b): name: "a b" must be 1 to 128 letters`,
		"extensions::slo::objectives[0]: (a b): taget is no key: write target, if that is meant",
		"extensions::tsdb::retention: must be at least 2h",
		"extensions::web::max_header_size: 1B is out of bounds",
	} {
		assert.ErrorContains(t, err, line)
	}
}

// What is wrong with a file as such names the file; a second file without the first says what to put before it.
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
	assert.Contains(t, out, "Warning: processors::memory_limiter::check_interval: 1000000000 has no unit, and is 1s: write what is meant")
	assert.Contains(t, out, "Warning: processors::tail_sampling::decision_wait: 30000000000 has no unit, and is 30s")
}
