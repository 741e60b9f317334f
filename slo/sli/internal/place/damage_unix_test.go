//go:build unix

package place

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scene is what a process killed at some step leaves: the bytes of its files, oldest first.
type scene struct {
	files [][]byte
	told  []string // the emitted records, and those of the snapshot
	all   []string // those and the later ones
}

const sweptRoom = pageSize

// scenes returns what is left at each step at which a process can be killed.
func scenes(t *testing.T) map[string]scene {
	t.Helper()
	all := map[string]scene{}
	made := func(name string, play func(d *Directory) (told, later []string)) {
		path := t.TempDir()
		d, _, _ := reopened(t, path)
		told, later := play(d)
		list, err := d.generations()
		require.NoError(t, err)
		s := scene{told: told, all: slices.Concat(told, later)}
		for _, n := range list {
			b, err := os.ReadFile(d.file(n))
			require.NoError(t, err)
			s.files = append(s.files, b)
		}
		kill(t, d)
		all[name] = s
	}
	appended := func(g Generation, from, n int) (records []string) {
		for i := range n {
			record := fmt.Sprintf("record %d %s", from+i, strings.Repeat("-", (from+i)*7%90))
			require.True(t, g.Append([]byte(record)))
			records = append(records, record)
		}
		return records
	}
	snapshot := []string{"name", "a", strings.Repeat("b", 300), "c"}
	made("told", func(d *Directory) (told, later []string) {
		g := begin(t, d, sweptRoom, snapshot...)
		told = appended(g, 0, 20)
		require.True(t, g.Mark())
		return slices.Concat(snapshot, told), nil
	})
	made("told, then counted", func(d *Directory) (told, later []string) {
		g := begin(t, d, sweptRoom, snapshot...)
		told = appended(g, 0, 8)
		require.True(t, g.Mark())
		return slices.Concat(snapshot, told), appended(g, 8, 9)
	})
	made("stopped", func(d *Directory) (told, later []string) {
		g := begin(t, d, sweptRoom, snapshot...)
		told = appended(g, 0, 20)
		require.NoError(t, g.Close())
		return slices.Concat(snapshot, told), nil
	})
	made("the next begun", func(d *Directory) (told, later []string) {
		g := begin(t, d, sweptRoom, snapshot...)
		told = appended(g, 0, 8)
		require.True(t, g.Mark())
		next, err := d.Begin(sweptRoom)
		require.NoError(t, err)
		return slices.Concat(snapshot, told), appended(next, 8, 5)
	})
	made("the next's snapshot half written", func(d *Directory) (told, later []string) {
		g := begin(t, d, sweptRoom, snapshot...)
		told = appended(g, 0, 8)
		require.True(t, g.Mark())
		next, err := d.Begin(sweptRoom)
		require.NoError(t, err)
		later = appended(next, 8, 5)
		file := next.(*generation)
		_, err = file.file.WriteAt([]byte("half"), int64(len(file.memory.Buf)))
		require.NoError(t, err)
		require.NoError(t, file.poke(snapshotAt, []byte("snap")))
		return slices.Concat(snapshot, told), later
	})
	made("the next committed, the former there", func(d *Directory) (told, later []string) {
		g := begin(t, d, sweptRoom, "name", "former")
		appended(g, 0, 8)
		require.True(t, g.Mark())
		next, err := d.Begin(sweptRoom)
		require.NoError(t, err)
		_, err = next.Commit(func(write func([]byte) error) error {
			for _, record := range snapshot {
				if err := write([]byte(record)); err != nil {
					return err
				}
			}
			return nil
		})
		require.NoError(t, err)
		told = appended(next, 8, 9)
		require.True(t, next.Mark())
		return slices.Concat(snapshot, told), nil
	})
	return all
}

// recovered restores a scene in which one file has these bytes. Damage is nil if the records were restored.
func (s scene) recovered(spoiled int, b []byte) (records []string, damage error) {
	var files []parsedFile
	for i, file := range s.files {
		if i == spoiled {
			file = b
		}
		files = append(files, parse(fmt.Sprint(i), file))
	}
	_, damage = recoverFrom(files, bootID(), func(record []byte) error {
		records = append(records, string(record))
		return nil
	})
	return records, damage
}

// holds checks law 1: every emitted record is restored, in order, or damage is reported. Records after the last flush are
// restored unless they were zeroed.
func (s scene) holds(t *testing.T, spoiled int, b []byte, zeroed bool, what string, args ...any) (damage error) {
	t.Helper()
	records, damage := s.recovered(spoiled, b)
	if damage != nil {
		require.ErrorIs(t, damage, errDamaged, what, args)
		return damage
	}
	if !zeroed {
		require.Equal(t, s.all, records, what, args)
		return nil
	}
	require.GreaterOrEqual(t, len(records), len(s.told), what, args)
	require.Equal(t, s.told, records[:len(s.told)], what, args)
	at := 0
	for _, record := range records {
		next := slices.Index(s.all[at:], record)
		require.GreaterOrEqual(t, next, 0, what, args)
		at += next + 1
	}
	return nil
}

