package tracefile

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/internal/otherformat"
	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
	"github.com/slowburn/slowburn/processor/tracestore/internal/storetest"
)

func TestSpansComeBackAsTheyCame(t *testing.T) {
	b := opened(t, nil)
	td := spans(
		spec{Trace: 1, ID: 1, Service: "shop", Name: "a", Policy: "p", Link: 7},
		spec{Trace: 1, ID: 2, Parent: 1, Service: "cart", Name: "b"})
	s := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	s.SetFlags(0x301)
	s.TraceState().FromRaw("ot=th:8;rv:ffffffffffffff")
	s.SetDroppedAttributesCount(3)
	s.Events().AppendEmpty().SetName("event")
	want := storetest.Bytes(t, td)
	b.storeNow(td)
	got, meta := b.trace(1)
	require.Equal(t, want, storetest.Bytes(t, got))
	require.Equal(t, want, storetest.Bytes(t, td), "what came in was not changed")
	require.InDelta(t, 2, meta.Summary.AdjustedCount, 0)
}

func TestLateSpansAreAdded(t *testing.T) {
	b := opened(t, nil)
	root := spec{Trace: 1, ID: 1, Service: "shop", Name: "GET /", Duration: time.Second}
	b.storeNow(spans(root))
	b.clock = t0.Add(time.Minute)
	late := spec{Trace: 1, ID: 2, Parent: 1, Service: "cart", Name: "add", Start: 1, Duration: 2 * time.Second, Failed: true, Late: true}
	require.Equal(t, Written{Updated: 1}, b.storeNow(spans(late)))

	got, meta := b.trace(1)
	require.Equal(t, 2, got.SpanCount())
	require.Equal(t, 2, meta.Version)
	require.Equal(t, 1, meta.LateSpans)
	require.Equal(t, t0, meta.Stored)
	require.Equal(t, t0.Add(time.Minute), meta.Updated)
	require.Equal(t, []int{1}, b.found(Query{Service: "cart"}))
	require.Equal(t, []int{1}, b.found(Query{Error: true, MinDuration: 2 * time.Second}))
	require.Empty(t, b.found(Query{MaxDuration: time.Second}), "the old entries are gone")

	require.Zero(t, b.storeNow(spans(root, late))) // a retried export adds nothing
	_, again := b.trace(1)
	require.Equal(t, meta, again)
}

// Late spans are added while the trace stays within 64 MiB.
func TestLargestTrace(t *testing.T) {
	const largest, part = 64 << 20, 1000
	b := opened(t, nil)
	b.storeNow(storetest.Sized(t, 1, 1, largest-part))
	require.Equal(t, Written{TooLarge: 1}, b.storeNow(storetest.Sized(t, 1, 2, part+1)))
	require.Equal(t, Written{Updated: 1}, b.storeNow(storetest.Sized(t, 1, 2, part)))
	td, meta := b.trace(1)
	require.Equal(t, 2, td.SpanCount())
	require.Equal(t, 2, meta.Version)
}

func TestOnlyLateSpansArePartOfATrace(t *testing.T) {
	b := opened(t, nil)
	b.storeNow(spans(spec{Trace: 1, ID: 2, Parent: 9, Service: "cart", Name: "add", Late: true}))
	r := b.query(Query{})
	require.Len(t, r.Traces, 1)
	require.False(t, r.Traces[0].Complete)
	require.Equal(t, "add", r.Traces[0].RootOperation)
}

