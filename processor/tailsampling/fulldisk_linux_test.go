package tailsampling

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/grpc/codes"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/refuse"
)

// smallDisk mounts a filesystem of the given size, where that is allowed.
func smallDisk(t *testing.T, size string) string {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skip("cannot mount a file system:", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	return dir
}

// A full disk refuses spans with a retryable error, and reports it; accepted spans are kept, and when there is room
// spans are accepted again.
func TestFullDisk(t *testing.T) {
	disk := smallDisk(t, "8m")
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(diskConfig())
		cfg.Directory = filepath.Join(disk, "spans")
		cfg.NumShards = 2
		ballast := filepath.Join(disk, "ballast")
		require.NoError(t, os.WriteFile(ballast, make([]byte, 4<<20), 0o600))
		var next sink
		p := start(t, cfg, &next)
		accepted := 0
		var err error
		for ; err == nil && accepted < 100_000; accepted++ {
			err = wireDoor(t, p, request(newSpan(accepted, 0).pad(1000)))
		}
		accepted-- // the last one was refused
		require.Error(t, err)
		require.False(t, consumererror.IsPermanent(err))
		require.Equal(t, codes.Unavailable, consumererror.ToGRPCStatus(err).Code())
		require.ErrorContains(t, err, "no space left on device")
		health := p.Probe(t.Context())
		assert.True(t, !health.OK && health.Blocking)
		assert.Contains(t, health.Message, "no space left on device")
		assert.Contains(t, health.Message, "spans are accepted as soon as the disk is")
		assert.Positive(t, p.refusals.For(refuse.Disk))
		assert.Equal(t, int64(accepted), p.Status().SpansBuffered)

		after := crash(t, cfg) // even now the files can be read back
		require.NoError(t, os.Remove(ballast))
		require.NoError(t, wireDoor(t, p, request(newSpan(accepted, 0).pad(1000))))
		time.Sleep(time.Minute)
		assert.True(t, p.Probe(t.Context()).OK)
		assert.Equal(t, accepted+1, next.spans())
		assert.Zero(t, p.Status().LostSpans)
		assert.Zero(t, p.buffer.Pool.Volatile())
		shutdown(t, p)

		next = sink{}
		p = start(t, after, &next)
		shutdown(t, p)
		assert.Equal(t, accepted, next.spans())
	})
}

// A disk that fails under the mapped files does not kill the process.
func TestDiskThatFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(diskConfig())
		cfg.NumShards = 1
		var next sink
		p := start(t, cfg, &next)
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 0))))
		files, err := filepath.Glob(filepath.Join(cfg.Directory, "*.seg"))
		require.NoError(t, err)
		journals, err := filepath.Glob(filepath.Join(cfg.Directory, "*.jnl"))
		require.NoError(t, err)
		for _, f := range append(files, journals...) { // a store beyond the end of a file faults like one on a failing disk
			require.NoError(t, os.Truncate(f, 0))
		}
		err = wireDoor(t, p, request(newSpan(2, 0)))
		require.ErrorContains(t, err, "is damaged: it was cut off, or cannot be read or written")
		require.False(t, consumererror.IsPermanent(err))
		assert.True(t, p.Probe(t.Context()).Blocking)
		time.Sleep(time.Minute) // a decided trace that cannot be read is logged and counted, and no other trace fails
		assert.Empty(t, next.traces())
		assert.Positive(t, p.Status().LostSpans)
		require.NoError(t, p.Shutdown(t.Context()))
	})
}
