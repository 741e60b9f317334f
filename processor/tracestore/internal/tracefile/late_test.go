package tracefile

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/tracestore/internal/storetest"
)

// large is a part of a trace with n spans, each of about a KiB that does not compress.
func large(from, n int, service string, late bool) ptrace.Traces {
	var of []spec
	for i := range n {
		of = append(of, spec{
			Trace: 1, ID: from + i, Parent: from + i - 1, Service: service, Name: fmt.Sprint("op", i%10), Start: time.Duration(from+i) * time.Millisecond,
			Duration: time.Second, Failed: late && i == 0, Late: late,
		})
	}
	td := spans(of...)
	rng := rand.New(rand.NewPCG(uint64(from), 1))
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				b := make([]byte, 1024)
				for i := range b {
					b[i] = byte(rng.Uint32())
				}
				s.Attributes().PutEmptyBytes("padding").FromRaw(b)
			}
		}
	}
	return td
}

// beside returns the number of parts beside the trace of large.
func (b *bench) beside() (parts int) {
	b.t.Helper()
	require.NoError(b.t, b.view(func(tx *bbolt.Tx) error {
		r := newReading(tx)
		at, here := r.find(traceID(1))
		require.True(b.t, here)
		parts = len(r.trace(at).parts)
		return nil
	}))
	return parts
}

// A large trace that arrived in parts is shown like one that arrived at once, is found by the terms of all parts, and is
// rewritten once the parts reach half of its size.
func TestLateSpansOfALargeTrace(t *testing.T) {
	b, whole := opened(t, nil), opened(t, nil)
	all := ptrace.NewTraces()
	put := func(td ptrace.Traces, want Written) {
		require.Equal(t, want, b.storeNow(td))
		cp := ptrace.NewTraces()
		td.CopyTo(cp)
		cp.ResourceSpans().MoveAndAppendTo(all.ResourceSpans())
		requireConsistent(t, b, 1)
	}
	require.Empty(t, b.found(Query{Service: "late0"}))
	put(large(1, 400, "base", false), Written{Stored: 1})
	most := 0
	for round := range 40 {
		from := 401 + 20*round
		late := large(from, 20, fmt.Sprint("late", round), true)
		put(late, Written{Updated: 1})
		beside := b.beside()
		most = max(most, beside)
		require.Zero(t, b.storeNow(late), "it was sent again")
		require.Equal(t, beside, b.beside())
		require.Equal(t, []int{1}, b.found(Query{Service: fmt.Sprint("late", round)}))
		require.Equal(t, []int{1}, b.found(Query{Error: true, Service: "base", AnySpan: true}))
		require.Empty(t, b.found(Query{Error: true, Service: "base"}), "the errors are in the late spans")
		require.Equal(t, []int{1}, b.found(Query{Error: true, Service: fmt.Sprint("late", round), MinDuration: time.Second}))
		require.Empty(t, b.found(Query{Service: fmt.Sprint("late", round), MinDuration: 2 * time.Second}), "the trace is longer, its spans are not")

		got, meta := b.trace(1)
		require.Equal(t, from+19, got.SpanCount())
		require.Equal(t, from+19, meta.Summary.SpanCount)
		require.Equal(t, round+2, meta.Version)
		require.Equal(t, 20*(round+1), meta.LateSpans)
		page := b.query(Query{}).Traces[0]
		require.Equal(t, meta.Summary.SpanCount, page.SpanCount)
		require.Equal(t, meta.Summary.ErrorCount, page.ErrorCount)
		require.Equal(t, meta.Summary.DurationMS, page.DurationMS)
		require.Equal(t, meta.Summary.StartUnixNano, page.StartUnixNano)
		require.Equal(t, meta.Summary.Services, page.Services)
	}
	require.Greater(t, most, 8, "parts are left beside the trace")
	require.Less(t, b.beside(), 30, "and put together")
	whole.storeNow(all)
	want, wantMeta := whole.trace(1)
	got, meta := b.trace(1)
	require.Equal(t, storetest.Bytes(t, want), storetest.Bytes(t, got))
	require.Equal(t, wantMeta.Summary, meta.Summary)

	n := 0
	for request, err := range b.Requests() {
		require.NoError(t, err)
		require.Equal(t, storetest.Bytes(t, want), storetest.Bytes(t, storetest.Decoded(t, request)))
		n++
	}
	require.Equal(t, 1, n)
	require.Positive(t, b.beside())
	b.clock = b.clock.Add(1000 * time.Hour)
	b.maintain()
	requireConsistent(t, b, 0)
	require.NoError(t, b.view(func(tx *bbolt.Tx) error {
		k, _ := tx.Bucket(bucketUpdates).Cursor().First()
		require.Nil(t, k, "nothing is left of it")
		return nil
	}))
}

