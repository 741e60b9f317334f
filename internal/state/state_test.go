package state

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/internal/otherformat"
)

// TestMain accepts transactions that wait for a lock which a panic on a damaged page left held: file.run gives them up.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/slowburn/slowburn/internal/state.(*file).run.func1"))
}

type record struct {
	Name string `json:"name"`
	N    int    `json:"n"`
}

func TestOpenMakesDirectoryBucketsAndPrivateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "x.db")
	db, err := Open(path, Options{Buckets: []string{"one", "two"}})
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()

	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	info, err = os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		require.NotNil(t, tx.Bucket([]byte("one")))
		require.NotNil(t, tx.Bucket([]byte("two")))
		return nil
	}))
}

func TestOpenLockedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := Open(path, Options{})
	require.NoError(t, err)

	_, err = Open(path, Options{})
	require.ErrorIs(t, err, ErrLocked)
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "stop the other process")

	require.NoError(t, db.Close())
	db, err = Open(path, Options{})
	require.NoError(t, err, "free again")
	require.NoError(t, db.Close())
}

func TestOpenWithoutPermission(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o500))
	_, err := Open(filepath.Join(dir, "sub", "x.db"), Options{})
	require.ErrorIs(t, err, ErrPermission)
	require.ErrorContains(t, err, "fsGroup")
}

func TestExplainPermission(t *testing.T) {
	err := explain("x.db", &os.PathError{Op: "open", Path: "x.db", Err: os.ErrPermission})
	require.ErrorIs(t, err, ErrPermission)
	require.ErrorIs(t, err, os.ErrPermission)
}

func TestOpenDamagedFile(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string][]byte{
		"text":  []byte("this is not a database, but it is longer than nothing"),
		"zeros": make([]byte, 1<<16),
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		_, err := Open(path, Options{})
		require.ErrorIs(t, err, ErrCorrupt, name)
		require.ErrorContains(t, err, "move it away", name)
	}
}

// Damage beyond the first pages is found by reading, which must not end the process.
func TestOpenDamagedPages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	bucket := []string{strings.Repeat("b", 100)}
	db, err := Open(path, Options{Buckets: bucket})
	require.NoError(t, err)
	page := db.PageSize()
	require.NoError(t, db.Close())
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	corrupt := 0
	for n := range len(good) / page {
		for _, damaged := range [][]byte{good[:n*page], slices.Concat(good[:n*page], make([]byte, page), good[(n+1)*page:])} {
			if len(damaged) == 0 {
				continue // a new file
			}
			path := filepath.Join(t.TempDir(), "x.db")
			require.NoError(t, os.WriteFile(path, damaged, 0o600))
			db, err := Open(path, Options{Buckets: bucket})
			if err != nil {
				require.ErrorIs(t, err, ErrCorrupt)
				require.ErrorContains(t, err, "move it away")
				corrupt++
				continue
			}
			require.NoError(t, Guard(db.Close))
		}
	}
	require.Positive(t, corrupt)
}

func TestGuard(t *testing.T) {
	require.NoError(t, Guard(func() error { return nil }))
	err := errors.New("no luck")
	require.Equal(t, err, Guard(func() error { return err }))
	require.ErrorIs(t, Guard(func() error { panic("page 7") }), ErrCorrupt)
	require.ErrorContains(t, Guard(func() error { panic("page 7") }), "page 7")
}

// made creates a file with the options, and returns its path.
func made(t *testing.T, opts Options) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := Open(path, opts)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	return path
}

// A file of another format version is an error or, with the option, moved aside as often as one is found. A file without a
// version has version 0.
func TestOtherFormat(t *testing.T) {
	for name, c := range map[string]struct {
		path    string
		version otherformat.Version
		suffix  string
	}{
		"newer":      {made(t, Options{Version: 3, Buckets: []string{"b"}}), 3, ".format-3"},
		"older":      {made(t, Options{Version: 1, Buckets: []string{"b"}}), 1, ".format-1"},
		"no version": {bare(t, func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("b")); return err }), 0, ".format-0"},
		"empty meta": {bare(t, func(tx *bbolt.Tx) error { _, err := tx.CreateBucket(metaBucket); return err }), 0, ".format-0"},
		"of bbolt":   {otherBolt(t), otherformat.Unknown, ".format-unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			want := otherformat.Error{Version: c.version, Reads: 2}
			opts := Options{Version: 2, Buckets: []string{"b"}}
			content, err := os.ReadFile(c.path)
			require.NoError(t, err)
			for _, open := range []func(string, Options) (*DB, error){Open, OpenReadOnly, Open} {
				_, err := open(c.path, opts)
				var other *otherformat.Error
				require.ErrorAs(t, err, &other)
				require.Equal(t, want, *other)
				require.ErrorContains(t, err, "open "+c.path+": ")
				require.ErrorContains(t, err, "run the version that wrote it, or move the file away")
			}
			for _, suffix := range []string{c.suffix, c.suffix + "-2"} {
				var moved []otherformat.Moved
				opts.Moved = func(m otherformat.Moved) { moved = append(moved, m) }
				require.NoError(t, os.WriteFile(c.path, content, 0o600))
				db, err := Open(c.path, opts)
				require.NoError(t, err)
				require.NoError(t, db.Close())
				require.Equal(t, []otherformat.Moved{{Version: c.version, Path: c.path + suffix, Files: 1, Bytes: int64(len(content))}}, moved)
				aside, err := os.ReadFile(c.path + suffix)
				require.NoError(t, err)
				require.Equal(t, content, aside, "nothing of it was changed")
				db, err = Open(c.path, opts)
				require.NoError(t, err, "the new one is of this version")
				require.NoError(t, db.Close())
				require.Len(t, moved, 1)
			}
		})
	}
}

