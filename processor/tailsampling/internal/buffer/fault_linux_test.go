package buffer

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// A disk that fails under a store is an error of the request, and does not end the process. The shard is left unlocked.
func TestDiskFailsUnderAStore(t *testing.T) {
	pool := spanlog.NewDiskPool(16<<20, 64<<20, shards)
	b, logs := newBuffer(t, &shard.Shared{Waits: shard.Waits{Decision: time.Hour}, Mapped: true, Pool: pool})
	path := t.TempDir()
	dir, err := spanlog.OpenDirectory(path)
	require.NoError(t, err)
	pool.Open(dir, spanlog.Seed(b.Seed), 0)
	pool.TrackSync(nil)
	for i, m := range b.Members {
		m.OpenFiles(spanlog.New(pool, i), spanlog.NewJournal(pool, i, spanlog.Names{Policies: []string{"", "errors"}}), 50)
	}
	b.SetReady()
	visits := 0
	b.OnVisited(func() { visits++ })
	require.NoError(t, pool.Reserve(1<<10, 0))
	require.NoError(t, b.Add(prepare(t, b, testSpan{trace: 1}), never))
	require.Equal(t, 1, visits)

	files, err := filepath.Glob(filepath.Join(path, "*.seg"))
	require.NoError(t, err)
	for _, f := range files {
		content, err := os.ReadFile(f)
		require.NoError(t, err)
		if bytes.HasPrefix(content, []byte("slowspan")) { // it is in use
			require.NoError(t, os.Truncate(f, 0)) // a store to it now faults
		}
	}
	require.ErrorIs(t, b.Add(prepare(t, b, testSpan{trace: 1}, testSpan{trace: 2}), never), spanlog.ErrDisk)
	require.Equal(t, 2, visits, "what failed was left")
	require.NoError(t, b.Add(prepare(t, b, testSpan{trace: 1}, testSpan{trace: 2}), never), "another segment takes them")
	for m := range b.Locked() {
		m.Tally()
	}
	require.Zero(t, logs.Len())
	b.Rewrite()
	require.Equal(t, 1, logs.Len())
	require.Contains(t, logs.All()[0].Message, "rewriting spans after a failed flush failed")
	pool.Cancel(1 << 10)
}
