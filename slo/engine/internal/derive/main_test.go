package derive

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
	"github.com/slowburn/slowburn/slo/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// within runs f on an empty ledger.
func within(t *testing.T, f func(*ledger.Ledger)) {
	t.Helper()
	db, err := state.Open(filepath.Join(t.TempDir(), "slo.db"), state.Options{Buckets: ledger.Buckets})
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error { f(ledger.New(tx)); return nil }))
	require.NoError(t, db.Close())
}

// book books the minutes of an objective as the engine does, some at a time, and returns which were counted and which of them bad.
// traffic returns the events of a minute, and false if the gateway was away.
func book(t *testing.T, l *ledger.Ledger, o slo.Objective, from, to ledger.Minute, traffic func(ledger.Minute) (float64, bool)) map[ledger.Minute]bool {
	t.Helper()
	a, _, err := l.Open(o.Name, from, "")
	require.NoError(t, err)
	bad := map[ledger.Minute]bool{}
	for size := ledger.Minute(1); from < to; size = size%60 + 13 {
		n := min(size, to-from)
		c := &samples.Counts{Deltas: make([]ledger.Delta, n), Measured: make([]bool, n), Counting: make([]bool, n)}
		for i := range n {
			c.Deltas[i].Total, c.Counting[i] = traffic(from + i)
			c.Measured[i] = c.Counting[i]
		}
		out, err := Book(l, o, from, from+n, c)
		require.NoError(t, err)
		for i, d := range out.Deltas {
			if out.Measured[i] {
				a.Measured = from + ledger.Minute(i) + 1
			}
			if d.Total > 0 {
				bad[from+ledger.Minute(i)] = d.Bad > 0
			}
		}
		require.NoError(t, l.Append(a, from, out.Deltas))
		from += n
	}
	return bad
}
