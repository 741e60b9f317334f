package tracefile

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
	"github.com/slowburn/slowburn/processor/tracestore/internal/storetest"
)

// BenchmarkSearchOfADay searches a day with a transaction every half second, each of two traces.
func BenchmarkSearchOfADay(b *testing.B) {
	const transactions = 170_000
	now := t0
	f, err := Open(b.TempDir()+"/traces.db", Options{
		Retention: 48 * time.Hour, MaxBytes: 8 << 30, Logger: zap.NewNop(), Now: func() time.Time { return now },
	})
	require.NoError(b, err)
	defer func() { require.NoError(b, f.Close()) }()
	packed := record.Pack(make([]byte, 1000))
	for n := range transactions {
		now = t0.Add(time.Duration(n) * 500 * time.Millisecond)
		var batch []Item
		for i := range 2 {
			number := 2*n + i + 1
			root := spec{
				Trace: number, ID: 1, Service: "shop", Name: "GET /", Start: now.Sub(t0) - time.Second, Policy: "rest",
				Duration: time.Millisecond << (n % 8), Failed: i == 0, // half of the traces fail
			}
			child := spec{Trace: number, ID: 2, Parent: 1, Service: fmt.Sprint("s", i), Name: "op", Start: root.Start}
			if n%10_000 == 0 {
				root.Policy, root.Link = "rare", 1
			}
			k := storetest.Kept(b, spans(root, child))
			batch = append(batch, Item{
				Digest: digest.Of(assemble.One(k, assemble.Options{}), now), ID: traceID(number), Packed: packed, Size: 1000,
			})
		}
		_, err := f.Put(batch)
		require.NoError(b, err)
	}
	for _, c := range []struct {
		name string
		Query
		found int
	}{
		{"newest", Query{}, 20},
		{"of a service", Query{Service: "shop"}, 20},
		{"before noon", Query{Service: "shop", End: t0.Add(12 * time.Hour)}, 20},
		{"of any service", Query{Operation: "op"}, 20},
		{"two rare conditions", Query{Policy: "rare", LinksTo: traceID(1)}, 20},
		{"rare and common", Query{Policy: "rare", Error: true, Service: "shop"}, 17},
		{"short and common", Query{Service: "shop", MaxDuration: time.Millisecond}, 20},
		{"none of two common", Query{Service: "s1", Error: true}, 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			pages := 0
			for b.Loop() {
				found := 0
				for q, more := c.Query, true; more && found < 20; pages++ {
					r, _, err := f.Search(b.Context(), q)
					require.NoError(b, err)
					found += len(r.Traces)
					q.Cursor, more = r.NextCursor, r.NextCursor != ""
				}
				require.Equal(b, c.found, found)
			}
			b.ReportMetric(float64(pages)/float64(b.N), "pages")
		})
	}
}
