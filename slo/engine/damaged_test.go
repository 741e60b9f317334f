package engine

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo/engine/internal/book"
	"github.com/slowburn/slowburn/slo/ledger"
)

// Law 7: a damaged file costs its budgets, and keeps the gateway neither from starting nor from evaluating.
func TestDamagedFileIsMovedAside(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, path string){
		"no database": func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, make([]byte, 1<<16), 0o600))
		},
		"cut off": func(t *testing.T, path string) { require.NoError(t, os.Truncate(path, 3*4096)) },
		"garbage in a page": func(t *testing.T, path string) {
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			for i := 2 * 4096; i < len(content); i++ {
				content[i] = 0xff
			}
			require.NoError(t, os.WriteFile(path, content, 0o600))
		},
		"a record": func(t *testing.T, path string) {
			db, err := book.Open(path, nil)
			require.NoError(t, err)
			require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte(ledger.Buckets[0])).Put([]byte("a"), []byte("?"))
			}))
			require.NoError(t, db.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := parse(t, twoObjectives)
			db := newFakeTSDB()
			burn(db, "a", 5, 100, func(int) float64 { return 0 })
			e := openAt(t, c, db, noon)
			require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(6*time.Minute), true, true)))
			closeIt(t, e)
			path := filepath.Join(c.Directory, "slo.db")
			damage(t, path)

			e = created(t, c)
			require.NoError(t, e.Start(t.Context(), hostWith(db)))
			h := e.Probe(t.Context())
			assert.False(t, h.OK)
			assert.False(t, h.Blocking)
			assert.Contains(t, h.Message, "budgets start anew, and notifications that waited are not sent: the damaged file was moved to "+path+".damaged-")
			aside, err := filepath.Glob(path + ".damaged-*")
			require.NoError(t, err)
			assert.Len(t, aside, 1)
			closeIt(t, e)

			e = created(t, c)
			require.NoError(t, e.Start(t.Context(), hostWith(db)))
			assert.True(t, e.Probe(t.Context()).OK, "the new file is sound")
			closeIt(t, e)
		})
	}
}

// A file of another format version is moved aside at each start that finds one, and the extension starts.
func TestFileOfAnotherFormatIsMovedAside(t *testing.T) {
	c := parse(t, twoObjectives)
	path := filepath.Join(c.Directory, "slo.db")
	for _, suffix := range []string{".format-2", ".format-2-2"} {
		other, err := state.Open(path, state.Options{Version: book.FormatVersion + 1, Buckets: []string{"later"}})
		require.NoError(t, err)
		require.NoError(t, other.Close())
		e := created(t, c)
		require.NoError(t, e.Start(t.Context(), hostWith(newFakeTSDB())))
		h := e.Probe(t.Context())
		assert.False(t, h.OK)
		assert.False(t, h.Blocking)
		assert.Contains(t, h.Message, "budgets start anew, and notifications that waited are not sent: a file of format version 2 was moved to "+path+suffix+" (")
		assert.FileExists(t, path+suffix)
		closeIt(t, e)
		e = created(t, c)
		require.NoError(t, e.Start(t.Context(), hostWith(newFakeTSDB())))
		assert.True(t, e.Probe(t.Context()).OK)
		closeIt(t, e)
		require.NoError(t, os.Remove(path))
	}
}

// A file that is damaged while the extension runs is replaced, and later minutes are evaluated and written to the new file.
func TestFileIsDamagedWhileItRuns(t *testing.T) {
	for name, damage := range map[string]func(path string) error{
		"cut off": func(path string) error { return os.Truncate(path, 0) },
		"overwritten": func(path string) error {
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err == nil {
				_, err = f.Write(make([]byte, 1<<15))
			}
			return errors.Join(err, f.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := parse(t, twoObjectives)
			db := newFakeTSDB()
			burn(db, "a", 5, 100, func(int) float64 { return 0 })
			e := openAt(t, c, db, noon)
			require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(6*time.Minute), true, true)))
			path := filepath.Join(c.Directory, "slo.db")
			require.NoError(t, damage(path))

			_, err := e.Deliveries()
			require.ErrorIs(t, err, state.ErrCorrupt)
			require.NotEmpty(t, e.db.Damaged())
			require.True(t, e.replace(noon.Add(7*time.Minute)))
			require.True(t, e.replace(noon.Add(7*time.Minute)), "there is nothing to be done twice")
			assert.Contains(t, e.Probe(t.Context()).Message, "budgets start anew, and notifications that waited are not sent: the damaged file was moved to "+path+".damaged-20260301T120700Z")
			_, err = e.Deliveries()
			require.NoError(t, err)
			require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(10*time.Minute), true, true)))
			require.NotNil(t, e.Statuses().EvaluatedUntil)
			closeIt(t, e)
			again, err := book.Open(path, nil)
			require.NoError(t, err)
			require.NoError(t, again.Close())
		})
	}
}

// A damaged file that cannot be replaced is reported.
func TestDamagedFileThatCannotBeReplaced(t *testing.T) {
	c := parse(t, twoObjectives)
	e := openAt(t, c, newFakeTSDB(), noon)
	path := filepath.Join(c.Directory, "slo.db")
	require.NoError(t, os.Truncate(path, 0))
	require.NoError(t, os.MkdirAll(filepath.Join(path+".damaged-20260301T120000Z", "in the way"), 0o700))
	_, err := e.Deliveries()
	require.ErrorIs(t, err, state.ErrCorrupt)
	require.False(t, e.replace(noon))
	assert.Contains(t, e.Probe(t.Context()).Message, path+" is damaged and cannot be replaced")
	require.True(t, e.replace(noon.Add(time.Second)), "the next time")
	closeIt(t, e)
}

// A set-up error, such as a locked file, fails the start and moves nothing aside.
func TestLockedFileIsAStartError(t *testing.T) {
	c := parse(t, twoObjectives)
	path := filepath.Join(c.Directory, "slo.db")
	other, err := book.Open(path, nil)
	require.NoError(t, err)
	e := created(t, c)
	require.ErrorIs(t, e.Start(t.Context(), hostWith(newFakeTSDB())), state.ErrLocked)
	closeIt(t, e)
	require.NoError(t, other.Close())
	aside, err := filepath.Glob(path + ".damaged-*")
	require.NoError(t, err)
	assert.Empty(t, aside)
}

// A start resolves an alert whose objective was removed from the configuration while it fired.
func TestStartResolvesRemovedObjectives(t *testing.T) {
	db := newFakeTSDB()
	burn(db, "a", 8, 100, func(int) float64 { return 1 })
	c := parse(t, twoObjectives)
	e := openAt(t, c, db, noon)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(9*time.Minute), true, true)))
	n := len(told(t, e))
	require.NotZero(t, n)
	closeIt(t, e)
	c.Objectives = c.Objectives[1:]
	e = created(t, c)
	require.NoError(t, e.Start(t.Context(), hostWith(db)))
	defer closeIt(t, e)
	assert.Greater(t, len(told(t, e)), n)
	assert.NotContains(t, e.Probe(t.Context()).Message, "damaged")
}
