//go:build unix

package mapped

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newFile(t *testing.T) *os.File {
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func TestAllocatedMemoryIsZeroAndInNoFile(t *testing.T) {
	m := Allocate(3 << 20)
	assert.Equal(t, make([]byte, 3<<20), m.Buf)
	assert.False(t, m.OnDisk())
	m.Buf[0], m.Buf[len(m.Buf)-1] = 1, 2
	m.Release()

	none := Allocate(0)
	assert.Empty(t, none.Buf)
	none.Release()
}

// A store in a mapped file is visible in the file at once, to every process, and stays after Release.
func TestMappedFileKeepsWhatIsStored(t *testing.T) {
	f := newFile(t)
	m, err := Create(f, 7, 20_000)
	require.NoError(t, err)
	assert.True(t, m.OnDisk())
	assert.Equal(t, uint64(7), m.File)
	assert.Equal(t, make([]byte, 20_000), m.Buf)
	copy(m.Buf[19_990:], "0123456789")
	want := append(make([]byte, 19_990), "0123456789"...)
	got, err := os.ReadFile(f.Name())
	require.NoError(t, err)
	assert.Equal(t, want, got)
	m.Release()
	got, err = os.ReadFile(f.Name())
	require.NoError(t, err)
	assert.Equal(t, want, got)

	again, err := Reopen(f, 7, 20_000)
	require.NoError(t, err)
	assert.Equal(t, want, again.Buf)
	again.Release()
}

func TestReleaseTwicePanics(t *testing.T) {
	m, err := Create(newFile(t), 1, 4096)
	require.NoError(t, err)
	m.Release()
	assert.PanicsWithValue(t, "mapped: memory was released twice: invalid argument", m.Release)
}

func TestFilesThatCannotBeMapped(t *testing.T) {
	f := newFile(t)
	readOnly, err := os.Open(f.Name())
	require.NoError(t, err)
	defer readOnly.Close()
	_, err = Create(readOnly, 1, 4096)
	assert.Error(t, err)

	writeOnly, err := os.OpenFile(f.Name(), os.O_WRONLY, 0)
	require.NoError(t, err)
	defer writeOnly.Close()
	_, err = Create(writeOnly, 1, 4096)
	assert.ErrorIs(t, err, os.ErrPermission)

	broken := errors.New("broken")
	m, err := mapFile(f, 1, 4096, func([]byte) error { return broken })
	assert.ErrorIs(t, err, broken)
	assert.Nil(t, m.Buf)
}

// A file whose pages are not in memory is not mapped again: reading it back costs more than a new one.
func TestReopenWantsTheFileInMemory(t *testing.T) {
	f := newFile(t)
	b := make([]byte, 64<<10)
	for i := range b {
		b[i] = 1
	}
	_, err := f.Write(b)
	require.NoError(t, err)
	m, err := Reopen(f, 1, len(b))
	require.NoError(t, err)
	m.Release()
	if evict(t, f) {
		_, err = Reopen(f, 1, len(b))
		assert.ErrorIs(t, err, ErrNotCached)
	}
}

func TestWriteZeros(t *testing.T) {
	for _, size := range []int{0, 1, 1 << 20, 1<<20 + 5, 5 << 19} {
		f := newFile(t)
		require.NoError(t, writeZeros(f, size))
		b, err := os.ReadFile(f.Name())
		require.NoError(t, err)
		assert.True(t, bytes.Equal(make([]byte, size), b), "%d bytes", size)
	}
	f := newFile(t)
	f.Close()
	assert.ErrorIs(t, writeZeros(f, 1), os.ErrClosed)
}

// One process at a time holds the lock of a file, while it has the file open.
func TestLock(t *testing.T) {
	first := newFile(t)
	locked, err := Lock(first)
	require.NoError(t, err)
	assert.True(t, locked)

	second, err := os.Open(first.Name())
	require.NoError(t, err)
	defer second.Close()
	locked, err = Lock(second)
	require.NoError(t, err)
	assert.False(t, locked)
	first.Close()
	locked, err = Lock(second)
	require.NoError(t, err)
	assert.True(t, locked)

	locked, err = Lock(first)
	assert.Error(t, err, "it is closed")
	assert.False(t, locked)
}
