package files

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

func TestPackedFilesAreReadBack(t *testing.T) {
	d := newDisk(t)
	raw := bytes.Repeat([]byte("segment "), 500)
	b := format.Pack(raw, nil)
	f, err := d.WritePacked(b)
	require.NoError(t, err)
	assert.Equal(t, File{1, Packed, int64(len(b))}, f)
	assert.Equal(t, f.Size, d.Used())
	assert.Equal(t, []string{"00000001.pak"}, fileNames(t, d.Directory))
	info, err := os.Stat(d.File(f))
	require.NoError(t, err)
	assert.Equal(t, f.Size, info.Size())

	got := make([]byte, len(raw))
	require.NoError(t, d.ReadPacked(f, got))
	assert.Equal(t, raw, got)
	for _, size := range []int{len(raw) - 1, len(raw) + 1} {
		err = d.ReadPacked(f, make([]byte, size))
		assert.ErrorIs(t, err, format.ErrDamaged)
		assert.ErrorContains(t, err, "read compressed spans back: ")
	}
	require.NoError(t, d.Remove(f))
	assert.Zero(t, d.Used())
	assert.ErrorIs(t, d.ReadPacked(f, got), os.ErrNotExist)
}

// A packed file that cannot be written leaves nothing behind.
func TestPackedFileThatCannotBeWritten(t *testing.T) {
	d := newDisk(t)
	inTheWay := d.File(File{Number: 1, Kind: Packed})
	require.NoError(t, os.MkdirAll(inTheWay+"/full", 0o700))
	_, err := d.WritePacked(nil)
	assert.ErrorContains(t, err, "write a compressed segment: rename ")
	assert.Equal(t, []string{"00000001.pak"}, fileNames(t, d.Directory))
	assert.Zero(t, d.Used())

	other := d.File(File{Number: 2, Kind: temporarySuffix})
	require.NoError(t, os.MkdirAll(other+"/full", 0o700))
	_, err = d.WritePacked(nil)
	assert.ErrorIs(t, err, os.ErrExist)
	assert.ErrorContains(t, err, "remove ", "what is in the way stays, and that is told")
}
