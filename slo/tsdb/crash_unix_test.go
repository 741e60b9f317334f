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

// With a directory and a time in these variables, the test binary writes there from that time on and exits.
const (
	crashDirectory = "SLOWBURN_TEST_TSDB_CRASH"
	crashTime      = "SLOWBURN_TEST_TSDB_CRASH_TIME"
)

// TestCrash kills a process after it has written, without a shutdown, and reads back all acknowledged samples.
func TestCrash(t *testing.T) {
	const written = 50
	base := now().Add(-time.Minute).Truncate(time.Minute)
	if dir := os.Getenv(crashDirectory); dir != "" {
		base, err := time.Parse(time.RFC3339, os.Getenv(crashTime)) // the parent's: a minute may have passed
		require.NoError(t, err)
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
	child.Env = append(os.Environ(), crashDirectory+"="+config.Directory, crashTime+"="+base.Format(time.RFC3339))
	out, err := child.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", out)
	require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal(), "%s", out)

	e := start(t, config)
	assert.Len(t, samples(t, e, `c_total[1h]`, base.Add(time.Minute)), written)
	assert.Contains(t, e.Probe(t.Context()).Message, "1 series")
}
