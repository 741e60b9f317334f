package state

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

// What is damaged behind the first pages is found by reading it, which must not end the process.
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

func TestMigrationsRunOnceInOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	var ran []int
	step := func(n int) func(*bbolt.Tx) error {
		return func(*bbolt.Tx) error { ran = append(ran, n); return nil }
	}
	for _, steps := range [][]func(*bbolt.Tx) error{
		{step(1), step(2)},
		{step(1), step(2)},
		{step(1), step(2), step(3)},
	} {
		db, err := Open(path, Options{Migrations: steps})
		require.NoError(t, err)
		require.NoError(t, db.Close())
	}
	require.Equal(t, []int{1, 2, 3}, ran)

	_, err := Open(path, Options{Migrations: []func(*bbolt.Tx) error{step(1)}})
	require.ErrorIs(t, err, ErrNewer)
	require.ErrorContains(t, err, "its schema is 3, this program knows up to 1")
}

func TestFailedMigrationIsRepeated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	fault := errors.New("no space")
	fail := true
	migrate := func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte("made"))
		if err != nil {
			return err
		}
		if fail {
			return fault
		}
		return Put(b, []byte("k"), record{"a", 1})
	}
	_, err := Open(path, Options{Migrations: []func(*bbolt.Tx) error{migrate}})
	require.ErrorIs(t, err, fault)
	require.ErrorContains(t, err, "from 0 to 1")

	fail = false
	db, err := Open(path, Options{Migrations: []func(*bbolt.Tx) error{migrate}})
	require.NoError(t, err, "the failed one closed the file and left nothing behind")
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

// A file that is opened for reading alone has what Open would have made, or is refused; none is made.
func TestOpenReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	one := Options{Buckets: []string{"a"}, Migrations: []func(*bbolt.Tx) error{func(*bbolt.Tx) error { return nil }}}
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

	_, err = OpenReadOnly(path, Options{Buckets: []string{"a"}})
	require.ErrorIs(t, err, ErrNewer)
	two := one
	two.Migrations = append(two.Migrations, two.Migrations...)
	_, err = OpenReadOnly(path, two)
	require.ErrorIs(t, err, ErrOlder)
	other := one
	other.Buckets = []string{"b"}
	_, err = OpenReadOnly(path, other)
	require.ErrorIs(t, err, ErrOlder)
	require.NoError(t, os.WriteFile(path, []byte("nothing of the kind"), 0o600))
	_, err = OpenReadOnly(path, one)
	require.ErrorIs(t, err, ErrCorrupt)
}
