package spanlog

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// cutOff makes the disk fail under the segment with the given number.
func cutOff(t *testing.T, l *Log, number uint32) {
	t.Helper()
	require.True(t, l.list[number].mem.OnDisk())
	require.NoError(t, os.Truncate(segmentPath(l.pool, l.list[number].mem.File), 0))
}

// guarded calls a function under Guard, as callers do.
func guarded(do func()) (err error) {
	defer Guard(&err)()
	do()
	return nil
}

// Release does not fault if the disk fails under the segment being filled. Its file is discarded, and the log continues.
func TestReleaseWhereTheDiskFails(t *testing.T) {
	l, p := newDiskLog(t, t.TempDir())
	var c Chain
	l.Append(&c, origin("r", "s"), []byte("one"))
	before := l.Position()
	file := l.list[l.active].mem.File
	cutOff(t, l, l.active)
	l.Release(&c)
	assert.True(t, c.Empty())
	assert.Zero(t, l.Usage().Segments)
	assert.NoFileExists(t, segmentPath(p, file))
	assert.GreaterOrEqual(t, l.Position(), before)

	l.Append(&c, origin("r", "s"), []byte("two"))
	assert.Equal(t, []string{"r/s/two"}, bodies(l, c))
	assert.NotEqual(t, file, l.list[l.active].mem.File)
	l.Release(&c)
	assert.Equal(t, 1, l.Usage().Segments)
}

// A record whose store faults leaves its chain unchanged, and Interrupt gives back segments without records.
func TestAppendWhereTheDiskFails(t *testing.T) {
	for _, size := range []int{10, 5000} {
		t.Run(fmt.Sprintf("%d bytes", size), func(t *testing.T) {
			l, _ := newDiskLog(t, t.TempDir())
			var c, other Chain
			o := origin("r", "s")
			l.Append(&other, o, []byte("stays"))
			number := l.active
			cutOff(t, l, number)
			err := guarded(func() { l.Append(&c, o, make([]byte, size)) })
			require.ErrorIs(t, err, ErrDisk)
			assert.True(t, c.Empty())
			name := filepath.Base(segmentPath(l.pool, l.list[number].mem.File))
			err = l.Interrupt(err)
			require.ErrorIs(t, err, ErrDisk)
			require.EqualError(t, err, "the segment file "+name+" is damaged: it was cut off, or cannot be read or written; another one is begun")
			assert.Equal(t, 1, l.Usage().Segments)
			assert.EqualValues(t, 1, l.list[number].liveRuns)
			l.Release(&other)
			assert.Zero(t, l.Usage().Segments)
			assert.Zero(t, l.runs.Len())

			// A segment whose first store fails holds nothing.
			l.Append(&c, o, []byte("c"))
			l.Release(&c)
			cutOff(t, l, l.active)
			require.ErrorIs(t, guarded(func() { l.Append(&c, o, make([]byte, size)) }), ErrDisk)
			require.NoError(t, l.Interrupt(nil))
			assert.Zero(t, l.Usage().Segments)
		})
	}
}

// One fault discards the free segments too: a fault of all files fails one request, and one more for each log that was not probed.
func TestOneFaultGivesUpTheStock(t *testing.T) {
	l, p := newDiskLog(t, t.TempDir())
	var c Chain
	o := origin("r", "s")
	l.Append(&c, o, []byte("lost"))
	require.NoError(t, p.Reserve(int64(10*p.segmentSize), 0))
	defer p.Cancel(int64(10 * p.segmentSize))
	require.Greater(t, p.stock.len(), 10)
	for _, m := range p.stock.free {
		require.NoError(t, os.Truncate(segmentPath(p, m.File), 0))
	}
	l.Probe()
	assert.True(t, l.filling, "it is whole")
	cutOff(t, l, l.active)
	err := guarded(func() { l.Append(&c, o, []byte("refused")) })
	require.ErrorIs(t, err, ErrDisk)
	_ = l.Interrupt(err)
	assert.Zero(t, p.stock.len())
	for range 20 * p.segmentSize / 1000 {
		require.NoError(t, guarded(func() { l.Append(&c, o, make([]byte, 1000)) }))
	}
	assert.Zero(t, p.Volatile())

	cutOff(t, l, l.active)
	l.Probe()
	require.NoError(t, guarded(func() { l.Append(&c, o, []byte("taken")) }))
}

// A copied span is kept in memory if the disk fails, and the log continues in another file.
func TestAppendCopyWhereTheDiskFails(t *testing.T) {
	l, p := newDiskLog(t, t.TempDir())
	var lost, c Chain
	o := origin("r", "s")
	l.AppendCopy(&lost, o, []byte("lost"), 1, 1000)
	first := l.active
	cutOff(t, l, first)
	l.AppendCopy(&c, o, []byte("one"), 2, 1000)
	assert.EqualValues(t, 1, p.Volatile())
	l.AppendCopy(&c, o, []byte("two"), 3, 1000)
	l.Append(&c, o, []byte("three"))
	assert.EqualValues(t, 1, p.Volatile())
	assert.NotEqual(t, first, l.active)
	assert.True(t, l.list[l.active].mem.OnDisk())
	assert.Equal(t, []string{"r/s/one", "r/s/two", "r/s/three"}, bodies(l, c))
	l.Release(&lost)
	l.Release(&c)
	assert.Equal(t, 1, l.Usage().Segments)
}