// TestDamage checks that after any change of a file's bytes all counts that were sent are recovered, or the damage is reported.
func TestDamage(t *testing.T) {
	for name, s := range scenes(t) {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			require.NoError(t, s.holds(t, -1, nil, false, "nothing"))
			for i, file := range s.files {
				noticed := 0
				for at := range file {
					b := bytes.Clone(file)
					b[at] ^= 1 << rng.IntN(8)
					if s.holds(t, i, b, false, "file %d: a bit of byte %d", i, at) != nil {
						noticed++
					}
				}
				if i == len(s.files)-1 {
					assert.Greater(t, noticed, headLength, "the head is always needed")
				}
				for length := range file {
					s.holds(t, i, file[:length], false, "file %d cut off at %d", i, length)
				}
				for range 3000 {
					from := rng.IntN(len(file))
					if rng.IntN(4) == 0 {
						from = []int{0, snapshotAt, markAt, pageSize, pageSize + sweptRoom}[rng.IntN(5)]
					}
					to := min(from+1+rng.IntN([]int{8, 64, 1024, len(file)}[rng.IntN(4)]), len(file))
					b := bytes.Clone(file)
					clear(b[from:to])
					s.holds(t, i, b, true, "file %d: zeros from %d to %d", i, from, to)
				}
				for range 1000 {
					b := bytes.Clone(file)
					at := rng.IntN(len(b))
					for j := at; j < min(at+1+rng.IntN(600), len(b)); j++ {
						b[j] = byte(rng.Uint32())
					}
					s.holds(t, i, b, true, "file %d: noise at %d", i, at)
				}
			}
		})
	}
}

// TestDamageIsMovedAside checks that a damaged file is moved aside, reported with its path, and replaced.
func TestDamageIsMovedAside(t *testing.T) {
	for name, s := range scenes(t) {
		for _, at := range []int{3, snapshotAt + 2, snapshotAt + 9, markAt + 1, pageSize + 20, pageSize + sweptRoom + 5} {
			path := t.TempDir()
			last := len(s.files) - 1
			b := bytes.Clone(s.files[last])
			at = min(at, len(b)-1)
			b[at] ^= 4
			_, damage := s.recovered(last, b)
			for i, file := range s.files {
				if i == last {
					file = b
				}
				require.NoError(t, os.WriteFile(filepath.Join(path, fmt.Sprintf("sli%%2Feu.%d.counts", i+1)), file, 0o600))
			}
			d, records, found := reopened(t, path)
			if damage == nil {
				assert.Empty(t, found.Lost, "%s: %d", name, at)
				assert.Equal(t, s.all, records)
				kill(t, d)
				continue
			}
			for i := range s.files {
				aside := filepath.Join(path, fmt.Sprintf("sli%%2Feu.%d.counts.damaged", i+1))
				assert.Contains(t, found.Lost, aside)
				assert.FileExists(t, aside)
			}
			begin(t, d, sweptRoom, "anew")
			kill(t, d)
			d, records, found = reopened(t, path)
			assert.Empty(t, found.Lost)
			assert.Equal(t, []string{"anew"}, records)
			kill(t, d)
		}
	}
}

// TestKilledWriters checks that a gap behind the mark, which a killed writer left, is skipped without a report, whatever part of
// its record was stored.
func TestKilledWriters(t *testing.T) {
	path := t.TempDir()
	d, _, _ := reopened(t, path)
	g := begin(t, d, 1<<16, "a").(*generation)
	require.True(t, g.Append([]byte("told")))
	require.True(t, g.Mark())
	gap := g.tail.Add(int64(frame(100))) - int64(frame(100))
	for i := range 100 - frameHead {
		g.log[int(gap)+frameHead+i] = byte(i + 1)
	}
	require.True(t, g.Append([]byte("later")))
	assert.False(t, g.Mark(), "a writer has not come to its end")
	kill(t, d)
	d, records, found := reopened(t, path)
	kill(t, d)
	assert.Empty(t, found.Lost)
	assert.Equal(t, []string{"a", "told", "later"}, records)
	require.NoError(t, g.store(int(gap), []byte(strings.Repeat("x", 100-frameHead))))
	assert.True(t, g.Mark(), "now it has")
}

// TestFullLogIsNotMarked checks that a log that refused a record is not marked; the next one is.
func TestFullLogIsNotMarked(t *testing.T) {
	d, _, _ := reopened(t, t.TempDir())
	g := begin(t, d, pageSize, "a")
	for g.Append([]byte(strings.Repeat("x", 1000))) {
		assert.True(t, g.Mark())
	}
	assert.False(t, g.Mark())
	next := begin(t, d, pageSize, "b")
	assert.True(t, next.Mark())
	kill(t, d)
}

// TestKilledBeforeTheFirstFile checks that a process that ended while it wrote its first file reports a loss only if it had counted.
func TestKilledBeforeTheFirstFile(t *testing.T) {
	for _, counted := range []bool{false, true} {
		path := t.TempDir()
		d, _, _ := reopened(t, path)
		require.NoError(t, os.WriteFile(filepath.Join(path, "sli%2Feu.counts.new"), []byte("half"), 0o600))
		g, err := d.Begin(pageSize)
		require.NoError(t, err)
		if counted {
			require.True(t, g.Append([]byte("1")))
		}
		kill(t, d)
		d, records, found := reopened(t, path)
		assert.Empty(t, records)
		assert.Equal(t, counted, strings.Contains(found.Lost, "ended while their first snapshot was written"))
		assert.NotContains(t, found.Lost, damagedSuffix)
		kill(t, d)
	}
}

// TestAbandonUnreadableFile checks that an abandoned file that cannot be marked is deleted.
func TestAbandonUnreadableFile(t *testing.T) {
	path := t.TempDir()
	d, _, _ := reopened(t, path)
	g := begin(t, d, pageSize, "a").(*generation)
	require.NoError(t, g.poke(20, []byte{99}))
	require.ErrorIs(t, markAbandoned(g.path), errDamaged)
	require.NoError(t, d.Abandon())
	assert.NoFileExists(t, g.path)
	kill(t, d)
}
