package files

import (
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// ofVersion makes a file's header one of another version.
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

// Files of another version keep their names and bytes. They count neither as use of the disk nor for the seed and the
// sequence, and the next start has nothing to do with them.
func TestOtherVersionsAreMovedAside(t *testing.T) {
	segment, packed, journal := ofVersion(1, segmentBytes(50)), ofVersion(1, packedBytes(51)), ofVersion(1, journalBytes(52))
	later := ofVersion(1<<32-1, segmentBytes(70))
	d := directory(t, map[string][]byte{
		"00000001.seg": segmentBytes(5), "00000002.seg": segment, "00000003.pak": packed, "0000000f.jnl": journal,
		"00000005.seg": later, "00000006.seg.damaged": segment,
	})
	inv, err := d.Inventory()
	require.NoError(t, err)
	first, last := filepath.Join(d.path, "other-format-1"), filepath.Join(d.path, "other-format-4294967295")
	assert.Equal(t, []OtherFormat{
		{Version: 1, Path: first, Files: 3, Bytes: int64(len(segment) + len(packed) + len(journal))},
		{Version: 1<<32 - 1, Path: last, Files: 1, Bytes: int64(len(later))},
	}, inv.OtherFormats)
	assert.Empty(t, inv.Damage)
	assert.Equal(t, segment, read(t, first, "00000002.seg"))
	assert.Equal(t, packed, read(t, first, "00000003.pak"))
	assert.Equal(t, journal, read(t, first, "0000000f.jnl"))
	assert.Equal(t, later, read(t, last, "00000005.seg"))
	names := []string{"00000001.seg", "00000006.seg.damaged", "other-format-1", "other-format-4294967295"}
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
	assert.FileExists(t, filepath.Join(d.path, lockName))
	require.NoError(t, d.Close())

	d, err = OpenDirectory(first)
	require.NoError(t, err, "it is a directory of a log")
	require.NoError(t, d.Close())
}

// Each move has a directory of its own, unless the one before it was not finished.
func TestDirectoriesOfOtherVersions(t *testing.T) {
	for name, tc := range map[string]struct {
		there []string // directories with a file 0000000a.seg in them; those that end in / are empty
		moves bool     // there is a file 00000001.seg of version 9
		to    string
		files int
		left  []string
	}{
		"the first":                {nil, true, "other-format-9", 1, []string{"other-format-9"}},
		"others before it":         {[]string{"other-format-9", "other-format-9-2"}, true, "other-format-9-3", 1, []string{"other-format-9", "other-format-9-2", "other-format-9-3"}},
		"one that was emptied":     {[]string{"other-format-9/"}, true, "other-format-9-2", 1, []string{"other-format-9", "other-format-9-2"}},
		"unfinished":               {[]string{"other-format-9.unfinished"}, true, "other-format-9", 2, []string{"other-format-9"}},
		"not quite finished":       {[]string{"other-format-9.unfinished"}, false, "other-format-9", 1, []string{"other-format-9"}},
		"unfinished, after others": {[]string{"other-format-9", "other-format-9.unfinished"}, false, "other-format-9-2", 1, []string{"other-format-9", "other-format-9-2"}},
		"hardly begun":             {[]string{"other-format-9.unfinished/"}, false, "", 0, nil},
		"no version":               {[]string{"other-format-x.unfinished", "other-format-4294967296.unfinished"}, false, "", 0, []string{"other-format-4294967296.unfinished", "other-format-x.unfinished"}},
		"not ours":                 {[]string{"format-9.unfinished"}, false, "", 0, []string{"format-9.unfinished"}},
	} {
		t.Run(name, func(t *testing.T) {
			contents := map[string][]byte{}
			if tc.moves {
				contents["00000001.seg"] = ofVersion(9, segmentBytes(5))
			}
			d := directory(t, contents)
			for _, path := range tc.there {
				require.NoError(t, os.Mkdir(filepath.Join(d.path, path), 0o700))
				if path[len(path)-1] != '/' {
					require.NoError(t, os.WriteFile(filepath.Join(d.path, path, "0000000a.seg"), segmentBytes(9), 0o600))
				}
			}
			inv, err := d.Inventory()
			require.NoError(t, err)
			assert.Empty(t, inv.Segments)
			assert.Equal(t, tc.left, fileNames(t, d))
			if tc.to == "" {
				assert.Empty(t, inv.OtherFormats)
				return
			}
			path := filepath.Join(d.path, tc.to)
			assert.Equal(t, []OtherFormat{{Version: 9, Path: path, Files: tc.files, Bytes: 500 * int64(tc.files)}}, inv.OtherFormats)
			if tc.moves {
				assert.FileExists(t, filepath.Join(path, "00000001.seg"))
			}
		})
	}
}

// A start that cannot move a file fails, names it, and loses nothing. The next one goes on.
func TestMoveThatFails(t *testing.T) {
	old := ofVersion(9, segmentBytes(5))
	d := directory(t, map[string][]byte{"00000001.seg": old, "00000002.seg": old, "00000003.seg": ofVersion(1, segmentBytes(6))})
	unfinished := filepath.Join(d.path, "other-format-9.unfinished")
	inTheWay := filepath.Join(unfinished, "00000002.seg")
	require.NoError(t, os.Mkdir(unfinished, 0o700))
	require.NoError(t, os.WriteFile(inTheWay, []byte("mine"), 0o600))
	inv, err := d.Inventory()
	require.ErrorIs(t, err, fs.ErrExist)
	require.ErrorContains(t, err, "cannot move aside the file of format version 9, "+filepath.Join(d.path, "00000002.seg")+": ")
	require.ErrorContains(t, err, "a file is in the way: move it, or set another directory")
	require.Len(t, inv.OtherFormats, 1, "what was moved before is told")
	assert.EqualValues(t, 1, inv.OtherFormats[0].Version)
	assert.Equal(t, "mine", string(read(t, inTheWay)))
	assert.Equal(t, old, read(t, d.path, "00000002.seg"))
	assert.Equal(t, old, read(t, unfinished, "00000001.seg"))

	require.NoError(t, os.Remove(inTheWay))
	inv, err = d.Inventory()
	require.NoError(t, err)
	assert.Equal(t, []OtherFormat{{Version: 9, Path: filepath.Join(d.path, "other-format-9"), Files: 2, Bytes: 1000}}, inv.OtherFormats)
	assert.Equal(t, []string{"other-format-1", "other-format-9"}, fileNames(t, d))

	d = directory(t, map[string][]byte{"00000001.seg": old, "other-format-9.unfinished": nil})
	_, err = d.Inventory()
	require.ErrorContains(t, err, "cannot make the directory for files of format version 9, "+filepath.Join(d.path, "other-format-9.unfinished"))
	assert.Equal(t, old, read(t, d.path, "00000001.seg"))
}

// A version whose directory cannot get its name fails the start, too.
func TestMoveThatCannotBeFinished(t *testing.T) {
	d := directory(t, nil)
	from, to := filepath.Join(d.path, "none"), filepath.Join(d.path, "other-format-9")
	_, err := d.finishMove(from, to)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, os.WriteFile(filepath.Join(d.path, "file"), nil, 0o600))
	assert.Error(t, renameToNew(OS, from, filepath.Join(d.path, "file", "name")))
	assert.ErrorIs(t, renameToNew(OS, from, to), fs.ErrNotExist)
}
