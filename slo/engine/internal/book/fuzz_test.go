package book

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo/alert"
)

// FuzzRecords reads a damaged record of the engine's buckets: it is reported as damage, or it is usable and encodes to the same bytes.
func FuzzRecords(f *testing.F) {
	body, err := json.Marshal(alert.Alert{ID: "1", Objective: "o", State: alert.Firing, StartsAt: noon, EndsAt: noon})
	require.NoError(f, err)
	names := []string{alertsBucket, episodesBucket, engineBucket, cursorsBucket}
	for i := range names {
		f.Add(uint8(i), []byte("o"), append([]byte{1}, body...))
		f.Add(uint8(i), []byte("12345678x"), append([]byte{1}, body...))
		f.Add(uint8(i), spanWatermarkKey, []byte("\x0112"))
		f.Add(uint8(i), []byte("12345678"), []byte("1234567890123456"))
	}
	db, err := Open(filepath.Join(f.TempDir(), "slo.db"), nil)
	require.NoError(f, err)
	f.Cleanup(func() { _ = db.Close() })
	undo := errors.New("undo")

	f.Fuzz(func(t *testing.T, bucket uint8, key, value []byte) {
		err := db.Update(func(tx *bbolt.Tx) error {
			if tx.Bucket([]byte(names[int(bucket)%len(names)])).Put(key, value) != nil {
				return undo // not a possible key
			}
			for _, read := range []func() error{
				func() error { return rewriteAlerts(t, tx) },
				func() error { _, err := Episodes(tx); return err },
				func() error { return PruneEpisodes(tx, noon) },
				func() error { _, _, err := SpanWatermark(tx); return err },
				func() error { return rewriteCursors(t, tx) },
			} {
				if err := read(); err != nil {
					require.ErrorIs(t, err, state.ErrCorrupt)
				}
			}
			return undo
		})
		require.ErrorIs(t, err, undo)
	})
}

func rewriteAlerts(t *testing.T, tx *bbolt.Tx) error {
	t.Helper()
	all, err := Alerts(tx)
	if err != nil {
		return err
	}
	for _, a := range all {
		require.NoError(t, PutAlert(tx, a))
		a.Rewind(noon)
		a.Close(noon)
		require.NoError(t, Archive(tx, a))
	}
	again, err := Alerts(tx)
	require.NoError(t, err)
	require.Equal(t, all, again)
	return nil
}

func rewriteCursors(t *testing.T, tx *bbolt.Tx) error {
	t.Helper()
	all, err := Cursors(tx)
	if err != nil {
		return err
	}
	require.NoError(t, PutCursors(tx, all))
	again, err := Cursors(tx)
	require.NoError(t, err)
	require.Len(t, again, len(all))
	return PruneCursors(tx, all, noon)
}