// Spans that are copied while the disk is full are in no file, and fill one segment. Spans accepted later are in a file.
func TestAppendWhereTheDiskHasRoomAgain(t *testing.T) {
	for name, resource := range map[string]string{"usual": "r", "wide": strings.Repeat("r", 2*minSegmentSize)} {
		t.Run(name, func(t *testing.T) {
			l, p := newDiskLog(t, t.TempDir())
			filled := func() *segment {
				if name == "wide" {
					return &l.list[l.wide.number]
				}
				return &l.list[l.active]
			}
			discardStock(p)
			p.stock.dropping.Wait()
			directory := p.disk.Load().Path()
			require.NoError(t, os.Rename(directory, directory+".away"))
			var c Chain
			o := origin(resource, "s")
			for i := range 3 {
				l.AppendCopy(&c, o, []byte("copied"), Position(i+1), 1000)
			}
			l.Append(&c, o, []byte("let in before"))
			assert.Error(t, p.Reserve(0, 0))
			require.False(t, filled().mem.OnDisk())
			volatile := p.Volatile()
			assert.LessOrEqual(t, volatile, int64(2), "one of each kind")
			require.NoError(t, os.Rename(directory+".away", directory))

			require.NoError(t, p.Reserve(0, 0))
			l.Append(&c, o, []byte("let in"))
			assert.True(t, filled().mem.OnDisk())
			number := filled().sequence
			l.Append(&c, o, []byte("likewise"))
			assert.Equal(t, number, filled().sequence)
			assert.Equal(t, volatile, p.Volatile())
			var want []string
			for _, body := range []string{"copied", "copied", "copied", "let in before", "let in", "likewise"} {
				want = append(want, resource+"/s/"+body)
			}
			assert.Equal(t, want, bodies(l, c))
			l.Release(&c)
		})
	}
}

// If the disk fails under the place that spans are copied to, they stay where they are.
func TestCompactWhereTheDiskFails(t *testing.T) {
	const page = 4 << 10
	for _, tc := range []struct {
		left int64 // bytes left of the file to which they are copied
		stay uint32
	}{{0, 3}, {page, 1}} {
		t.Run(fmt.Sprintf("%d stay", tc.stay), func(t *testing.T) {
			if os.Getpagesize() != page {
				t.Skip("only a part of a segment can fail where pages are small")
			}
			l, p := newDiskLog(t, t.TempDir())
			o := origin("r", "s")
			var chains [3]Chain
			var want [3][]string
			for i := range chains {
				body := fmt.Sprintf("%d%01800d", i, 0)
				l.Append(&chains[i], o, []byte(body))
				want[i] = []string{"r/s/" + body}
			}
			size := l.list[l.active].live / 3
			source := l.active
			var gone Chain
			for l.active == source {
				require.NoError(t, p.Reserve(1000, 0))
				l.Append(&gone, o, make([]byte, 1000))
				p.Cancel(1000)
			}
			l.Release(&gone)
			require.NoError(t, os.Truncate(segmentPath(p, l.list[l.active].mem.File), tc.left))
			require.ErrorIs(t, guarded(func() { l.Compact(1, true, nil) }), ErrDisk)
			assert.False(t, l.filling)
			assert.Equal(t, tc.stay, l.list[source].liveRuns)
			assert.Equal(t, tc.stay*size, l.list[source].live)
			for i := range chains {
				assert.Equal(t, want[i], bodies(l, chains[i]))
			}

			require.NoError(t, p.Reserve(1000, 0))
			assert.Equal(t, 1, l.Compact(1, true, nil))
			p.Cancel(1000)
			assert.Zero(t, l.list[source].sequence, "it is given back")
			for i := range chains {
				assert.Equal(t, want[i], bodies(l, chains[i]))
				l.Release(&chains[i])
			}
			assert.Zero(t, l.runs.Len())
			assert.Equal(t, 1, l.Usage().Segments)
		})
	}
}

// A journal file under which the disk fails is deleted, and its event skipped.
func TestJournalWhereTheDiskFails(t *testing.T) {
	dir := t.TempDir()
	_, p := newDiskLog(t, dir)
	j := NewJournal(p, 0, Names{Policies: []string{"", "errors"}})
	used := p.Used()
	disk := p.disk.Load().Used()
	m, err := p.disk.Load().Create(files.Journal, p.segmentSize)
	require.NoError(t, err)
	path := p.disk.Load().File(files.File{Number: m.File, Kind: files.Journal})
	require.NoError(t, os.Truncate(path, 0))
	p.Grow(int64(p.segmentSize)) // as take does
	require.ErrorIs(t, j.begin(m, 0), ErrDisk)
	assert.NoFileExists(t, path)
	assert.Equal(t, used, p.Used())
	assert.Equal(t, disk, p.disk.Load().Used())
	assert.True(t, j.Full())

	j.Put(&Event{Kind: Decided}, 0)
	assert.Zero(t, j.Skipped)
	names, err := filepath.Glob(filepath.Join(dir, "*"+string(files.Journal)))
	require.NoError(t, err)
	require.Len(t, names, 1)
	b, err := os.ReadFile(names[0])
	require.NoError(t, err)
	assert.True(t, bytes.HasPrefix(b, []byte(format.MagicJournal)))
	j.Close()
}
