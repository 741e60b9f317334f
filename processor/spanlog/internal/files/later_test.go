package files

import (
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// slow is a filesystem whose creations and deletions block until they are released, and are recorded.
type slow struct {
	System
	gate chan struct{} // closed when the disk responds
	err  error         // of creations

	mu   sync.Mutex
	done []string
}

func newSlow() *slow { return &slow{System: OS, gate: make(chan struct{})} }

func (s *slow) wait(operation, path string) {
	<-s.gate
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = append(s.done, operation+" "+filepath.Base(path))
}

func (s *slow) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.done)
}

func (s *slow) Create(path string, number uint64, size int) (mapped.Memory, error) {
	s.wait("create", path)
	if s.err != nil {
		return mapped.Memory{}, s.err
	}
	return s.System.Create(path, number, size)
}

func (s *slow) Overwrite(path string, b []byte) error {
	s.wait("overwrite", path)
	return s.System.Overwrite(path, b)
}

func (s *slow) Remove(path string) error {
	s.wait("remove", path)
	return s.System.Remove(path)
}

// slowly returns a disk of six segments whose files are deleted, and created ahead, in the background, once three segments exist:
// the first is mapped.
func slowly(t *testing.T, made func(), test func(d *Disk, s *slow, m []mapped.Memory)) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlow()
		dir, err := OpenDirectoryOn(s, t.TempDir())
		require.NoError(t, err)
		defer dir.Close()
		d := NewDisk(dir, diskLimit, segmentSize, 2)
		close(s.gate)
		var m []mapped.Memory
		for range 3 {
			m = append(m, makeSegment(t, d, segmentSize))
			format.SetMagic(m[len(m)-1].Buf, format.MagicSegment)
		}
		m[1].Release()
		m[2].Release()
		s.gate, s.done = make(chan struct{}), nil
		Defer(d, made)
		test(d, s, m)
	})
}

// No call waits for a leaving file. Files leave in order, and count until they have left.
func TestNobodyWaitsForWhatLeaves(t *testing.T) {
	slowly(t, nil, func(d *Disk, s *slow, m []mapped.Memory) {
		journal := File{9, Journal, 100}
		began := time.Now()
		d.GiveUp(InFile(m[1]))
		d.Drop(m[0])
		d.GiveUp(InFile(m[2]))
		d.GiveUp(journal)
		synctest.Wait()
		assert.Zero(t, time.Since(began))
		assert.EqualValues(t, 3*segmentSize, d.Used())
		assert.EqualValues(t, 3*segmentSize+100, Leaving(d))
		assert.Equal(t, []string{"00000001.seg", "00000002.seg", "00000003.seg"}, fileNames(t, d.Directory))

		close(s.gate)
		synctest.Wait()
		assert.Equal(t, []string{
			"overwrite 00000002.seg", "remove 00000001.seg", "overwrite 00000003.seg", "overwrite 00000009.jnl", "remove 00000009.jnl",
		}, s.taken())
		assert.Zero(t, Leaving(d))
		assert.EqualValues(t, 2*segmentSize, d.FreeBytes(), "what may be filled again is kept")
		d.Close()
		assert.Empty(t, fileNames(t, d.Directory))
	})
}

// When the budget is used up, a leaving file makes room for a new one.
func TestWhatLeavesMakesRoom(t *testing.T) {
	d := newDisk(t)
	DeferStepped(d, nil)
	first := makeSegment(t, d, diskLimit)
	d.Drop(first)
	_, err := d.MakeAtOnce(segmentSize)
	require.ErrorIs(t, err, ErrBudget, "it waits for nothing")
	makeSegment(t, d, segmentSize).Release()
	assert.Zero(t, Leaving(d))
	assert.EqualValues(t, segmentSize, d.Used())
}