func TestDamagedRecordIsSkippedAndCounted(t *testing.T) {
	b := opened(t, func(c *Options) { c.Retention = time.Hour })
	b.storeNow(spans(
		spec{Trace: 1, ID: 1, Service: "s", Name: "op"}, spec{Trace: 2, ID: 1, Service: "s", Name: "op", Start: 1},
		spec{Trace: 3, ID: 1, Service: "s", Name: "op", Start: 2}))
	b.damage(2, func(c chunk, slot int) {
		r := c.record(slot)
		r[len(r)/2] ^= 0xff
	})
	require.Equal(t, []int{3, 1}, b.found(Query{Service: "s"}))
	_, corrupt, err := b.Search(t.Context(), Query{})
	require.NoError(t, err)
	require.Equal(t, 1, corrupt)
	_, _, ok, err := b.Trace(traceID(2))
	require.ErrorIs(t, err, record.ErrCorrupt)
	require.False(t, ok)

	done := b.storeNow(spans(spec{Trace: 2, ID: 2, Service: "t", Name: "op", Start: 9})) // later spans replace it
	require.Equal(t, []int{2, 3, 1}, b.found(Query{}))
	require.Equal(t, []int{3, 1}, b.found(Query{Service: "s"}), "the index still has its old slot, which leads nowhere")
	require.Equal(t, []int{2}, b.found(Query{Service: "t"}))
	require.Equal(t, Written{Corrupt: 1}, done)
}

// The traces of a chunk with a damaged head are lost, and leave at the next eviction.
func TestDamagedHead(t *testing.T) {
	b := opened(t, func(c *Options) { c.Retention = time.Hour })
	b.storeNow(spans(spec{Trace: 1, ID: 1, Service: "s", Name: "op"}, spec{Trace: 2, ID: 1, Service: "s", Name: "op"}))
	_, err := b.Put(b.items(spans(spec{Trace: 3, ID: 1, Service: "s", Name: "op"})))
	require.NoError(t, err)
	b.damage(1, func(c chunk, _ int) { c.data[chunkPrefix] ^= 1 })
	r, corrupt, err := b.Search(t.Context(), Query{})
	require.NoError(t, err)
	require.Len(t, r.Traces, 1)
	require.Equal(t, 1, corrupt, "chunks")
	_, _, ok, err := b.Trace(traceID(2))
	require.ErrorIs(t, err, record.ErrCorrupt)
	require.False(t, ok)
	done, err := b.Put(b.items(spans(spec{Trace: 2, ID: 2, Service: "s", Name: "again"})))
	require.NoError(t, err)
	require.Equal(t, Written{Corrupt: 1}, done)
	require.Equal(t, []int{3, 2}, b.found(Query{}))

	b.maintain()
	require.Equal(t, Evicted{Age: 1, Corrupt: 1}, b.evicted)
	require.Equal(t, []int{3}, b.found(Query{}), "what the index still has leads nowhere")
	has, err := b.Has([]pcommon.TraceID{traceID(1), traceID(2), traceID(3)})
	require.NoError(t, err)
	require.Equal(t, map[pcommon.TraceID]bool{traceID(3): true}, has)
}

// damage changes the chunk of a trace on the disk.
func (b *bench) damage(n int, change func(c chunk, slot int)) {
	b.t.Helper()
	require.NoError(b.t, b.db.Update(func(tx *bbolt.Tx) error {
		r := newReading(tx)
		p, ok := r.find(traceID(n))
		require.True(b.t, ok)
		c, err := readChunk(bytes.Clone(blob(tx.Bucket(bucketChunks), chunkKey(p.chunk()))))
		require.NoError(b.t, err)
		change(c, p.slot())
		return tx.Bucket(bucketChunks).Bucket(chunkKey(p.chunk())).Put(blobKey, c.data)
	}))
}

// A file of another version is refused, or moved aside: its contents are not changed.
func TestOtherFormat(t *testing.T) {
	for _, version := range []otherformat.Version{0, FormatVersion + 1} {
		path := t.TempDir() + "/traces.db"
		db, err := state.Open(path, state.Options{Version: version, Buckets: []string{"traces"}})
		require.NoError(t, err)
		require.NoError(t, db.Close())
		var other *otherformat.Error
		_, err = OpenReadOnly(path)
		require.ErrorAs(t, err, &other)
		_, err = Open(path, Options{})
		require.ErrorAs(t, err, &other)
		require.Equal(t, otherformat.Error{Version: version, Reads: FormatVersion}, *other)
		var moved otherformat.Moved
		f, err := Open(path, Options{Moved: func(m otherformat.Moved) { moved = m }})
		require.NoError(t, err, version)
		require.Equal(t, fmt.Sprint(path, ".format-", version), moved.Path)
		require.NoError(t, f.Close())
	}
}
