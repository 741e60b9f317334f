package spanlog

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/spanlog/internal/files"
	"github.com/slowburn/slowburn/processor/spanlog/internal/format"
)

// written is a directory with one log as kill -9 leaves it, and the contents of its segments.
type written struct {
	dir    string
	bodies map[Position]string
}

// write appends spans and closes nothing, like a killed process.
func write(t testing.TB, spans int) written {
	w := written{dir: t.TempDir(), bodies: map[Position]string{}}
	l, p := newDiskLog(t, w.dir)
	for i := range spans {
		require.NoError(t, p.Reserve(1000, 0))
		var c Chain
		at := l.Position()
		l.SetTime(1_700_000_000_000 + int64(i))
		l.Append(&c, origin(fmt.Sprintf("resource %d", i%3), fmt.Sprintf("scope %d", i%2)), body(i))
		for r := range l.Records(c, nil) {
			w.bodies[at] = fmt.Sprintf("%s/%s/%s", r.Resource, r.Scope, r.Body)
		}
		p.Cancel(1000)
	}
	copied := t.TempDir()
	copyFiles(t, w.dir, copied)
	w.dir = copied
	return w
}

// prune deletes unused files, so that there is less to copy.
func prune(t testing.TB, dir string) {
	inUse := segmentFiles(t, dir)
	all, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	require.NoError(t, err)
	for _, path := range all {
		if !slices.Contains(inUse, path) {
			require.NoError(t, os.Remove(path))
		}
	}
}

func body(i int) []byte {
	return fmt.Appendf(nil, "span %d %s", i, bytes.Repeat([]byte{byte(i)}, i%200))
}

func copyFiles(t testing.TB, from, to string) {
	names, err := os.ReadDir(from)
	require.NoError(t, err)
	for _, n := range names {
		if n.IsDir() {
			require.NoError(t, os.MkdirAll(filepath.Join(to, n.Name()), 0o700))
			copyFiles(t, filepath.Join(from, n.Name()), filepath.Join(to, n.Name()))
			continue
		}
		b, err := os.ReadFile(filepath.Join(from, n.Name()))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(to, n.Name()), b, 0o600))
	}
}

// readAll returns the spans and the damage of a directory.
func readAll(t testing.TB, path string) (got []string, damage []Damage) {
	dir, err := OpenDirectory(path)
	require.NoError(t, err)
	defer dir.Close()
	inv, err := dir.Inventory()
	require.NoError(t, err)
	damage = append(damage, inv.Damage...)
	for _, f := range inv.Segments {
		_, d, err := f.Read(nil, func(s Found) {
			got = append(got, fmt.Sprintf("%s/%s/%s", s.Resource, s.Scope, s.Body))
		})
		require.NoError(t, err)
		damage = append(damage, d...)
	}
	return got, damage
}

func lostIn(damage []Damage) (n int) {
	for _, d := range damage {
		n += d.Lost
	}
	return n
}

func segmentFiles(t testing.TB, dir string) []string {
	paths, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	require.NoError(t, err)
	var inUse []string
	for _, p := range paths {
		b, err := os.ReadFile(p)
		require.NoError(t, err)
		if string(b[:8]) == format.MagicSegment {
			inUse = append(inUse, p)
		}
	}
	require.NotEmpty(t, inUse)
	return inUse
}

func TestEverythingComesBack(t *testing.T) {
	w := write(t, 1000)
	got, damage := readAll(t, w.dir)
	assert.Empty(t, damage)
	require.Len(t, got, 1000)
	for i, s := range got {
		require.Equal(t, fmt.Sprintf("resource %d/scope %d/%s", i%3, i%2, body(i)), s)
	}
	left, err := filepath.Glob(filepath.Join(w.dir, "*.seg"))
	require.NoError(t, err)
	assert.Len(t, left, len(segmentFiles(t, w.dir)), "files that were ready to be used are deleted")
}

// A file that is truncated anywhere yields its records, and the loss of the others is reported.
func TestEveryTruncation(t *testing.T) {
	w := write(t, 40)
	prune(t, w.dir)
	path := segmentFiles(t, w.dir)[0]
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for size := 0; size < 9000; size += 1 + size/100 {
		require.NoError(t, os.WriteFile(path, whole[:size], 0o600))
		dir := t.TempDir()
		copyFiles(t, w.dir, dir)
		got, damage := readAll(t, dir)
		switch {
		case size < 8:
			require.Empty(t, got)
		case size >= int(binary.LittleEndian.Uint32(whole[format.UsedAt:])):
			require.Len(t, got, 40, "nothing of it is gone")
		default:
			require.NotEmpty(t, damage, "size %d", size)
			require.Positive(t, lostIn(damage)+len(got), "size %d", size)
			require.Positive(t, lostIn(damage), "size %d", size)
		}
		for i, s := range got {
			require.Equal(t, fmt.Sprintf("resource %d/scope %d/%s", i%3, i%2, body(i)), s)
		}
	}
}

