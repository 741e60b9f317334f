package ledger_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo/ledger"
)

// FuzzAccounts reads a damaged record: it is reported as damage, or is an account that can be summed and pruned.
func FuzzAccounts(f *testing.F) {
	body, err := json.Marshal(ledger.Account{ID: 1, Name: "o", First: 60, Next: 120, Total: 5, Bad: 1})
	require.NoError(f, err)
	f.Add(uint8(0), []byte("o"), append([]byte{1}, body...))
	f.Add(uint8(0), []byte("p"), append([]byte{1}, body...))
	f.Add(uint8(0), []byte("o"), []byte{1, '{', '}'})
	f.Add(uint8(1), []byte("12"), []byte{})
	f.Add(uint8(1), []byte{0, 0, 0, 1, 0, 0, 0, 1}, []byte{1, 0})
	db := open(f, filepath.Join(f.TempDir(), "slo.db"))
	f.Cleanup(func() { _ = db.Close() })
	undo := errors.New("undo")

	f.Fuzz(func(t *testing.T, bucket uint8, key, value []byte) {
		err := db.Update(func(tx *bbolt.Tx) error {
			if tx.Bucket([]byte(ledger.Buckets[int(bucket)%2])).Put(key, value) != nil {
				return undo // not a possible key
			}
			l := ledger.New(tx)
			for _, read := range []func() error{
				func() error {
					a, ok, err := l.Find(string(key))
					if err != nil || !ok {
						return err
					}
					require.Equal(t, string(key), a.Name)
					_, err = l.Sum(a, 70, 100)
					return err
				},
				func() error { return l.Prune(90) },
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
