//go:build unix

package place

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// kill closes a directory as the end of its process does: nothing more is written.
func kill(t *testing.T, d *Directory) { require.NoError(t, d.lock.Close()) }

func open(t *testing.T, path string) *Directory {
	t.Helper()
	d, err := Open(path, "sli/eu")
	require.NoError(t, err)
	return d
}

// reopened returns what the next process restores.
func reopened(t *testing.T, path string) (d *Directory, records []string, found Found) {
	t.Helper()
	d = open(t, path)
	found, err := d.Recover(func(record []byte) error {
		records = append(records, string(record))
		return nil
	})
	require.NoError(t, err)
	return d, records, found
}

func begin(t *testing.T, d *Directory, room int, snapshot ...string) Generation {
	t.Helper()
	g, err := d.Begin(room)
	require.NoError(t, err)
	commit(t, g, snapshot...)
	return g
}

func commit(t *testing.T, g Generation, snapshot ...string) {
	t.Helper()
	_, err := g.Commit(func(write func([]byte) error) error {
		for _, record := range snapshot {
			if err := write([]byte(record)); err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, g.Sync())
}

func files(t *testing.T, path string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(path)
	require.NoError(t, err)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), e.Name())
		names = append(names, e.Name())
	}
	return names
}

// TestKilled checks what is restored after a process ended at each of its steps.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "counts")
	d, records, found := reopened(t, path)
	assert.Empty(t, records)
	assert.Empty(t, found)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())

	first := begin(t, d, 1<<16, "a", "b")
	require.True(t, first.Append([]byte("1")))
	kill(t, d)
	d, records, found = reopened(t, path)
	assert.Equal(t, []string{"a", "b", "1"}, records)
	assert.Equal(t, Found{Records: 3}, found)

	second, err := d.Begin(1 << 16)
	require.NoError(t, err)
	require.True(t, second.Append([]byte("2")))
	kill(t, d)
	d, records, _ = reopened(t, path)
	assert.Equal(t, []string{"a", "b", "1", "2"}, records, "the snapshot of the second was never written")

	third := begin(t, d, 1<<16, "c")
	require.True(t, third.Append([]byte("3")))
	assert.Equal(t, []string{"sli%2Feu.3.counts", "sli%2Feu.lock"}, files(t, path), "the others are needless")
	kill(t, d)
	d, records, _ = reopened(t, path)
	assert.Equal(t, []string{"c", "3"}, records)

	last := begin(t, d, 1<<16, "d")
	require.True(t, last.Append([]byte("4")))
	require.NoError(t, last.Close())
	require.NoError(t, d.Close())
	d, records, _ = reopened(t, path)
	assert.Equal(t, []string{"d", "4"}, records)
	kill(t, d)
}

// TestConcurrentAppends checks that records that many goroutines appended are restored, apart from those that did not fit, after
// which none is accepted; and that incomplete records are skipped.
func TestConcurrentAppends(t *testing.T) {
	path := t.TempDir()
	d, _, _ := reopened(t, path)
	g := begin(t, d, 1<<18).(*generation)
	var mu sync.Mutex
	kept := map[string]bool{}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(worker), 1))
			for n := 0; ; n++ {
				record := fmt.Appendf(nil, "%d %d %0*d", worker, n, rng.IntN(200), 0)
				if !g.Append(record) {
					assert.False(t, g.Append([]byte("x")))
					return
				}
				mu.Lock()
				kept[string(record)] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	assert.InDelta(t, 1, g.Fill(), 0)
	torn := string(g.log[frameHead:][:3]) // of the first record
	g.log[frameHead+1]++
	storeWord(g.log, 0) // as while a writer has not finished
	kill(t, d)
	d, records, found := reopened(t, path)
	kill(t, d)
	assert.Empty(t, found.Lost)
	assert.Len(t, records, len(kept)-1, "all but %q", torn)
	for _, record := range records {
		assert.True(t, kept[record], record)
	}
}

func TestInUse(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	_, err := Open(path, "sli/eu")
	require.ErrorIs(t, err, ErrInUse)
	assert.ErrorContains(t, err, fmt.Sprintf("the counts of sli/eu in %s are in use by another process (pid %d)", path, os.Getpid()))
	other, err := Open(path, "sli")
	require.NoError(t, err, "another connector's are another file")
	require.NoError(t, errors.Join(other.Close(), d.Close()))
	kill(t, open(t, path))
}

