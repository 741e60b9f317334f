package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// damages are changes to an open file, by name.
var damages = map[string]func(t *testing.T, path string){
	"cut off whole":      func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 0)) },
	"cut off a part":     func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 3*4096)) },
	"overwritten":        func(t *testing.T, path string) { overwrite(t, path, 0, 0xff) },
	"overwritten with 0": func(t *testing.T, path string) { overwrite(t, path, 0, 0) },
	"but for its begin":  func(t *testing.T, path string) { overwrite(t, path, 2*4096, 0xff) },
}

func overwrite(t *testing.T, path string, from int64, with byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	info, err := f.Stat()
	require.NoError(t, err)
	_, err = f.WriteAt(bytes.Repeat([]byte{with}, int(info.Size()-from)), from)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// A transaction that waits for an orphaned lock ends once another has found the damage.
func TestStuckTransactionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := Open(filepath.Join(t.TempDir(), "x.db"), Options{})
		require.NoError(t, err)
		stuck, never := make(chan error, 1), make(chan struct{})
		go func() {
			db.writing.Lock()
			defer db.writing.Unlock()
			stuck <- db.use(func(*file) error { <-never; return nil })
		}()
		synctest.Wait()
		require.ErrorIs(t, db.View(func(*bbolt.Tx) error { panic("page 7") }), ErrCorrupt)
		began := time.Now()
		require.ErrorIs(t, <-stuck, ErrCorrupt)
		require.Equal(t, stuckAfter, time.Since(began))
		require.ErrorIs(t, db.Update(func(*bbolt.Tx) error { return nil }), ErrCorrupt, "nobody holds its lock any more")
		close(never)
	})
}

// A file that is damaged amid reads and writes costs its contents: no call hangs or panics, each returns the error, and they
// continue with a new file.
func TestDamagedWhileItIsUsed(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			db, err := Open(path, Options{Buckets: []string{"b"}})
			require.NoError(t, err)
			put := func(i int) error {
				return db.Update(func(tx *bbolt.Tx) error {
					return tx.Bucket([]byte("b")).Put(fmt.Append(nil, i), bytes.Repeat([]byte("v"), 500))
				})
			}
			for i := range 200 {
				require.NoError(t, put(i))
			}
			var users sync.WaitGroup
			stop := make(chan struct{})
			for i := range 4 {
				users.Go(func() {
					for n := 0; ; n++ {
						select {
						case <-stop:
							return
						default:
						}
						var err error
						if i%2 == 0 {
							err = put(n % 400)
						} else {
							err = db.View(func(tx *bbolt.Tx) error {
								return tx.Bucket([]byte("b")).ForEach(func(_, v []byte) error {
									if len(v) > 0 && v[0] != 'v' {
										return fmt.Errorf("%w: %q", ErrCorrupt, v[:1])
									}
									return nil
								})
							})
						}
						if err != nil && !errors.Is(err, ErrCorrupt) {
							// A consequence of damage may look different: a bucket is missing, a page has another kind.
							t.Logf("%v", err)
						}
					}
				})
			}
			damage(t, path)
			select {
			case <-db.Damaged():
			case <-time.After(time.Minute):
				t.Fatal("nobody noticed")
			}
			require.ErrorIs(t, put(1), ErrCorrupt)
			require.ErrorContains(t, put(1), path)
			require.NoError(t, db.Replace(path+".damaged"))
			close(stop)
			users.Wait()
			require.NoError(t, put(1000))
			require.NoError(t, db.Close())
			require.NoError(t, db.Close(), "again")
			require.ErrorIs(t, put(1), ErrClosed)
			_, err = os.Stat(path + ".damaged")
			require.NoError(t, err)

			db, err = Open(path, Options{Buckets: []string{"b"}})
			require.NoError(t, err, "the new one is sound")
			require.NoError(t, db.View(func(tx *bbolt.Tx) error {
				assert.NotNil(t, tx.Bucket([]byte("b")).Get([]byte("1000")))
				return nil
			}))
			require.NoError(t, db.Close())
		})
	}
}

// If no new file can be created the old one is reported as damaged again.
func TestReplaceFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := Open(path, Options{})
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, 0))
	view := func() error { return db.View(func(*bbolt.Tx) error { return nil }) }
	require.ErrorIs(t, view(), ErrCorrupt)
	require.Error(t, db.Replace(filepath.Join(path+".d", "nowhere", "x")))
	require.ErrorIs(t, view(), ErrCorrupt)
	require.NoError(t, os.Remove(path))
	require.NoError(t, db.Replace(path+".damaged"), "somebody removed it")
	require.NoError(t, view())
	require.NoError(t, db.Close())
}

// A bug costs its transaction, not the file.
func TestDefects(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := Open(path, Options{Buckets: []string{"b"}})
	require.NoError(t, err)
	for name, use := range map[string]func(func(*bbolt.Tx) error) error{"view": db.View, "update": db.Update} {
		err := use(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("none")).Put(nil, nil) })
		require.ErrorIs(t, err, ErrDefect, name)
		require.NotErrorIs(t, err, ErrCorrupt, name)
		require.Empty(t, db.Damaged())
		require.NoError(t, db.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("b")).Put([]byte("k"), nil) }))
	}
	require.NoError(t, db.Close())
}