// Spans that arrive again, in other parts than before, are counted once when the trace is rewritten.
func TestLateSpansThatComeAgain(t *testing.T) {
	b := opened(t, nil)
	b.storeNow(large(1, 400, "base", false))
	b.storeNow(large(401, 20, "late", true))
	b.storeNow(large(401, 10, "late", true)) // a half of it
	require.Equal(t, 2, b.beside())
	require.Equal(t, 430, b.query(Query{}).Traces[0].SpanCount, "a page of a search does not know yet")
	td, meta := b.trace(1)
	require.Equal(t, 420, td.SpanCount())
	require.Equal(t, 420, meta.Summary.SpanCount)
	b.storeNow(large(1, 400, "base", false)) // all earlier ones
	require.Zero(t, b.beside())
	require.Equal(t, 420, b.query(Query{}).Traces[0].SpanCount)
	requireConsistent(t, b, 1)
}

// The cost of late spans depends on their size, and not on that of their trace.
func TestCostOfLateSpans(t *testing.T) {
	cost := func(n int) (pages, memory int64) {
		b := opened(t, nil)
		b.storeNow(large(1, n, "base", false))
		b.storeNow(large(n+1, 1, "late", true)) // the first one copies what is known of the trace
		var items [][]Item
		for i := range 32 {
			items = append(items, b.items(large(n+2+i, 1, "late", true)))
		}
		var before, after runtime.MemStats
		was := b.db.Stats().TxStats
		runtime.ReadMemStats(&before)
		for _, item := range items {
			done, err := b.Put(item)
			require.NoError(t, err)
			require.Equal(t, Written{Updated: 1}, done)
		}
		runtime.ReadMemStats(&after)
		now := b.db.Stats().TxStats
		return now.GetPageAlloc() - was.GetPageAlloc(), int64(after.TotalAlloc - before.TotalAlloc)
	}
	pages, memory := cost(200)
	morePages, moreMemory := cost(8000)
	t.Logf("200 spans: %d bytes of pages, %d of memory; 8000 spans: %d, %d", pages, memory, morePages, moreMemory)
	require.Less(t, morePages, 2*pages+1<<20)
	require.Less(t, moreMemory, 2*memory+8<<20)
}

// If a large trace is damaged its late spans replace it.
func TestDamagedLargeTrace(t *testing.T) {
	b := opened(t, nil)
	b.storeNow(large(1, 400, "base", false))
	b.storeNow(large(401, 20, "late", true))
	b.damage(1, func(c chunk, slot int) {
		r := c.record(slot)
		r[len(r)-5] ^= 0xff
	})
	done := b.storeNow(large(421, 300, "later", true))
	require.Equal(t, Written{Corrupt: 1, Updated: 1}, done)
	td, meta := b.trace(1)
	require.Equal(t, 320, td.SpanCount())
	require.Equal(t, 320, meta.Summary.SpanCount)
}

// 59 batches of late spans, each of 20, to a trace of 8 MiB.
func BenchmarkLateSpansOfALargeTrace(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		f := opened(b, nil)
		f.storeNow(large(1, 8000, "base", false))
		var items [][]Item
		for i := range 59 {
			items = append(items, f.items(large(8001+20*i, 20, "late", true)))
		}
		b.StartTimer()
		for _, item := range items {
			_, err := f.Put(item)
			require.NoError(b, err)
		}
	}
}
