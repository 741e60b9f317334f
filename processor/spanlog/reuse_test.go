package spanlog

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// fill appends n spans, each a trace of its own, numbered from first.
func fill(t testing.TB, l *Log, p *Pool, first, spans int) []Chain {
	chains := make([]Chain, spans)
	for i := range chains {
		require.NoError(t, p.Reserve(1000, 0))
		l.Append(&chains[i], origin("r", "s"), body(first+i))
		p.Cancel(1000)
	}
	return chains
}

// shrinkAll pages every full segment out, and returns their number.
func shrinkAll(t testing.TB, l *Log) (n int) {
	for w := l.BeginShrink(false, false); w != nil; w = l.BeginShrink(false, false) {
		w.Run()
		ok, err := l.EndShrink(w)
		require.NoError(t, err)
		require.True(t, ok)
		w.Free()
		n++
	}
	return n
}

func releaseAll(l *Log, chains []Chain) {
	for i := range chains {
		l.Release(&chains[i])
	}
}

// Files of shrunk segments that were given up are reused. Wherever a crash falls, records of their earlier use are not read as spans.
func TestFilesAreUsedAgain(t *testing.T) {
	dir := t.TempDir()
	l, p := newDiskLog(t, dir)
	old := fill(t, l, p, 0, 3000)
	require.Greater(t, shrinkAll(t, l), 5)
	releaseAll(l, old)
	require.Positive(t, p.disk.Load().FreeBytes())
	made := latestFile(t, dir)

	for i := range 20 {
		now := fill(t, l, p, 10_000+100*i, 100)
		after := t.TempDir()
		copyFiles(t, dir, after)
		got, damage := readAll(t, after)
		require.Empty(t, damage)
		require.Len(t, got, 100, "round %d", i)
		for j, s := range got {
			require.Equal(t, fmt.Sprintf("r/s/%s", body(10_000+100*i+j)), s)
		}
		releaseAll(l, now)
	}
	for p.disk.Load().FreeBytes() > 0 {
		more := fill(t, l, p, 20_000, 10)
		t.Cleanup(func() { releaseAll(l, more) })
	}
	assert.Equal(t, made, latestFile(t, dir), "no file was made while there were some to fill again")
}

// A record of the earlier use that stands exactly where a crash cut the new one is recognized by its checksum.
func TestFormerRecordsAreNotRead(t *testing.T) {
	dir := t.TempDir()
	l, p := newDiskLog(t, dir)
	old := fill(t, l, p, 0, 1000)
	shrinkAll(t, l)
	releaseAll(l, old)
	now := fill(t, l, p, 0, 50) // the same bodies: the same offsets
	after := t.TempDir()
	copyFiles(t, dir, after)
	path := segmentFiles(t, after)[0]
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	// As if neither the end nor the length 0 behind the last record had reached the disk before a power cut.
	used := binary.LittleEndian.Uint32(b[format.UsedAt:])
	binary.LittleEndian.PutUint32(b[used+format.LengthAt:], uint32(len(body(50))))
	binary.LittleEndian.PutUint32(b[format.UsedAt:], uint32(len(b)))
	require.NoError(t, os.WriteFile(path, b, 0o600))
	got, _ := readAll(t, after)
	assert.Len(t, got, 50)
	releaseAll(l, now)
}

// latestFile is the name of the segment's file that was made last.
func latestFile(t testing.TB, dir string) string {
	paths, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	require.NoError(t, err)
	return paths[len(paths)-1]
}
