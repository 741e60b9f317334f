package spanlog

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

func segmentPath(p *Pool, number uint64) string {
	return p.disk.Load().File(files.File{Number: number, Kind: files.Segment})
}

// isFree reports whether a segment's file is marked as free, or gone.
func isFree(t *testing.T, p *Pool, number uint64) bool {
	t.Helper()
	b, err := os.ReadFile(segmentPath(p, number))
	if errors.Is(err, os.ErrNotExist) {
		return true
	}
	require.NoError(t, err)
	return bytes.HasPrefix(b, []byte(format.MagicFree))
}

// A file whose spans were copied out is not reused before the copy is on the disk: until then it is the only one that survives a
// power cut.
func TestCopiedSegmentStaysUntilTheCopyIsOnTheDisk(t *testing.T) {
	l, p := newDiskLog(t, t.TempDir())
	failures, broken := 0, false
	var forced []string
	p.disk.Load().TrackFlush(func(path string) error {
		if broken {
			return errors.New("input/output error")
		}
		forced = append(forced, filepath.Base(path))
		return p.disk.Load().Fsync(path)
	}, func() {
		failures++
		l.WriteAgain()
	})
	var stays, goes Chain
	o := origin("r", "s")
	l.Append(&stays, o, []byte("stays"))
	for first := l.active; l.active == first; {
		require.NoError(t, p.Reserve(1000, 0))
		l.Append(&goes, o, make([]byte, 1000))
		p.Cancel(1000)
	}
	source := l.list[l.runs.At(stays.last).segment].mem.File
	require.NoError(t, p.Sync())
	l.Release(&goes)
	require.NoError(t, p.Reserve(1000, 0))
	require.Equal(t, 1, l.Compact(1, true, nil))
	p.Cancel(1000)
	assert.Equal(t, []string{"r/s/stays"}, bodies(l, stays))
	assert.False(t, isFree(t, p, source), "the copy may not be on the disk")

	broken = true
	require.ErrorContains(t, p.Sync(), "flush the span log to the disk: input/output error")
	assert.Equal(t, 1, failures)
	assert.False(t, isFree(t, p, source))

	broken, forced = false, nil
	require.NoError(t, p.Sync())
	copied := l.list[l.runs.At(stays.last).segment].mem.File
	assert.Contains(t, forced, filepath.Base(segmentPath(p, copied)))
	assert.True(t, isFree(t, p, source))
	assert.Equal(t, []string{"r/s/stays"}, bodies(l, stays))
	l.Release(&stays)
}

// A disk that is full of superseded files has room: they are deleted after a flush.
func TestWaitingFilesMakeRoom(t *testing.T) {
	l, p := newDiskLog(t, t.TempDir())
	p.TrackSync(func() { t.Error("a sync failed") })
	o := origin("r", "s")
	for round := range 200 {
		var stays, goes Chain
		require.NoError(t, p.Reserve(int64(p.SegmentSize()), 0), "round %d", round)
		l.Append(&stays, o, []byte("stays"))
		for first := l.active; l.active == first; {
			l.Append(&goes, o, make([]byte, 1000))
		}
		p.Cancel(int64(p.SegmentSize()))
		l.Release(&goes)
		l.Compact(1, true, nil)
		require.Equal(t, []string{"r/s/stays"}, bodies(l, stays))
		l.Release(&stays)
	}
	assert.Zero(t, p.Volatile())
}

// Reserve flushes to make room. If that fails it calls back and holds only locks of its own, so that the callback may lock
// shards.
func TestLocksOfReserve(t *testing.T) {
	p := newDiskPool(t, 1_000_000, 10*minSegmentSize)
	l := New(p, 0)
	defer l.Close()
	var shard sync.Mutex
	failures := 0
	p.disk.Load().TrackFlush(func(string) error { return errors.New("input/output error") }, func() {
		failures++
		assert.True(t, p.stock.mu.TryLock())
		assert.NotNil(t, p.stock.filling)
		p.stock.mu.Unlock()
		shard.Lock()
		defer shard.Unlock()
		l.WriteAgain()
		var c Chain
		o := origin("r", "s")
		for first := l.active; l.active == first; {
			l.Append(&c, o, make([]byte, 1000))
		}
		l.Compact(1, true, nil)
		l.Release(&c)
	})
	var c Chain
	require.NoError(t, p.Reserve(0, 0))
	l.Append(&c, origin("r", "s"), []byte("stays"))
	supersede(p, p.get(minSegmentSize))
	require.ErrorIs(t, p.Reserve(4*minSegmentSize, 0), ErrDiskBudget)
	assert.Equal(t, 1, failures)
	l.Release(&c)
}

// The next process flushes what a killed one wrote and did not flush: otherwise a power cut would lose more than the spans since
// the last flush.
func TestFilesOfTheProcessBeforeAreFlushed(t *testing.T) {
	path := t.TempDir()
	dir, err := OpenDirectory(path)
	require.NoError(t, err)
	p := NewDiskPool(testBudget, 4*testBudget, 4)
	p.Open(dir, Seed{1, 2}, 0)
	require.NoError(t, p.Reserve(100, 0))
	l, j := New(p, 3), NewJournal(p, 3, Names{Policies: []string{"errors"}})
	var c Chain
	l.Append(&c, origin("r", "s"), []byte("stays"))
	j.Put(&Event{Kind: Decided, From: 1, To: 2}, 0)
	j.Close()
	l.Close()
	p.Close()
	require.NoError(t, dir.Close())

	dir, err = OpenDirectory(path)
	require.NoError(t, err)
	inv, err := dir.Inventory()
	require.NoError(t, err)
	require.Len(t, inv.Segments, 1)
	require.Len(t, inv.Journals, 1)
	p = NewDiskPool(testBudget, 4*testBudget, 4)
	p.Open(dir, inv.Seed, inv.Sequence)
	var flushed []string
	p.disk.Load().TrackFlush(func(path string) error {
		flushed = append(flushed, path)
		return nil
	}, func() { t.Error("a sync failed") })
	l, j = New(p, 3), NewJournal(p, 3, Names{Policies: []string{"errors"}})
	_, err = inv.Journals[0].Read(func(*Event, Names) {})
	require.NoError(t, err)
	j.Adopt(inv.Journals[0], inv.Journals[0].Highest())
	var found Found
	contents, damage, err := inv.Segments[0].Read(nil, func(f Found) { found = f })
	require.NoError(t, err)
	require.Empty(t, damage)
	number := l.Adopt(inv.Segments[0], contents)
	var back Chain
	l.Attach(&back, number, contents, &found)
	l.Settle(number)
	require.NoError(t, p.Sync())
	assert.Contains(t, flushed, dir.File(inv.Segments[0].File))
	assert.Contains(t, flushed, dir.File(inv.Journals[0].File))
	flushed = nil
	require.NoError(t, p.Sync())
	assert.Empty(t, flushed, "once is enough")
	assert.Equal(t, []string{"r/s/stays"}, bodies(l, back))
	l.Release(&back)
	j.Close()
	l.Close()
	p.Close()
	require.NoError(t, dir.Close())
}
