package tsdb

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
)

// TestFullDisk fills the disk under the write-ahead log: the error is retryable, Probe reports it, and the database recovers.
func TestFullDisk(t *testing.T) {
	config := testConfig(t)
	e := start(t, config)
	x := startExporter(t, e)
	at := now()
	send := func(i int) error {
		md, sm := resource(gateway)
		addPoint(newSum(sm, "c", cumulative), at.Add(time.Duration(i)*time.Second), int64(i))
		return x.ConsumeMetrics(t.Context(), md)
	}
	require.NoError(t, send(-3))
	freeDisk := fillDisk(t, config.Directory)

	err := send(-2)
	require.ErrorContains(t, err, "write to the time series database in "+config.Directory)
	require.ErrorContains(t, err, "are free): free space there, or set directory to a place on another volume, or set retention_size")
	assert.False(t, consumererror.IsPermanent(err))
	health := e.Probe(t.Context())
	assert.False(t, health.OK)
	assert.False(t, health.Blocking)
	assert.Equal(t, err.Error(), health.Message)
	// Reads still work.
	assert.InDelta(t, -3, number(t, e, `c_total`, at.Add(-3*time.Second)), 0)

	freeDisk()
	require.NoError(t, send(-2)) // the retry
	require.NoError(t, send(-1))
	assert.True(t, e.Probe(t.Context()).OK)
	require.NoError(t, e.Shutdown(t.Context()))

	want := []model.SamplePair{pair(at.Add(-3*time.Second), -3), pair(at.Add(-2*time.Second), -2), pair(at.Add(-time.Second), -1)}
	assert.Equal(t, want, samples(t, start(t, config), `c_total[1m]`, at))
}

// fillDisk replaces the open segment of the write-ahead log by /dev/full until free.
func fillDisk(t *testing.T, dir string) (free func()) {
	t.Helper()
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, full.Close()) }()
	const descriptors = "/proc/self/fd"
	entries, err := os.ReadDir(descriptors)
	require.NoError(t, err)
	for _, entry := range entries {
		if target, _ := os.Readlink(filepath.Join(descriptors, entry.Name())); target == filepath.Join(dir, "wal", "00000000") {
			fd, err := strconv.Atoi(entry.Name())
			require.NoError(t, err)
			kept, err := syscall.Dup(fd)
			require.NoError(t, err)
			require.NoError(t, syscall.Dup3(int(full.Fd()), fd, syscall.O_CLOEXEC))
			return func() {
				require.NoError(t, syscall.Dup3(kept, fd, syscall.O_CLOEXEC))
				require.NoError(t, syscall.Close(kept))
			}
		}
	}
	t.Fatal("the write-ahead log is not open")
	return nil
}

// TestFloor has less free space than is reserved for the span log: samples are refused with a retryable error, and Probe reports
// it. With room they are stored again.
func TestFloor(t *testing.T) {
	config := testConfig(t)
	config.MinFreeDisk = 1 << 60
	e := start(t, config)
	md, sm := resource(gateway)
	addPoint(newSum(sm, "c", cumulative), now(), 1)
	err := startExporter(t, e).ConsumeMetrics(t.Context(), md)
	require.ErrorContains(t, err, "no samples are stored: the volume of "+config.Directory)
	assert.False(t, consumererror.IsPermanent(err))
	health := e.Probe(t.Context())
	assert.False(t, health.OK)
	assert.False(t, health.Blocking)
	assert.Contains(t, health.Message, "(min_free_disk): free space there")
}
