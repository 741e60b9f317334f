package files

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/mapped"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

const (
	segmentSize = 16 << 10
	diskLimit   = 6 * segmentSize
)

// newDisk returns a disk with room for six segments, which keeps two free ones.
func newDisk(t testing.TB) *Disk {
	dir, err := OpenDirectory(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { dir.Close() })
	return NewDisk(dir, diskLimit, segmentSize, 2)
}

// fileNames lists the files of the directory without the lock.
func fileNames(t testing.TB, d *Directory) (names []string) {
	entries, err := os.ReadDir(d.path)
	require.NoError(t, err)
	for _, e := range entries {
		if e.Name() != lockName {
			names = append(names, e.Name())
		}
	}
	return names
}

func makeSegment(t testing.TB, d *Disk, size int) mapped.Memory {
	m, err := d.Make(size)
	require.NoError(t, err)
	require.Len(t, m.Buf, size)
	return m
}

func TestFilesAreMadeWithinTheBudget(t *testing.T) {
	d := newDisk(t)
	first := makeSegment(t, d, segmentSize)
	assert.Equal(t, File{1, Segment, segmentSize}, InFile(first))
	assert.Equal(t, filepath.Join(d.Path(), "00000001.seg"), d.File(InFile(first)))
	var all []mapped.Memory
	for range 4 {
		all = append(all, makeSegment(t, d, segmentSize))
	}
	_, err := d.Make(segmentSize + 1)
	assert.ErrorIs(t, err, ErrBudget)
	assert.EqualValues(t, 5*segmentSize, d.Used())
	last := makeSegment(t, d, segmentSize)
	assert.EqualValues(t, diskLimit, d.Used(), "it may be filled to the brim")
	_, err = d.MakeAtOnce(1)
	assert.ErrorIs(t, err, ErrBudget)
	beyond, err := d.MakeBeyond(2 * segmentSize)
	require.NoError(t, err)
	assert.EqualValues(t, 8*segmentSize, d.Used())
	journal, err := d.Create(Journal, 100)
	require.NoError(t, err)
	assert.EqualValues(t, 8*segmentSize+100, d.Used())
	assert.FileExists(t, d.File(File{Number: journal.File, Kind: Journal}))
	journal.Release()

	for _, m := range append(all, first, last, beyond) {
		d.Drop(m)
	}
	assert.EqualValues(t, 100, d.Used())
	assert.Equal(t, []string{"00000008.jnl"}, fileNames(t, d.Directory))
}

// Free files are kept, up to a number, and reused before new ones are created.
func TestFreeFilesAreFilledAgain(t *testing.T) {
	d := newDisk(t)
	var all []mapped.Memory
	for range 3 {
		all = append(all, makeSegment(t, d, segmentSize))
	}
	other := makeSegment(t, d, 100)
	for i, m := range all {
		m.Buf[100] = byte(i + 1)
		d.Retire(m)
	}
	d.Retire(other)
	assert.EqualValues(t, 2*segmentSize, d.FreeBytes())
	assert.EqualValues(t, 2*segmentSize, d.Used())
	assert.Equal(t, []string{"00000001.seg", "00000002.seg"}, fileNames(t, d.Directory), "one of another size is not kept")

	small := makeSegment(t, d, 100)
	assert.EqualValues(t, 5, small.File, "a free file has another size")
	d.Drop(small)
	for _, take := range []func(int) (mapped.Memory, error){d.Make, d.MakeAtOnce} {
		m, err := take(segmentSize)
		require.NoError(t, err)
		assert.Less(t, m.File, uint64(3))
		assert.Equal(t, byte(m.File), m.Buf[100], "its former content is not cleared")
		d.Retire(m)
	}
	for range 2 {
		m, err := d.MakeBeyond(segmentSize)
		require.NoError(t, err)
		assert.Less(t, m.File, uint64(3))
		defer m.Release()
	}
	assert.Zero(t, d.FreeBytes())
	m := makeSegment(t, d, segmentSize)
	assert.EqualValues(t, 6, m.File)
	d.Retire(m)
	d.Close()
	assert.Zero(t, d.FreeBytes())
	assert.EqualValues(t, 2*segmentSize, d.Used())
	assert.Equal(t, []string{"00000001.seg", "00000002.seg"}, fileNames(t, d.Directory))
}

