package ledger_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
)

const (
	benchObjectives = 2000
	benchMinutes    = 30 * 24 * 60
)

// BenchmarkEvaluate appends a minute of 2,000 objectives with 30 days of history and sums all windows. The design allows a second.
func BenchmarkEvaluate(b *testing.B) {
	db := open(b, filepath.Join(b.TempDir(), "slo.db"))
	defer func() { require.NoError(b, db.Close()) }()
	deltas := make([]ledger.Delta, benchMinutes/30)
	for i := range deltas {
		deltas[i] = ledger.Delta{Total: float64(1000 + i%500), Bad: float64(i % 2)}
	}
	for day := range 30 {
		require.NoError(b, db.Update(func(tx *bbolt.Tx) error {
			l := ledger.New(tx)
			for i := range benchObjectives {
				a, _, err := l.Open(fmt.Sprint(i), 0, "")
				if err != nil {
					return err
				}
				if err := l.Append(a, ledger.Minute(day*len(deltas)), deltas); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	windows := []ledger.Minute{5, 30, 60, 120, 360, 1440, 3 * 1440, benchMinutes}
	events := make([]slo.Events, len(windows))
	next := ledger.Minute(benchMinutes)
	for b.Loop() {
		require.NoError(b, db.Update(func(tx *bbolt.Tx) error {
			l := ledger.New(tx)
			for i := range benchObjectives {
				a, _, err := l.Open(fmt.Sprint(i), 0, "")
				if err != nil {
					return err
				}
				if err := l.Append(a, next, deltas[:1]); err != nil {
					return err
				}
				if err := l.Windows(a, next+1, windows, events); err != nil {
					return err
				}
			}
			return nil
		}))
		next++
	}
}

// BenchmarkCoverage reads eight windows of 1,000 objectives over 30 days with their coverage, where the gateway was down for some minutes
// every day. The design allows 100 ms.
func BenchmarkCoverage(b *testing.B) {
	const objectives = 1000
	db := open(b, filepath.Join(b.TempDir(), "slo.db"))
	defer func() { require.NoError(b, db.Close()) }()
	deltas := make([]ledger.Delta, benchMinutes/30)
	for i := range deltas {
		deltas[i] = ledger.Delta{Total: float64(1000 + i%500), Bad: float64(i % 2)}
	}
	for day := range 30 {
		require.NoError(b, db.Update(func(tx *bbolt.Tx) error {
			l := ledger.New(tx)
			for i := range objectives {
				a, _, err := l.Open(fmt.Sprint(i), 0, "")
				if err != nil {
					return err
				}
				from := ledger.Minute(day * len(deltas))
				if err := l.Append(a, from, deltas); err != nil {
					return err
				}
				if err := l.Miss(a, ledger.Run{From: from + 100, To: from + 107, Reason: ledger.GatewayDown}); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	windows := []ledger.Minute{5, 30, 60, 120, 360, 1440, 3 * 1440, benchMinutes}
	events, covered := make([]slo.Events, len(windows)), make([]ledger.Covered, len(windows))
	for b.Loop() {
		require.NoError(b, db.View(func(tx *bbolt.Tx) error {
			l := ledger.New(tx)
			for i := range objectives {
				a, _, err := l.Find(fmt.Sprint(i))
				if err != nil {
					return err
				}
				if err := l.Windows(a, benchMinutes, windows, events); err != nil {
					return err
				}
				if err := l.Coverage(a, benchMinutes, windows, covered); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}
