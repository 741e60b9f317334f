package files

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// flushes records the flushes of a disk.
type flushes struct {
	paths  []string // flushed paths, by base name, sorted; "." is the directory
	failed int
	err    error
}

func track(d *Disk) *flushes {
	f := &flushes{}
	d.TrackFlush(func(path string) error {
		name := filepath.Base(path)
		if path == d.path {
			name = "."
		}
		f.paths = append(f.paths, name)
		return f.err
	}, func() { f.failed++ })
	return f
}

// take returns the flushes since its last call.
func (f *flushes) take() []string {
	paths := f.paths
	f.paths = nil
	slices.Sort(paths)
	return paths
}

func TestDirtyFilesAreFlushed(t *testing.T) {
	d := newDisk(t)
	assert.False(t, d.Flushes())
	f := track(d)
	assert.True(t, d.Flushes())
	require.NoError(t, d.Sync())
	assert.Empty(t, f.take(), "nothing is dirty")

	a, b, c := File{1, Segment, 1}, File{2, Segment, 1}, File{3, Journal, 1}
	d.Begin(a)
	d.Begin(b)
	d.Begin(c)
	d.End(b)
	require.NoError(t, d.Sync())
	assert.Equal(t, []string{".", "00000001.seg", "00000002.seg", "00000003.jnl"}, f.take())
	require.NoError(t, d.Sync())
	assert.Equal(t, []string{"00000001.seg", "00000003.jnl"}, f.take(), "what is open is dirty; there is no new name")
	d.Forget(c)
	d.End(c)
	d.End(a)
	require.NoError(t, d.Sync())
	assert.Equal(t, []string{"00000001.seg"}, f.take())
	require.NoError(t, d.Sync())
	assert.Empty(t, f.take())
	d.Begin(a)
	d.End(a)
	d.Forget(a)
	require.NoError(t, d.Sync())
	assert.Equal(t, []string{"."}, f.take())
	assert.Zero(t, f.failed)
}

// A failed flush is retried, with the directory, and everything is written again.
func TestFlushThatFails(t *testing.T) {
	d := newDisk(t)
	f := track(d)
	a, b := File{1, Segment, 1}, File{2, Segment, 1}
	d.Begin(a)
	d.Begin(b)
	d.End(b)
	require.NoError(t, d.Sync())
	f.take()
	d.Begin(b)
	d.End(b)
	require.NoError(t, d.Sync())
	f.take()
	f.err = errors.New("input/output error")
	err := d.Sync()
	assert.ErrorIs(t, err, f.err)
	assert.ErrorContains(t, err, "flush the span log to the disk: ")
	assert.Equal(t, []string{"00000001.seg"}, f.take())
	assert.Equal(t, 1, f.failed)
	d.Begin(b)
	d.End(b)
	require.Error(t, d.Sync())
	assert.Equal(t, []string{".", "00000001.seg", "00000002.seg"}, f.take())
	assert.Equal(t, 2, f.failed)
	f.err = nil
	require.NoError(t, d.Sync())
	assert.Equal(t, []string{".", "00000001.seg", "00000002.seg"}, f.take())
	require.NoError(t, d.Sync())
	assert.Equal(t, []string{"00000001.seg"}, f.take())

	f.err = os.ErrNotExist
	require.NoError(t, d.Sync(), "nothing in a file that is gone is wanted")
	d.Begin(b)
	require.ErrorIs(t, d.Sync(), os.ErrNotExist, "but the directory is")
}

// A superseded file keeps its contents until the copy is flushed.
func TestSupersededFiles(t *testing.T) {
	d := newDisk(t)
	f := track(d)
	m := makeSegment(t, d, segmentSize)
	format.SetMagic(m.Buf, format.MagicSegment)
	m.Release()
	small := makeSegment(t, d, 100)
	small.Release()
	d.Begin(InFile(m))
	d.End(InFile(m))
	assert.Zero(t, d.Superseded())
	d.Supersede(InFile(m))
	d.Supersede(InFile(small))
	assert.EqualValues(t, segmentSize+100, d.Superseded())
	magic := func() string {
		b, err := os.ReadFile(d.File(InFile(m)))
		require.NoError(t, err)
		return string(b[:8])
	}
	f.err = errors.New("input/output error")
	require.Error(t, d.Sync())
	assert.Equal(t, format.MagicSegment, magic())
	assert.EqualValues(t, segmentSize+100, d.Superseded())
	assert.False(t, d.flushWaiting())
	f.err = nil
	require.NoError(t, d.Sync())
	assert.Equal(t, format.MagicFree, magic())
	assert.Zero(t, d.Superseded())
	assert.EqualValues(t, segmentSize, d.FreeBytes())
	assert.EqualValues(t, segmentSize, d.Used())
	f.take()
	assert.False(t, d.flushWaiting(), "nothing waits")
	assert.Empty(t, f.take())
}

// A disk that is full of superseded files has room.
func TestSupersededFilesMakeRoom(t *testing.T) {
	d := newDisk(t)
	track(d)
	m := makeSegment(t, d, diskLimit)
	m.Release()
	d.Supersede(InFile(m))
	_, err := d.MakeAtOnce(segmentSize)
	assert.ErrorIs(t, err, ErrBudget, "it does not flush")
	d.Drop(makeSegment(t, d, segmentSize))
	assert.Zero(t, d.Superseded())
}

// Without flushes no file waits for one.
func TestNothingIsFlushed(t *testing.T) {
	d := newDisk(t)
	m := makeSegment(t, d, segmentSize)
	m.Release()
	d.Begin(InFile(m))
	d.End(InFile(m))
	d.Forget(InFile(m))
	require.NoError(t, d.Sync())
	d.Supersede(InFile(m))
	assert.Zero(t, d.Superseded())
	assert.EqualValues(t, segmentSize, d.FreeBytes())
	assert.False(t, d.flushWaiting())
}

// A packed file is flushed before it gets its name; the name is flushed with the next flush.
func TestPackedFileIsFlushed(t *testing.T) {
	d := newDisk(t)
	f := track(d)
	_, err := d.WritePacked([]byte("compressed"))
	require.NoError(t, err)
	require.NoError(t, d.Sync())
	assert.Equal(t, []string{"."}, f.take())
}

// A Sync does not return before an earlier one with its files has ended.
func TestSyncWaitsForTheOneBefore(t *testing.T) {
	d := newDisk(t)
	begun, release := make(chan struct{}), make(chan struct{})
	var released atomic.Bool
	d.TrackFlush(func(string) error {
		close(begun)
		<-release
		return nil
	}, nil)
	d.flush.closed[d.File(File{1, Segment, 1})] = struct{}{}
	var wg sync.WaitGroup
	wg.Go(func() { assert.NoError(t, d.Sync()) })
	<-begun
	wg.Go(func() {
		assert.NoError(t, d.Sync())
		assert.True(t, released.Load())
	})
	for range 100 {
		runtime.Gosched() // so that a wrong Sync could return too early
	}
	released.Store(true)
	close(release)
	wg.Wait()
}

func TestFsync(t *testing.T) {
	d := newDisk(t)
	m := makeSegment(t, d, segmentSize)
	defer m.Release()
	assert.NoError(t, d.Fsync(d.File(InFile(m))))
	assert.NoError(t, d.Fsync(d.path))
	assert.ErrorIs(t, d.Fsync(filepath.Join(d.path, "none")), os.ErrNotExist)
}