// A free file that is deleted or truncated is skipped.
func TestFreeFilesThatCannotBeFilledAgain(t *testing.T) {
	d := newDisk(t)
	a, b := makeSegment(t, d, segmentSize), makeSegment(t, d, segmentSize)
	d.Retire(a)
	d.Retire(b)
	require.NoError(t, os.Remove(d.File(InFile(a))))
	require.NoError(t, os.Remove(d.File(InFile(b))))
	m := makeSegment(t, d, segmentSize)
	assert.EqualValues(t, 3, m.File)
	assert.EqualValues(t, segmentSize, d.Used())
	d.Drop(m)
}

// Free files are deleted to make room for other files.
func TestFreeFilesMakeRoom(t *testing.T) {
	d := newDisk(t)
	d.Retire(makeSegment(t, d, segmentSize))
	_, err := d.MakeAtOnce(diskLimit)
	assert.ErrorIs(t, err, ErrBudget)
	assert.EqualValues(t, segmentSize, d.FreeBytes())
	m := makeSegment(t, d, diskLimit)
	assert.Zero(t, d.FreeBytes())
	assert.EqualValues(t, diskLimit, d.Used())
	d.Drop(m)
	_, err = d.Make(diskLimit + 1)
	assert.ErrorIs(t, err, ErrBudget)
}

// A disk that fails is an error that says what to do.
func TestDiskThatFails(t *testing.T) {
	d := newDisk(t)
	m := makeSegment(t, d, segmentSize)
	require.NoError(t, os.Rename(d.path, d.path+".away"))
	for _, take := range []func(int) (mapped.Memory, error){d.Make, d.MakeAtOnce} {
		_, err := take(segmentSize)
		assert.ErrorIs(t, err, os.ErrNotExist)
		assert.ErrorContains(t, err, "cannot set room aside for spans in "+d.path)
	}
	_, err := d.MakeBeyond(segmentSize)
	assert.ErrorIs(t, err, os.ErrNotExist)
	m.Release()
	d.GiveUp(InFile(m))
	assert.Zero(t, d.FreeBytes(), "it could not be marked as free")
	assert.Zero(t, d.Used())
	_, err = d.WritePacked([]byte("compressed"))
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.Zero(t, d.Used())
	require.NoError(t, os.Rename(d.path+".away", d.path))
}

// A file that cannot be mapped leaves nothing behind.
func TestFileThatCannotBeMapped(t *testing.T) {
	d := newDisk(t)
	_, err := d.Create(Segment, 0)
	assert.Error(t, err)
	assert.Empty(t, fileNames(t, d.Directory))
	m := makeSegment(t, d, 10)
	require.NoError(t, os.WriteFile(d.File(File{m.File + 1, Segment, 0}), nil, 0o600))
	_, err = d.Create(Segment, 10)
	assert.ErrorIs(t, err, os.ErrExist, "what is there is not overwritten")
	d.Drop(m)
}

// A file that is given up is marked as free before any other change.
func TestGiveUp(t *testing.T) {
	d := newDisk(t)
	var all []File
	for range 3 {
		m := makeSegment(t, d, segmentSize)
		format.SetMagic(m.Buf, format.MagicSegment)
		m.Release()
		all = append(all, InFile(m))
	}
	for _, f := range all {
		d.GiveUp(f)
	}
	assert.EqualValues(t, 2*segmentSize, d.FreeBytes())
	assert.Equal(t, []string{"00000001.seg", "00000002.seg"}, fileNames(t, d.Directory))
	b, err := os.ReadFile(d.File(all[0]))
	require.NoError(t, err)
	assert.Equal(t, format.MagicFree, string(b[:8]))

	packed, err := d.WritePacked(make([]byte, segmentSize))
	require.NoError(t, err)
	assert.EqualValues(t, segmentSize, packed.Size)
	d.Close()
	d.GiveUp(packed)
	assert.Zero(t, d.FreeBytes(), "only files of segments are kept")
	assert.Empty(t, fileNames(t, d.Directory))
}

func TestSegmentsAreReadBack(t *testing.T) {
	d := newDisk(t)
	m := makeSegment(t, d, 100)
	copy(m.Buf, "0123456789")
	buf := make([]byte, 5)
	require.NoError(t, d.Read(InFile(m), buf))
	assert.Equal(t, "01234", string(buf))
	err := d.Read(InFile(m), make([]byte, 101))
	assert.ErrorContains(t, err, "read spans back from "+d.File(InFile(m)))
	d.Drop(m)
	err = d.Read(InFile(m), buf)
	assert.ErrorContains(t, err, "read spans back: open ")
	assert.ErrorIs(t, err, os.ErrNotExist)
}