// bare is a file without the buckets that Open makes.
func bare(t *testing.T, write func(*bbolt.Tx) error) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := bbolt.Open(path, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(write))
	require.NoError(t, db.Close())
	return path
}

// otherBolt is a file of a future bbolt.
func otherBolt(t *testing.T) string {
	t.Helper()
	path := made(t, Options{})
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	for page := range 2 {
		meta := b[page*os.Getpagesize()+metaAt:]
		binary.NativeEndian.PutUint32(meta[4:], boltVersion+1)
		sum := fnv.New64a()
		_, _ = sum.Write(meta[:metaChecksum])
		binary.NativeEndian.PutUint64(meta[metaChecksum:], sum.Sum64())
	}
	require.NoError(t, os.WriteFile(path, b, 0o600))
	return path
}

// A file that cannot be moved aside stays, and both errors are returned.
func TestOtherFormatThatCannotBeMoved(t *testing.T) {
	path := made(t, Options{Version: 3})
	require.NoError(t, os.Rename(path, path+".real"))
	long := filepath.Join(filepath.Dir(path), strings.Repeat("x", 250))
	require.NoError(t, os.Rename(path+".real", long))
	_, err := Open(long, Options{Version: 2, Moved: func(otherformat.Moved) { t.Error("it was moved") }})
	var other *otherformat.Error
	require.ErrorAs(t, err, &other)
	require.ErrorContains(t, err, "file name too long")
	require.FileExists(t, long)
}

// A file that a crash left before its first transaction counts as new.
func TestFileWithoutBuckets(t *testing.T) {
	path := bare(t, func(*bbolt.Tx) error { return nil })
	db, err := Open(path, Options{Version: 2, Buckets: []string{"b"}})
	require.NoError(t, err)
	require.NoError(t, db.Close())
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	db, err = Open(path, Options{Version: 2})
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

func TestRecords(t *testing.T) {
	db, err := Open(filepath.Join(t.TempDir(), "x.db"), Options{Buckets: []string{"r"}})
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()

	want := record{"checkout", 7}
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("r"))
		require.NoError(t, b.Put([]byte("bad format"), []byte("{}")))
		require.NoError(t, b.Put([]byte("bad json"), []byte("\x01{")))
		require.Error(t, Put(b, []byte("chan"), make(chan int)), "not encodable")
		return Put(b, []byte("good"), want)
	}))
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("r"))
		got, ok, err := Get[record](b, []byte("good"))
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, want, got)

		_, ok, err = Get[record](b, []byte("absent"))
		require.NoError(t, err)
		require.False(t, ok)

		for _, key := range []string{"bad format", "bad json"} {
			_, ok, err = Get[record](b, []byte(key))
			require.ErrorIs(t, err, ErrCorrupt, key)
			require.False(t, ok)
		}
		return nil
	}))
}

// A file that is opened read-only is complete, or is refused; it is never created.
func TestOpenReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	one := Options{Version: 1, Buckets: []string{"a"}}
	_, err := OpenReadOnly(path, one)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoFileExists(t, path)
	db, err := Open(path, one)
	require.NoError(t, err)
	_, err = OpenReadOnly(path, one)
	require.ErrorIs(t, err, ErrLocked)
	require.NoError(t, db.Close())

	db, err = OpenReadOnly(path, one)
	require.NoError(t, err)
	again, err := OpenReadOnly(path, one)
	require.NoError(t, err, "readers do not keep each other out")
	require.Error(t, db.Update(func(*bbolt.Tx) error { return nil }))
	require.NoError(t, again.Close())
	require.NoError(t, db.Close())

	other := one
	other.Buckets = []string{"b"}
	_, err = OpenReadOnly(path, other)
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, `it has no bucket "b"`)
	require.NoError(t, os.WriteFile(path, []byte("nothing of the kind"), 0o600))
	_, err = OpenReadOnly(path, one)
	require.ErrorIs(t, err, ErrCorrupt)
}