// A flipped bit costs at most the spans of one record, or of the damaged resource or scope; only written spans come back; missing
// ones are counted, and reported with file and offset.
func TestFlippedBits(t *testing.T) {
	w := write(t, 300)
	prune(t, w.dir)
	paths := segmentFiles(t, w.dir)
	rnd := rand.New(rand.NewPCG(1, 1))
	want := map[string]bool{}
	for _, b := range w.bodies {
		want[b] = true
	}
	for range 400 {
		dir := t.TempDir()
		copyFiles(t, w.dir, dir)
		path := filepath.Join(dir, filepath.Base(paths[rnd.IntN(len(paths))]))
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		at := rnd.IntN(12_000)
		if rnd.IntN(4) == 0 {
			at = rnd.IntN(format.HeaderSize)
		}
		b[at] ^= 1 << rnd.IntN(8)
		require.NoError(t, os.WriteFile(path, b, 0o600))
		lockOut, err := OpenDirectory(dir)
		require.NoError(t, err)
		_, err = lockOut.Inventory()
		require.NoError(t, err, "byte %d", at)
		require.NoError(t, lockOut.Close())

		got, damage := readAll(t, dir)
		seen := map[string]bool{}
		for _, s := range got {
			require.True(t, want[s], "byte %d: %s was not written", at, s)
			require.False(t, seen[s], "byte %d: %s came twice", at, s)
			seen[s] = true
		}
		missing := len(want) - len(seen)
		require.GreaterOrEqual(t, lostIn(damage), missing, "byte %d: every lost span is counted: %v", at, damage)
		if missing > 0 {
			require.Contains(t, damage[0].String(), filepath.Base(path))
		}
	}
}

// Records of a file's earlier use are not read.
func TestRecycledFilesShowNothingOld(t *testing.T) {
	dir := t.TempDir()
	l, p := newDiskLog(t, dir)
	for round := range 20 {
		var chains [50]Chain
		for i := range chains {
			require.NoError(t, p.Reserve(1000, 0))
			l.Append(&chains[i], origin("r", "s"), fmt.Appendf(nil, "round %d span %d %0300d", round, i, 0))
			p.Cancel(1000)
		}
		if round < 19 {
			for i := range chains {
				l.Release(&chains[i])
			}
		}
	}
	after := t.TempDir()
	copyFiles(t, dir, after)
	got, damage := readAll(t, after)
	assert.Empty(t, damage)
	require.Len(t, got, 50)
	for _, s := range got {
		require.Contains(t, s, "round 19")
	}
}

// Compressed or paged out, segments yield the same records, before and after a restart.
func TestShrunkSegments(t *testing.T) {
	for _, pack := range []bool{false, true} {
		for _, disk := range []bool{false, true} {
			if !disk && !pack {
				continue // memory cannot be paged out
			}
			t.Run(fmt.Sprintf("pack %v disk %v", pack, disk), func(t *testing.T) {
				dir := t.TempDir()
				l, p := newLog(t)
				if disk {
					l, p = newDiskLog(t, dir)
				}
				chains := make([]Chain, 20)
				want := make([][]string, 20)
				for i := range 2000 {
					require.NoError(t, p.Reserve(1000, 0))
					l.Append(&chains[i%20], origin("r", "s"), body(i))
					p.Cancel(1000)
				}
				for i := range chains {
					want[i] = bodies(l, chains[i])
				}
				before, shrunk := p.Used(), 0
				for w := l.BeginShrink(pack, false); w != nil; w = l.BeginShrink(pack, false) {
					w.Run()
					ok, err := l.EndShrink(w)
					require.NoError(t, err)
					require.True(t, ok)
					w.Free()
					require.Positive(t, w.Saved()+1)
					shrunk++
				}
				require.Greater(t, shrunk, 5)
				require.Less(t, p.Used(), before)
				require.Equal(t, shrunk, l.Usage().Cold)
				for i := range chains {
					require.Equal(t, want[i], bodies(l, chains[i]))
				}
				if disk {
					after := t.TempDir()
					copyFiles(t, dir, after)
					got, damage := readAll(t, after)
					require.Empty(t, damage)
					require.Len(t, got, 2000)
				}
				for i := range 15 {
					l.Release(&chains[i])
				}
				share := 0.9
				if pack {
					require.Zero(t, l.Compact(share, true, nil), "a quarter of what was compressed well takes more room than all of it")
					share = 100
				}
				require.Positive(t, l.Compact(share, true, nil), "what is cold can be copied forward")
				for i := 15; i < 20; i++ {
					require.Equal(t, want[i], bodies(l, chains[i]))
				}
			})
		}
	}
}

// A segment that was compressed when the process ended exists once.
func TestTwinsAreDropped(t *testing.T) {
	dir := t.TempDir()
	l, p := newDiskLog(t, dir)
	var c Chain
	for i := range 500 {
		require.NoError(t, p.Reserve(1000, 0))
		l.Append(&c, origin("r", "s"), body(i))
		p.Cancel(1000)
	}
	w := l.BeginShrink(true, false)
	w.Run()
	original, packed := filepath.Base(p.disk.Load().File(files.InFile(w.segment.mem))), filepath.Base(p.disk.Load().File(w.result.File))
	for name, change := range map[string]func(dir string){
		"both are whole": func(string) {},
		"the original was filled anew, but for its header": func(dir string) {
			b, err := os.ReadFile(filepath.Join(dir, original))
			require.NoError(t, err)
			clear(b[format.HeaderSize:])
			require.NoError(t, os.WriteFile(filepath.Join(dir, original), b, 0o600))
		},
		"the packed one is torn": func(dir string) {
			require.NoError(t, os.Truncate(filepath.Join(dir, packed), format.PackedHeaderSize+9))
		},
	} {
		t.Run(name, func(t *testing.T) {
			after := t.TempDir()
			copyFiles(t, dir, after) // in between: the packed file is complete, the original not yet free
			change(after)
			got, damage := readAll(t, after)
			assert.Empty(t, damage)
			assert.Len(t, got, 500)
		})
	}
	_, err := l.EndShrink(w)
	require.NoError(t, err)
}
