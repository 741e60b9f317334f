package ledger_test

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
)

// A gap of any length has no chunks, and windows over it are right. A model account with zeros in its place has the same sums,
// also after pruning, rewinding or shifting both.
func TestGapsAreZeros(t *testing.T) {
	const year = ledger.Minute(365 * 24 * 60)
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		db := open(t, filepath.Join(t.TempDir(), "slo.db"))
		require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
			l := ledger.New(tx)
			first := ledger.Minute(29_000_000 + rnd.IntN(60))
			gaps, _, err := l.Open("gaps", first, "")
			require.NoError(t, err)
			zeros, _, err := l.Open("zeros", first, "")
			require.NoError(t, err)
			for range 12 {
				switch rnd.IntN(6) {
				case 0, 1, 2:
					var deltas []ledger.Delta
					for range rnd.IntN(100) {
						deltas = append(deltas, ledger.Delta{Total: float64(rnd.IntN(9)), Bad: float64(rnd.IntN(2))})
					}
					require.NoError(t, l.Append(gaps, gaps.Next, deltas))
					require.NoError(t, l.Append(zeros, zeros.Next, deltas))
				case 3:
					n := ledger.Minute(rnd.IntN(500))
					require.NoError(t, l.Skip(gaps, gaps.Next+n))
					require.NoError(t, l.Append(zeros, zeros.Next, make([]ledger.Delta, n)))
				case 4:
					require.NoError(t, l.Prune(gaps.Next-ledger.Minute(60+rnd.IntN(400))))
					for _, a := range []**ledger.Account{&gaps, &zeros} {
						*a, _, err = l.Open((*a).Name, first, "")
						require.NoError(t, err)
					}
				case 5:
					next, by := gaps.Next-ledger.Minute(rnd.IntN(300)), ledger.Minute(rnd.IntN(200))
					require.NoError(t, l.Shift(gaps, next, by))
					require.NoError(t, l.Shift(zeros, next, by))
				}
				require.Equal(t, zeros.Next, gaps.Next)
				require.Equal(t, zeros.Events(), gaps.Events())
				for range 30 {
					to := gaps.Next - ledger.Minute(rnd.IntN(900)-5)
					from := to - ledger.Minute(rnd.IntN(900))
					want, err := l.Sum(zeros, from, to)
					require.NoError(t, err)
					got, err := l.Sum(gaps, from, to)
					require.NoError(t, err)
					require.Equal(t, want, got, "seed %d: from %d to %d of %+v", seed, from-first, to-first, gaps)
				}
			}
			return nil
		}))
		require.NoError(t, db.Close())
	}

	db := open(t, filepath.Join(t.TempDir(), "slo.db"))
	defer func() { require.NoError(t, db.Close()) }()
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		l := ledger.New(tx)
		a, _, err := l.Open("o", 29_000_000, "")
		require.NoError(t, err)
		require.NoError(t, l.Append(a, a.Next, []ledger.Delta{{Total: 3, Bad: 1}}))
		require.NoError(t, l.Skip(a, a.Next+year))
		require.NoError(t, l.Skip(a, a.Next+year))
		assert.Equal(t, []ledger.Gap{{From: 29_000_001, To: 29_000_001 + 2*year, Total: 3, Bad: 1}}, a.Gaps)
		require.NoError(t, l.Append(a, a.Next, []ledger.Delta{{Total: 4}}))
		e, err := l.Sum(a, 29_000_000+year, a.Next)
		require.NoError(t, err)
		assert.Equal(t, slo.Events{Total: 4}, e)
		assert.Equal(t, 2, tx.Bucket([]byte(ledger.Buckets[1])).Inspect().KeyN)
		return nil
	}))
}
