package spanlog

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fill appends so many spans, each a trace of its own, numbered from first on.
func fill(t testing.TB, l *Log, p *Pool, first, spans int) []Chain {
	chains := make([]Chain, spans)
	for i := range chains {
		require.NoError(t, p.Reserve(1000, 0))
		l.Append(&chains[i], origin("r", "s"), body(first+i))
		p.Cancel(1000)
	}
	return chains
}

// shrinkAll leaves every full segment to the disk, and returns how many there were.
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

// Files that were left to the disk and given up are filled again. Wherever a crash comes, what their former use left in
// them is not taken for spans.
func TestFilesAreUsedAgain(t *testing.T) {
	dir := t.TempDir()
	l, p := newDiskLog(t, dir)
	old := fill(t, l, p, 0, 3000)
	require.Greater(t, shrinkAll(t, l), 5)
	releaseAll(l, old)
	require.NotEmpty(t, p.idle)
	made := p.dir.next.Load()

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
	for len(p.idle) > 0 {
		more := fill(t, l, p, 20_000, 10)
		t.Cleanup(func() { releaseAll(l, more) })
	}
	assert.Equal(t, made, p.dir.next.Load(), "no file was made while there were some to fill again")
}

// A record of the former use that stands exactly where a crash cut the new one is known by its checksum.
func TestFormerRecordsAreNotRead(t *testing.T) {
	dir := t.TempDir()
	l, p := newDiskLog(t, dir)
	old := fill(t, l, p, 0, 1000)
	shrinkAll(t, l)
	releaseAll(l, old)
	now := fill(t, l, p, 0, 50) // the same bodies: the same offsets
	after := t.TempDir()
	copyFiles(t, dir, after)
	path := segments(t, after)[0]
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	// As if neither the end nor the length 0 behind the last record had reached the disk before a power cut.
	used := binary.LittleEndian.Uint32(b[headerUsedAt:])
	binary.LittleEndian.PutUint32(b[used+lengthAt:], uint32(len(body(50))))
	binary.LittleEndian.PutUint32(b[headerUsedAt:], uint32(len(b)))
	require.NoError(t, os.WriteFile(path, b, 0o600))
	got, _ := readAll(t, after)
	assert.Len(t, got, 50)
	releaseAll(l, now)
}

// Of a file that is gone, or was cut off, nothing is expected.
func TestFilesThatCannotBeUsedAgain(t *testing.T) {
	for name, harm := range map[string]func(string) error{
		"gone":    os.Remove,
		"cut off": func(path string) error { return os.Truncate(path, 10) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l, p := newDiskLog(t, dir)
			old := fill(t, l, p, 0, 1000)
			shrinkAll(t, l)
			releaseAll(l, old)
			for _, number := range p.idle {
				require.NoError(t, harm(p.dir.file(number, segmentSuffix)))
			}
			now := fill(t, l, p, 0, 1000)
			for i := range now {
				require.Equal(t, []string{fmt.Sprintf("r/s/%s", body(i))}, bodies(l, now[i]))
			}
			assert.Zero(t, p.Volatile())
			after := t.TempDir()
			copyFiles(t, dir, after)
			got, damage := readAll(t, after)
			assert.Empty(t, damage)
			assert.Len(t, got, 1000)
			releaseAll(l, now)
		})
	}
}

// Files that wait give way to what does not fit beside them.
func TestFilesThatWaitMakeRoom(t *testing.T) {
	dir := t.TempDir()
	l, p := newDiskLog(t, dir)
	old := fill(t, l, p, 0, 3000)
	shrinkAll(t, l)
	releaseAll(l, old)
	require.NotEmpty(t, p.idle)
	used := p.Disk()
	p.diskLimit = p.dir.used.Load() // full, but for what waits

	large := 2 * p.segmentSize
	require.NoError(t, p.Reserve(int64(large), int64(large)))
	p.Cancel(int64(large))
	assert.Equal(t, used, p.Disk(), "what waits is not in use")

	for p.dropIdle() {
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix))
	require.NoError(t, err)
	assert.EqualValues(t, len(files)*p.segmentSize, p.dir.used.Load())
}
