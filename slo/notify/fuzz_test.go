package notify

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

// FuzzOutbox reads a damaged record: it is reported as damage, or is delivered once like any other.
func FuzzOutbox(f *testing.F) {
	d, err := New(sample("o", 1), alert.Notice{Receiver: "a", Kind: alert.Fired}, "", starts)
	require.NoError(f, err)
	d.ID = 1
	body, err := json.Marshal(d)
	require.NoError(f, err)
	record := append([]byte{1}, body...)
	f.Add(true, pendingKey("a", 1), record)
	f.Add(true, pendingKey("b", 2), record)
	f.Add(false, doneKey(1), record)
	f.Add(true, []byte("a\x00"), record)
	f.Add(false, []byte("1"), []byte{1, '{', '}'})
	db, err := state.Open(filepath.Join(f.TempDir(), "slo.db"), state.Options{Buckets: Buckets})
	require.NoError(f, err)
	f.Cleanup(func() { _ = db.Close() })
	undo := errors.New("undo")

	f.Fuzz(func(t *testing.T, pending bool, key, value []byte) {
		err := db.Update(func(tx *bbolt.Tx) error {
			name := doneBucket
			if pending {
				name = pendingBucket
			}
			if tx.Bucket([]byte(name)).Put(key, value) != nil {
				return undo // not a possible key
			}
			for _, read := range []func() error{
				func() error { _, err := List(tx, 10); return err },
				func() error { return deliverAll(t, tx, "a") },
				func() error {
					_, err := Abandon(tx, nil, starts)
					if err == nil {
						require.Zero(t, CountPending(tx), "what is given up is not pending")
					}
					return err
				},
				func() error { return Prune(tx, starts.Add(3*keepDone)) },
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

// deliverAll delivers everything pending for a receiver: each delivery leaves the outbox.
func deliverAll(t *testing.T, tx *bbolt.Tx, receiver string) error {
	t.Helper()
	for {
		before := CountPending(tx)
		d, ok, err := nextDue(tx, receiver, later)
		if err != nil || !ok {
			return err
		}
		d.State, d.DoneAt = Delivered, starts
		if err := finish(tx, d); err != nil {
			return err
		}
		require.Equal(t, before-1, CountPending(tx), "a delivery that is done is not pending")
	}
}
