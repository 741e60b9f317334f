package main

import (
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// TestMemoryIsShared: validate says how this machine's limit would be shared, a start with too little is refused with the key to
// lower, and the line is logged once.
func TestMemoryIsShared(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the memory limit is known on Linux")
	}
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	t.Setenv("SLOWBURN_DATA_DIR", t.TempDir())
	out, err := slowburnSays(t, "validate")
	require.NoError(t, err)
	assert.Regexp(t, `^Memory, with this machine's limit: limit \S+, GOMEMLIMIT \S+.*, intake_budget \S+, memory_budget \S+, sli \S+, tsdb \S+, .*rest \S+\n`, out)

	const tooMuch = "extensions::tsdb::max_series=99000000"
	out, err = slowburnSays(t, "validate", "--config", filepath.Join("..", "..", "config.yaml"), "--set", tooMuch)
	require.NoError(t, err, "the gateway may run elsewhere")
	assert.Contains(t, out, "lower extensions::tsdb::max_series (")
	_, err = slowburnSays(t, "--config", filepath.Join("..", "..", "config.yaml"), "--set", tooMuch)
	require.ErrorContains(t, err, "lower extensions::tsdb::max_series (")

	src := &source{}
	set := collectorSettings(src)
	src.settings = set.ConfigProviderSettings.ResolverSettings
	require.NoError(t, src.shareMemory(t.Context()))
	src.open = []string{"extensions::slo::directory: data has mode 0755"}
	core, logs := observer.New(zap.InfoLevel)
	logger := zap.New(core, set.LoggingOptions...)
	_ = logger.WithOptions(set.LoggingOptions...)
	require.Len(t, logs.FilterMessage("Memory is shared").All(), 1)
	fields := logs.All()[0].ContextMap()
	for _, name := range []string{"limit", "GOMEMLIMIT", "intake_budget", "memory_budget", "sli", "tsdb", "rest"} {
		assert.Contains(t, fields, name)
	}
	open := logs.FilterMessage(src.open[0]).All()
	require.Len(t, open, 1)
	assert.Equal(t, zap.WarnLevel, open[0].Level)
}
