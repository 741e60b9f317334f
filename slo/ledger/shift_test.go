package ledger_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
)

// A shift loses no event, each minute has the model's events, and the account continues like any other.
func TestShift(t *testing.T) {
	const first = ledger.Minute(600*60 + 10)
	const n = 200
	for _, next := range []ledger.Minute{first - 1000, first - 1, first, first + 1, first + 7, first + 50, first + 60, first + 110, first + n - 1, first + n, first + n + 5} {
		for _, more := range []ledger.Minute{0, 1, 45, 60, 1500} {
			db := open(t, filepath.Join(t.TempDir(), "l.db"))
			require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
				l := ledger.New(tx)
				_, _, err := l.Open("other", first, "")
				require.NoError(t, err)
				a, _, err := l.Open("a", first, "")
				require.NoError(t, err)
				model := map[ledger.Minute]uint64{}
				var deltas []ledger.Delta
				by := max(first+n-next, 0) + more
				oldest := first
				if next <= first {
					oldest = first - by // all minutes were ahead
				}
				for i := range ledger.Minute(n) {
					deltas = append(deltas, ledger.Delta{Total: float64(10 + i), Bad: 1})
					m := first + i
					if m >= next {
						m = max(m-by, oldest)
					}
					model[m] += uint64(10 + i)
				}
				require.NoError(t, l.Append(a, first, deltas))
				before := a.Events()
				require.NoError(t, l.Shift(a, next, by))
				assert.Equal(t, before, a.Events())
				assert.Equal(t, min(next, first+n), a.Next)
				again, ok, err := l.Find("a")
				require.NoError(t, err)
				require.True(t, ok)
				assert.Equal(t, a, again)
				require.NoError(t, l.Append(a, a.Next+3, []ledger.Delta{{Total: 7}}))
				model[a.Next-1] += 7
				for m := oldest - 5; m < a.Next; m++ {
					e, err := l.Sum(a, m, m+1)
					require.NoError(t, err)
					require.Equal(t, model[m], e.Total, "%d: next %d, by %d", m-first, next-first, by)
				}
				all, err := l.Sum(a, 0, a.Next)
				require.NoError(t, err)
				assert.Equal(t, before.Add(slo.Events{Total: 7}), all)
				return nil
			}))
			require.NoError(t, db.Close())
		}
	}
}
