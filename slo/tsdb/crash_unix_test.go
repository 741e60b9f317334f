//go:build unix

package tsdb

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// crashDirectory tells the test binary to write there and die.
const crashDirectory = "SLOWBURN_TEST_TSDB_CRASH"

// TestCrash kills a process that has written, without a shutdown, and finds all that was acknowledged.
func TestCrash(t *testing.T) {
	const written = 50
	base := now().Add(-time.Minute).Truncate(time.Minute)
	if dir := os.Getenv(crashDirectory); dir != "" {
		config := testConfig(t)
		config.Directory = dir
		x := startExporter(t, start(t, config))
		for i := range written {
			md, sm := resource(gateway)
			addPoint(newSum(sm, "c", cumulative), base.Add(time.Duration(i)*time.Second), int64(i))
			require.NoError(t, x.ConsumeMetrics(t.Context(), md))
		}
		require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGKILL))
		select {}
	}

	config := testConfig(t)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrash$")
	child.Env = append(os.Environ(), crashDirectory+"="+config.Directory)
	out, err := child.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", out)
	require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal(), "%s", out)

	e := start(t, config)
	assert.Len(t, samples(t, e, `c_total[1h]`, base.Add(time.Minute)), written)
	assert.Contains(t, e.Probe(t.Context()).Message, "1 series")
}
