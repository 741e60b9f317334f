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
	assert.Contains(t, out, "Warning: processors::memory_limiter::check_interval: 1000000000 has no unit, and is 1s; write what is meant")
	assert.Contains(t, out, "Warning: processors::tail_sampling::decision_wait: 30000000000 has no unit, and is 30s")
}