// TestFilesThatAreNotRestored checks which files are not restored, and that this is reported.
func TestFilesThatAreNotRestored(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, d *Directory, g *generation)
		lost  string
		aside bool
	}{
		"abandoned": {func(t *testing.T, _ *Directory, g *generation) { require.NoError(t, g.Abandon()) }, "counting went on in memory", false},
		"abandoned at the start": {func(t *testing.T, d *Directory, _ *generation) {
			require.NoError(t, d.Abandon())
		}, "counting went on in memory", false},
		"power cut": {func(t *testing.T, _ *Directory, g *generation) {
			h := head{version: formatVersion, generation: 1, salt: g.salt, room: uint64(len(g.log)), boot: "another"}
			require.NoError(t, g.poke(0, h.encode()))
		}, "the machine was restarted", false},
		"snapshot damaged": {func(t *testing.T, _ *Directory, g *generation) {
			_, err := g.file.WriteAt([]byte{99}, int64(len(g.memory.Buf))+1)
			require.NoError(t, err)
		}, "cannot be read: it is damaged", true},
		"snapshot cut off": {func(t *testing.T, _ *Directory, g *generation) {
			require.NoError(t, g.file.Truncate(int64(len(g.memory.Buf))+1))
		}, "cut off in its snapshot, which has 1 bytes of 2: it is damaged", true},
		"snapshot head damaged": {func(t *testing.T, _ *Directory, g *generation) {
			require.NoError(t, g.poke(snapshotAt+9, []byte{99}))
		}, "the head of its snapshot cannot be read: it is damaged", true},
		"cut off": {func(t *testing.T, _ *Directory, g *generation) { require.NoError(t, g.file.Truncate(5000)) }, "cut off in its log: it is damaged", true},
		"record damaged": {func(_ *testing.T, _ *Directory, g *generation) {
			g.log[frameHead]++
		}, "the record at byte 0 of the log was changed: it is damaged", true},
		"marked record zeroed": {func(t *testing.T, _ *Directory, g *generation) {
			require.True(t, g.Mark())
			clear(g.log)
		}, "there is no record at byte 0 of the log, though its first 32 were complete: it is damaged", true},
		"mark damaged":    {func(_ *testing.T, _ *Directory, g *generation) { storeWord(g.memory.Buf[markAt:], 0) }, "how much of its log is complete cannot be read: it is damaged", true},
		"head damaged":    {func(t *testing.T, _ *Directory, g *generation) { require.NoError(t, g.poke(20, []byte{99})) }, "cannot be read: it is damaged", true},
		"version damaged": {func(t *testing.T, _ *Directory, g *generation) { require.NoError(t, g.poke(8, []byte{9})) }, "cannot be read: it is damaged", true},
		"empty":           {func(t *testing.T, _ *Directory, g *generation) { require.NoError(t, g.file.Truncate(0)) }, "cannot be read", true},
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			d, _, _ := reopened(t, path)
			g := begin(t, d, 1<<16, "a").(*generation)
			require.True(t, g.Append([]byte("1")))
			c.spoil(t, d, g)
			kill(t, d)
			d, _, found := reopened(t, path)
			assert.Contains(t, found.Lost, c.lost)
			if c.aside {
				assert.Contains(t, found.Lost, filepath.Join(path, "sli%2Feu.1.counts.damaged"))
				assert.FileExists(t, filepath.Join(path, "sli%2Feu.1.counts.damaged"))
			}
			next := begin(t, d, 1<<16, "b")
			require.True(t, next.Append([]byte("2")))
			kill(t, d)
			d, records, found := reopened(t, path)
			kill(t, d)
			assert.Equal(t, []string{"b", "2"}, records)
			assert.Empty(t, found.Lost)
		})
	}
}

// TestOtherFormat checks that files of another format version are moved aside under a name with the version, however often that
// happens.
func TestOtherFormat(t *testing.T) {
	path := t.TempDir()
	for n, countsSuffix := range []string{"4", "4-2", "4-3"} {
		d, _, _ := reopened(t, path)
		g := begin(t, d, 1<<16, "a").(*generation)
		h := head{version: formatVersion + 1, generation: 1, salt: g.salt, room: uint64(len(g.log)), boot: d.boot}
		require.NoError(t, g.poke(0, h.encode()))
		kill(t, d)
		d, records, found := reopened(t, path)
		aside := filepath.Join(path, "sli%2Feu.1.counts.format-"+countsSuffix)
		assert.Empty(t, records, n)
		assert.Contains(t, found.Lost, "its format version is 4, and this version of slowburn reads 3, and is now "+aside)
		assert.NotContains(t, found.Lost, "damaged")
		assert.FileExists(t, aside)
		kill(t, d)
	}
}

// TestRefusedRecords checks that records without meaning are damage, even if their checksums are right.
func TestRefusedRecords(t *testing.T) {
	path := t.TempDir()
	d, _, _ := reopened(t, path)
	begin(t, d, 1<<16, "a")
	kill(t, d)
	d = open(t, path)
	found, err := d.Recover(func([]byte) error { return errors.New("no sense") })
	require.NoError(t, err)
	assert.Contains(t, found.Lost, "no sense")
	kill(t, d)
}

func TestNotWritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(filepath.Join(file, "counts"), "sli")
	require.ErrorContains(t, err, "a file is in the way: move it, or set another directory")
	if os.Getuid() == 0 {
		return // root may write everywhere
	}
	stateClosed := filepath.Join(t.TempDir(), "closed")
	require.NoError(t, os.Mkdir(stateClosed, 0o500))
	_, err = Open(stateClosed, "sli")
	require.ErrorContains(t, err, "let the user who runs slowburn write there")
}

func FuzzReadLog(f *testing.F) {
	f.Add([]byte("0123456789abcdef0123456789abcdef0123456789abcdef"), uint64(1))
	f.Fuzz(func(_ *testing.T, log []byte, salt uint64) {
		_, _ = readLog(log, salt, salt%uint64(len(log)+1), func([]byte) error { return nil })
		_, _ = readSnapshot(log, func([]byte) error { return nil })
		_, _ = decodeHead(append(log, make([]byte, pageSize)...))
	})
}
