package files

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/otherformat"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// ofVersion changes the version in a file's header.
func ofVersion(version uint32, b []byte) []byte {
	binary.LittleEndian.PutUint32(b[8:], version)
	binary.LittleEndian.PutUint32(b[56:], format.Checksum(0, b[8:56]))
	return b
}

func read(t *testing.T, path ...string) []byte {
	b, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	return b
}

// Files of another version keep their bytes. They count neither towards disk use nor for the seed and the sequence, and the next
// start ignores them.
func TestOtherVersionsAreMovedAside(t *testing.T) {
	segment, packed, journal := ofVersion(1, segmentBytes(50)), ofVersion(1, packedBytes(51)), ofVersion(1, journalBytes(52))
	later := ofVersion(1<<32-1, segmentBytes(70))
	d := directory(t, map[string][]byte{
		"00000001.seg": segmentBytes(5), "00000002.seg": segment, "00000003.pak": packed, "0000000f.jnl": journal,
		"00000005.seg": later, "00000006.seg.damaged": segment,
	})
	inv, err := d.Inventory()
	require.NoError(t, err)
	assert.Equal(t, []otherformat.Moved{
		{Version: 1, Path: filepath.Join(d.path, "00000002.seg.format-1"), Files: 3, Bytes: int64(len(segment) + len(packed) + len(journal))},
		{Version: 1<<32 - 1, Path: filepath.Join(d.path, "00000005.seg.format-4294967295"), Files: 1, Bytes: int64(len(later))},
	}, inv.OtherFormats)
	assert.Empty(t, inv.Damage)
	assert.Equal(t, segment, read(t, d.path, "00000002.seg.format-1"))
	assert.Equal(t, packed, read(t, d.path, "00000003.pak.format-1"))
	assert.Equal(t, journal, read(t, d.path, "0000000f.jnl.format-1"))
	assert.Equal(t, later, read(t, d.path, "00000005.seg.format-4294967295"))
	names := []string{
		"00000001.seg", "00000002.seg.format-1", "00000003.pak.format-1", "00000005.seg.format-4294967295", "00000006.seg.damaged",
		"0000000f.jnl.format-1",
	}
	assert.Equal(t, names, fileNames(t, d))

	for range 2 {
		segments, journals := summary(inv)
		assert.Equal(t, []uint64{1}, segments)
		assert.Empty(t, journals)
		assert.EqualValues(t, 5, inv.Sequence)
		assert.EqualValues(t, 500, inv.Bytes)
		assert.EqualValues(t, 500, d.Used())
		require.NoError(t, d.Close())
		d, err = OpenDirectory(d.path)
		require.NoError(t, err)
		inv, err = d.Inventory()
		require.NoError(t, err)
		assert.Empty(t, inv.OtherFormats)
		assert.Equal(t, names, fileNames(t, d))
	}
	require.NoError(t, d.Close())
}

// failing is a filesystem on which an operation fails.
type failing struct {
	System
	rename, fsync error
}

func (f failing) Rename(from, to string) error {
	if f.rename != nil && filepath.Ext(to) == ".format-9" {
		return f.rename
	}
	return f.System.Rename(from, to)
}

func (f failing) Fsync(path string) error {
	if f.fsync != nil {
		return f.fsync
	}
	return f.System.Fsync(path)
}

// A start that cannot move a file aside fails, names it, and loses nothing. Files moved before are reported, and the next start
// continues.
func TestMoveThatFails(t *testing.T) {
	older, later := ofVersion(1, segmentBytes(5)), ofVersion(9, segmentBytes(6))
	d := directory(t, map[string][]byte{"00000001.seg": older, "00000002.seg": later, "00000003.seg": older})
	sys := d.sys
	d.sys = failing{System: sys, rename: errors.New("broken")}
	inv, err := d.Inventory()
	require.ErrorContains(t, err, "cannot move aside the file of format version 9, "+filepath.Join(d.path, "00000002.seg")+": broken")
	require.Len(t, inv.OtherFormats, 1, "what was moved before is told")
	assert.EqualValues(t, 1, inv.OtherFormats[0].Version)
	assert.Equal(t, []string{"00000001.seg.format-1", "00000002.seg", "00000003.seg"}, fileNames(t, d))

	d.sys = failing{System: sys, fsync: errors.New("broken")}
	inv, err = d.Inventory()
	require.ErrorContains(t, err, "cannot flush the directory of the span log "+d.path+": broken")
	assert.Len(t, inv.OtherFormats, 2)

	d.sys = sys
	inv, err = d.Inventory()
	require.NoError(t, err)
	assert.Empty(t, inv.OtherFormats)
	assert.Equal(t, []string{"00000001.seg.format-1", "00000002.seg.format-9", "00000003.seg.format-1"}, fileNames(t, d))
	assert.Equal(t, later, read(t, d.path, "00000002.seg.format-9"))
}
