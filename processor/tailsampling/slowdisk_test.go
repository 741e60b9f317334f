package tailsampling

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"

	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog"
)

// slowDisk is a filesystem on a disk that is slow to delete a file, to mark one as free, and to create a journal, while slow is set.
type slowDisk struct {
	spanlog.System
	takes                   time.Duration
	slow                    atomic.Bool
	deleting, made, waiting atomic.Int64
}

func (s *slowDisk) wait(count *atomic.Int64) {
	if s.slow.Load() {
		count.Add(1)
		s.waiting.Add(1)
		time.Sleep(s.takes)
		s.waiting.Add(-1)
	}
}

func (s *slowDisk) Remove(path string) error {
	s.wait(&s.deleting)
	return s.System.Remove(path)
}

func (s *slowDisk) Overwrite(path string, b []byte) error {
	s.wait(&s.deleting)
	return s.System.Overwrite(path, b)
}

func (s *slowDisk) Create(path string, number uint64, size int) (mapped.Memory, error) {
	if filepath.Ext(path) == ".jnl" {
		s.wait(&s.made)
	}
	return s.System.Create(path, number, size)
}

// No request waits for the deletion of a file or the creation of a journal, however long they take; a shutdown waits for them for
// a second at most. Nothing is lost.
func TestRequestsDoNotWaitForADiskThatDeletesSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepErrors(diskConfig())
		cfg.NumShards, cfg.MemoryBudget, cfg.DiskBudget, cfg.DecisionWait, cfg.ReviveWindow = 1, 1<<20, 64<<20, 5*time.Second, 0
		cfg.MaximumTraceSizeBytes = 256 << 10
		disk := &slowDisk{System: spanlog.OS, takes: 10 * time.Minute}
		var next sink
		p, err := newSamplerForTest(cfg)
		require.NoError(t, err)
		p.output.Next = &next
		p.store.System = disk
		require.NoError(t, p.Start(context.Background(), componenttest.NewNopHost()))
		p.store.Wait()

		n, longest := 0, time.Duration(0)
		send := func(traces int) {
			for range traces {
				n++
				began := time.Now()
				require.NoError(t, wireDoor(t, p, request(newSpan(n, 0).pad(8<<10), newSpan(n, 1).pad(8<<10))))
				longest = max(longest, time.Since(began))
				time.Sleep(10 * time.Millisecond)
			}
		}
		for range 4 { // segments leave memory, and are given up in place
			send(100)
			require.Positive(t, p.buffer.Usage().Cold)
			if disk.waiting.Load() == 0 {
				disk.slow.Store(true)
			}
			time.Sleep(4 * time.Second)
		}
		assert.Positive(t, disk.waiting.Load(), "nothing is being deleted")
		assert.Less(t, longest, 300*time.Millisecond)

		failed := newTrace(100_000, 2, true)
		require.NoError(t, wireDoor(t, p, request(failed...)))
		time.Sleep(time.Minute)
		assert.Equal(t, 2, next.spans(), "a kept trace is delivered")
		assert.Zero(t, p.buffer.Members[0].Journal.Skipped)

		began := time.Now()
		require.NoError(t, p.Shutdown(context.Background()))
		assert.LessOrEqual(t, time.Since(began), 2*time.Second)
		disk.slow.Store(false)
		time.Sleep(time.Hour) // until the disk responds
	})
}
