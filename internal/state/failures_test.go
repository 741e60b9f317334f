package state

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// Any failure to open the file is an error that names it, and leaves nothing open.
func TestOpenFailures(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(filepath.Join(file, "x.db"), Options{})
	require.ErrorContains(t, err, "open "+filepath.Join(file, "x.db"), "its directory is a file")

	path := filepath.Join(dir, "x.db")
	_, err = Open(path, Options{Buckets: []string{""}})
	require.ErrorContains(t, err, `make bucket "": `)
}

// A schema version that is not a number is damage.
func TestOpenOddSchemaVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := Open(path, Options{})
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket).Put(versionKey, []byte("abc")) }))
	require.NoError(t, db.Close())
	_, err = Open(path, Options{})
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, "its format version has 3 bytes")
	require.NotErrorIs(t, err, ErrLocked)
}

func TestGetMissingRecord(t *testing.T) {
	db, err := Open(filepath.Join(t.TempDir(), "x.db"), Options{Buckets: []string{"b"}})
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		r, ok, err := Get[record](tx.Bucket([]byte("b")), []byte("none"))
		require.False(t, ok)
		require.Zero(t, r)
		return err
	}))
}

func TestDecodeOddRecords(t *testing.T) {
	for name, odd := range map[string][]byte{"empty": {}, "another format": []byte("\x02{}"), "no JSON": []byte("\x01{"), "another type": []byte("\x01[]")} {
		v, err := Decode[record](odd)
		require.ErrorIs(t, err, ErrCorrupt, name)
		require.Zero(t, v, name)
	}
	v, err := Decode[record]([]byte("\x01{\"name\":\"x\",\"n\":3}"))
	require.NoError(t, err)
	require.Equal(t, record{"x", 3}, v)
}
