package book

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/notify"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// open opens a file that is closed at the end of the test.
func open(t *testing.T, path string) *state.DB {
	t.Helper()
	db, err := Open(path, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// inTx runs f in a transaction of a new file.
func inTx(t *testing.T, f func(tx *bbolt.Tx)) {
	t.Helper()
	require.NoError(t, open(t, filepath.Join(t.TempDir(), "slo.db")).Update(func(tx *bbolt.Tx) error {
		f(tx)
		return nil
	}))
}

// TestBuckets checks the buckets' names, which existing files have.
func TestBuckets(t *testing.T) {
	inTx(t, func(tx *bbolt.Tx) {
		names := append([]string{"alerts", "alert_episodes", "engine", "span_cursors"}, append(ledger.Buckets, notify.Buckets...)...)
		for _, name := range names {
			assert.NotNil(t, tx.Bucket([]byte(name)), name)
		}
	})
}

func TestOpenLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "slo.db")
	open(t, path)
	_, err := Open(path, nil)
	require.ErrorIs(t, err, state.ErrLocked)
}

// The name of a ledger is that which its file got first.
func TestInstance(t *testing.T) {
	inTx(t, func(tx *bbolt.Tx) {
		for _, given := range []string{"first", "second"} {
			name, err := Instance(tx, given)
			require.NoError(t, err)
			assert.Equal(t, "first", name)
		}
		require.NoError(t, tx.Bucket([]byte(engineBucket)).Put(instanceKey, []byte("{")))
		_, err := Instance(tx, "third")
		require.ErrorIs(t, err, state.ErrCorrupt)
	})
}

func TestSpanWatermark(t *testing.T) {
	inTx(t, func(tx *bbolt.Tx) {
		_, ok, err := SpanWatermark(tx)
		require.NoError(t, err)
		assert.False(t, ok, "a new file has none")
		require.NoError(t, PutSpanWatermark(tx, 17))
		require.NoError(t, PutSpanWatermark(tx, 12))
		m, ok, err := SpanWatermark(tx)
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, ledger.Minute(12), m, "it may go back")
	})
}

func TestAlerts(t *testing.T) {
	inTx(t, func(tx *bbolt.Tx) {
		a, b := alert.Alert{Objective: "a", State: alert.Firing, ID: "1"}, alert.Alert{Objective: "b", State: alert.Pending}
		require.NoError(t, PutAlert(tx, a))
		require.NoError(t, PutAlert(tx, b))
		a.State = alert.Inactive
		require.NoError(t, PutAlert(tx, a))
		all, err := Alerts(tx)
		require.NoError(t, err)
		assert.Equal(t, map[string]alert.Alert{"a": a, "b": b}, all)
		require.NoError(t, DeleteAlert(tx, "a"))
		require.NoError(t, DeleteAlert(tx, "nobody's"))
		all, err = Alerts(tx)
		require.NoError(t, err)
		assert.Equal(t, map[string]alert.Alert{"b": b}, all)

		require.NoError(t, tx.Bucket([]byte("alerts")).Put([]byte("c"), []byte("?")))
		_, err = Alerts(tx)
		require.ErrorIs(t, err, state.ErrCorrupt)
		assert.ErrorContains(t, err, `the alert of "c"`)
	})
}

// TestEpisodes checks the order of episodes and their retention, to the second.
func TestEpisodes(t *testing.T) {
	inTx(t, func(tx *bbolt.Tx) {
		const kept = 7 * 24 * time.Hour
		ended := func(id string, ago time.Duration) {
			require.NoError(t, Archive(tx, alert.Alert{ID: id, EndsAt: noon.Add(-ago)}))
		}
		ids := func() (ids []string) {
			list, err := Episodes(tx)
			require.NoError(t, err)
			for _, a := range list {
				ids = append(ids, a.ID)
			}
			return ids
		}
		ended("just too old", kept+time.Second)
		ended("recent", time.Hour)
		ended("old", 2*kept)
		ended("just kept", kept)
		ended("recent too", time.Hour)
		assert.Equal(t, []string{"recent too", "recent", "just kept", "just too old", "old"}, ids())
		require.NoError(t, PruneEpisodes(tx, noon))
		assert.Equal(t, []string{"recent too", "recent", "just kept"}, ids())
		require.NoError(t, PruneEpisodes(tx, noon.Add(2*kept)))
		assert.Empty(t, ids())
		require.NoError(t, PruneEpisodes(tx, noon))

		require.NoError(t, tx.Bucket([]byte("alert_episodes")).Put([]byte("12345678x"), []byte("?")))
		_, err := Episodes(tx)
		require.ErrorIs(t, err, state.ErrCorrupt)
		assert.ErrorContains(t, err, "the episode 313233343536373878")
	})
}

func TestCursors(t *testing.T) {
	inTx(t, func(tx *bbolt.Tx) {
		known, err := Cursors(tx)
		require.NoError(t, err)
		assert.Empty(t, known)
		week := 7 * 24 * time.Hour
		all := samples.Cursors{
			1:           {At: noon.UnixMilli(), Value: 2.5},
			1 << 63:     {At: noon.Add(-week).UnixMilli(), Value: -1},
			1<<64 - 256: {At: noon.Add(-week - time.Millisecond).UnixMilli()},
		}
		require.NoError(t, PutCursors(tx, all))
		require.NoError(t, PutCursors(tx, samples.Cursors{1: {At: 3, Value: 4}}))
		known, err = Cursors(tx)
		require.NoError(t, err)
		assert.Equal(t, samples.Cursors{1: {At: 3, Value: 4}, 1 << 63: all[1<<63], 1<<64 - 256: all[1<<64-256]}, known)

		require.NoError(t, PruneCursors(tx, all, noon))
		known, err = Cursors(tx)
		require.NoError(t, err)
		assert.Equal(t, samples.Cursors{1: {At: 3, Value: 4}, 1 << 63: all[1<<63]}, known, "by what the caller knows")
	})
}

func TestDamagedCursors(t *testing.T) {
	for _, c := range []struct{ key, value string }{{"1234567", "1234567890123456"}, {"12345678", "123456789012345"}, {"12345678", "12345678901234567"}} {
		inTx(t, func(tx *bbolt.Tx) {
			require.NoError(t, tx.Bucket([]byte("span_cursors")).Put([]byte(c.key), []byte(c.value)))
			_, err := Cursors(tx)
			require.ErrorIs(t, err, state.ErrCorrupt, "%v", c)
		})
	}
}
