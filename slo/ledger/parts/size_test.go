package parts

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/slo/ledger"
)

// fleet is objectives with sixteen series each: all and bad events of two versions with four operations.
type fleet struct {
	rnd   *rand.Rand
	db    *bbolt.DB
	rates [][]float64 // events per minute, by objective and part
	next  ledger.Minute
}

const fleetParts = 8

func newFleet(t testing.TB, objectives int) *fleet {
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "slo.db"), 0o600, &bbolt.Options{NoSync: true, FreelistType: bbolt.FreelistMapType})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	f := &fleet{rnd: rand.New(rand.NewPCG(1, 2)), db: db, rates: make([][]float64, objectives), next: 29_000_160}
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		for _, name := range append(Buckets, ledger.Buckets...) {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	}))
	for i := range f.rates {
		for range fleetParts { // 1 to 3,000 a minute
			f.rates[i] = append(f.rates[i], math.Exp(f.rnd.Float64()*8))
		}
	}
	return f
}

// minute books one minute of all objectives in one transaction.
func (f *fleet) minute(t testing.TB) {
	deltas := make([]Delta, 0, 2*fleetParts)
	require.NoError(t, f.db.Update(func(tx *bbolt.Tx) error {
		l, s := ledger.New(tx), New(tx)
		for i, rates := range f.rates {
			a, _, err := l.Open(fmt.Sprint("objective-", i), f.next, "")
			if err != nil {
				return err
			}
			deltas = deltas[:0]
			var sum ledger.Delta
			for j, rate := range rates {
				p := Part{"checkout", fmt.Sprint("POST /api/v1/checkout/", j%4), fmt.Sprint("1.9.", j/4), ""}
				n := math.Round(math.Max(0, rate+f.rnd.NormFloat64()*math.Sqrt(rate)))
				bad := math.Round(math.Max(0, n*0.01+f.rnd.NormFloat64()*math.Sqrt(n*0.01)))
				sum.Total += n
				sum.Bad += bad
				deltas = append(deltas, Delta{p, f.next, false, n})
				p.Reason = "java.net.SocketTimeoutException"
				deltas = append(deltas, Delta{p, f.next, true, bad})
			}
			if err := l.Append(a, f.next, []ledger.Delta{sum}); err != nil {
				return err
			}
			if err := s.Book(l, a, f.next, deltas); err != nil {
				return err
			}
		}
		return nil
	}))
	f.next++
}

// allocated returns the bytes of a bucket's pages.
func (f *fleet) allocated(t testing.TB, bucket string) float64 {
	var n int
	require.NoError(t, f.db.View(func(tx *bbolt.Tx) error {
		s := tx.Bucket([]byte(bucket)).Stats()
		n = s.LeafAlloc + s.BranchAlloc
		return nil
	}))
	return float64(n)
}

// TestSize measures the pages of a day and a bit, minute by minute as they are written, and holds their extrapolation against the
// promise: slo.db has at most 1 GiB for 1,000 objectives with 16 series each over 30 days.
func TestSize(t *testing.T) {
	const objectives, hours = 30, 25
	f := newFleet(t, objectives)
	for range hours * minutesPerHour {
		f.minute(t)
	}
	totals := f.allocated(t, "ledger_minutes") / objectives / hours // per objective and hour
	byMinute := f.allocated(t, minutesBucket) / objectives / hours  // likewise
	require.NoError(t, f.db.Update(func(tx *bbolt.Tx) error { return New(tx).Prune(f.next, 0) }))
	byHour := f.allocated(t, hoursBucket) / objectives / (hours / 24.0) // per objective and day
	const series = 2 * fleetParts
	t.Logf("bytes per objective: totals %.0f per hour, parts %.0f per hour by minute (%.2f per series and minute), %.0f per day by hour (%.2f per series and hour)",
		totals, byMinute, byMinute/series/minutesPerHour, byHour, byHour/series/hoursPerDay)
	const window = 30
	minuteDays := MinutesKept.Hours() / 24
	// Totals are kept for two windows, for a chart of the budget over one.
	whole := 1000 * (totals*24*2*window + byMinute*24*minuteDays + byHour*(window-minuteDays))
	t.Logf("1,000 objectives over %d days: %.0f MiB, of which totals %.0f, parts by minute %.0f, parts by hour %.0f", window, whole/(1<<20),
		1000*totals*24*2*window/(1<<20), 1000*byMinute*24*minuteDays/(1<<20), 1000*byHour*(window-minuteDays)/(1<<20))
	require.Less(t, whole, float64(1<<30))
}

// BenchmarkMinute books one minute of 1,000 objectives with 16 series each: totals and parts, with the transaction.
func BenchmarkMinute(b *testing.B) {
	f := newFleet(b, 1000)
	for range minutesPerHour / 2 {
		f.minute(b)
	}
	b.ReportAllocs()
	for b.Loop() {
		f.minute(b)
	}
}

// BenchmarkBreak breaks an objective of 16 series down by version, over a day of minutes.
func BenchmarkBreak(b *testing.B) {
	f := newFleet(b, 1)
	for range 24 * minutesPerHour {
		f.minute(b)
	}
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, f.db.View(func(tx *bbolt.Tx) error {
			l := ledger.New(tx)
			a, _, err := l.Find("objective-0")
			if err != nil {
				return err
			}
			_, err = New(tx).Break(l, a, a.First, a.Next, []Dimension{Version})
			return err
		}))
	}
}