// A crash leaves the files that were given up and have not left yet, none that has, and a journal for as long as any segment that
// was given up before it.
func TestCrashWhileFilesLeave(t *testing.T) {
	for left := range 4 {
		path := t.TempDir()
		dir, err := OpenDirectory(path)
		require.NoError(t, err)
		d := NewDisk(dir, diskLimit, segmentSize, 0)
		var list []File
		for sequence := range uint64(2) {
			m := makeSegment(t, d, segmentSize)
			(&format.Header{Sequence: sequence + 1, Size: segmentSize, Shards: 1}).Put(m.Buf)
			format.SetMagic(m.Buf, format.MagicSegment)
			list = append(list, InFile(m))
			m.Release()
		}
		m, err := dir.Create(Journal, segmentSize)
		require.NoError(t, err)
		(&format.Header{Sequence: 3, Size: segmentSize, Shards: 1}).Put(m.Buf)
		format.SetMagic(m.Buf, format.MagicJournal)
		m.Release()
		DeferStepped(d, nil)
		for _, f := range append(list, File{m.File, Journal, segmentSize}) {
			d.GiveUp(f)
		}
		for range left {
			require.True(t, d.later.leaveNext())
		}
		require.NoError(t, dir.Close()) // of a process that has ended

		dir, err = OpenDirectory(path)
		require.NoError(t, err)
		inv, err := dir.Inventory()
		require.NoError(t, err)
		assert.Len(t, inv.Segments, max(0, 2-left))
		assert.Len(t, inv.Journals, min(1, 3-left))
		require.NoError(t, dir.Close())
	}
}

// A journal's file is created ahead, and no call waits for it.
func TestJournalsAreMadeAhead(t *testing.T) {
	made := 0
	slowly(t, func() { made++ }, func(d *Disk, s *slow, _ []mapped.Memory) {
		log := fileNames(t, d.Directory)
		began := time.Now()
		a, gone := MakeAhead(d, 100), MakeAhead(d, 200)
		assert.Equal(t, 100, a.Size())
		_, err := a.Take(d)
		require.ErrorIs(t, err, ErrNotMade)
		gone.Cancel(d)
		synctest.Wait()
		assert.Zero(t, time.Since(began))

		close(s.gate)
		synctest.Wait()
		m, err := a.Take(d)
		require.NoError(t, err)
		assert.Len(t, m.Buf, 100)
		assert.Equal(t, 1, made)
		assert.Equal(t, []string{"create 00000004.jnl"}, s.taken())

		s.err = errors.New("no space")
		failed := MakeAhead(d, 100)
		synctest.Wait()
		_, err = failed.Take(d)
		require.ErrorIs(t, err, s.err)
		assert.False(t, failed.Await(d))
		failed.Cancel(d)
		assert.Equal(t, 1, made, "nobody has a use for it")

		s.err = nil
		late := MakeAhead(d, 100)
		synctest.Wait()
		assert.True(t, late.Await(d))
		late.Cancel(d)
		DropJournal(d, m)
		synctest.Wait()
		assert.Equal(t, 2, made)
		d.Close()
		assert.Equal(t, log, fileNames(t, d.Directory))
	})
}

// A disk that does not respond delays closing by a second at most, however many files are pending.
func TestDiskThatDoesNotAnswerIsClosed(t *testing.T) {
	slowly(t, nil, func(d *Disk, s *slow, m []mapped.Memory) {
		d.GiveUp(InFile(m[1]))
		a, b := MakeAhead(d, 100), MakeAhead(d, 100)
		synctest.Wait()
		began := time.Now()
		assert.False(t, a.Await(d))
		assert.Equal(t, closeTime, time.Since(began))
		assert.False(t, b.Await(d))
		a.Cancel(d)
		b.Cancel(d)
		d.Close()
		assert.Equal(t, closeTime, time.Since(began))
		close(s.gate) // so that the goroutine ends
		synctest.Wait()
		m[0].Release()
	})
}

// If another goroutine finishes the last leaving file, Make finds room and returns no error.
func TestRoomThatOthersMake(t *testing.T) {
	slowly(t, nil, func(d *Disk, s *slow, m []mapped.Memory) {
		large := makeQuickly(t, d, s, 3*segmentSize)
		d.Drop(large)
		synctest.Wait() // the goroutine has taken it, and the disk is slow
		made := make(chan error)
		go func() {
			m, err := d.Make(2 * segmentSize)
			if err == nil {
				m.Release()
			}
			made <- err
		}()
		synctest.Wait()
		close(s.gate)
		require.NoError(t, <-made)
		m[0].Release()
	})
}

// makeQuickly creates a file while the disk is not slow.
func makeQuickly(t *testing.T, d *Disk, s *slow, size int) mapped.Memory {
	gate := s.gate
	s.gate = make(chan struct{})
	close(s.gate)
	m := makeSegment(t, d, size)
	s.gate = gate
	return m
}
