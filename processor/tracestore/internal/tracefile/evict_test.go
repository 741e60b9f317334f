package tracefile

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
)

func TestEvictsByAge(t *testing.T) {
	b := opened(t, func(c *Options) { c.Retention = time.Hour })
	var batch []Item
	for n := range 1000 {
		b.clock = t0.Add(time.Duration(n) * time.Second)
		batch = append(batch, b.items(spans(spec{Trace: n + 1, ID: 1, Service: fmt.Sprint("s", n/500), Name: "op"}))...)
		if n%100 == 99 {
			_, err := b.Put(batch) // stored at the time of the hundredth
			require.NoError(t, err)
			batch = nil
		}
	}
	b.clock = t0.Add(time.Hour + 500*time.Second)
	b.maintain()
	require.Len(t, b.found(Query{Limit: MaxLimit}), 500)
	require.Empty(t, b.found(Query{Service: "s0"}))
	require.Equal(t, Evicted{Age: 500}, b.evicted)
	requireConsistent(t, b, 500)
}

func TestForgetsOperationsOfEvictedTraces(t *testing.T) {
	b := opened(t, func(c *Options) { c.Retention = time.Hour })
	b.storeNow(spans(spec{Trace: 1, ID: 1, Service: "old", Name: "op"}))
	b.clock = t0.Add(30 * time.Minute)
	b.storeNow(spans(spec{Trace: 2, ID: 1, Service: "new", Name: "op"}))
	require.Equal(t, 2, b.operations)
	b.clock = t0.Add(65 * time.Minute)
	b.maintain()
	require.Equal(t, map[string][]string{"new": {"op"}}, b.services())
	require.Equal(t, 1, b.operations)
	b.clock = t0.Add(5 * time.Hour)
	b.maintain()
	require.Empty(t, b.services())
}

func TestListsBoundedlyManyOperations(t *testing.T) {
	b := opened(t, nil)
	b.operations = maxOperations - 1
	b.storeNow(spans(
		spec{Trace: 1, ID: 1, Service: "s", Name: "GET /1"}, spec{Trace: 1, ID: 2, Parent: 1, Service: "s", Name: "GET /2"}))
	require.Len(t, b.services()["s"], 1)
	require.Equal(t, []int{1}, b.found(Query{Service: "s", Operation: "GET /2"}), "what is not listed is still found")
}

func TestEvictsByBytesOldestFirst(t *testing.T) {
	const limit = 2 << 20
	b := opened(t, func(c *Options) { c.MaxBytes = limit })
	rng := rand.New(rand.NewPCG(1, 1))
	const traces = 400
	for n := range traces {
		b.clock = t0.Add(time.Duration(n) * time.Second)
		td := spans(spec{Trace: n + 1, ID: 1, Service: "s", Name: "op", Start: time.Duration(n)})
		padding(td, rng, 20_000)
		b.storeNow(td)
		used, _, err := b.usedBytes()
		require.NoError(t, err)
		require.LessOrEqual(t, used, int64(limit))
	}
	kept := b.found(Query{Limit: MaxLimit})
	require.Greater(t, len(kept), 20)
	require.Less(t, len(kept), 150)
	for i, n := range kept {
		require.Equal(t, traces-i, n, "the newest are kept")
	}
	require.Equal(t, Evicted{Bytes: traces - len(kept)}, b.evicted)
	requireConsistent(t, b, len(kept))
	info, err := os.Stat(b.path)
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(3*limit), "free pages are used again")
}

// A file that must not grow keeps its size, and has the newest traces; one too small for that accepts none. When it may grow
// again it does.
func TestFileThatMustNotGrow(t *testing.T) {
	full := false
	b := opened(t, func(c *Options) { c.Full = func() bool { return full } })
	rng := rand.New(rand.NewPCG(1, 1))
	store := func(n int) error {
		b.clock = t0.Add(time.Duration(n) * time.Second)
		td := spans(spec{Trace: n, ID: 1, Service: "s", Name: "op", Start: time.Duration(n)})
		padding(td, rng, 20_000)
		_, err := b.Put(b.items(td))
		b.evict()
		return err
	}
	full = true
	require.ErrorIs(t, store(1), ErrFull, "it is new, and holds nothing that could leave")
	full = false
	for n := range 300 {
		require.NoError(t, store(n+1))
	}
	_, before, err := b.usedBytes()
	require.NoError(t, err)
	full = true
	b.evict()
	for n := range 300 {
		require.NoError(t, store(n+301))
	}
	_, after, err := b.usedBytes()
	require.NoError(t, err)
	require.LessOrEqual(t, after, before+before/50, "but for what is stored in one piece and finds no such room")
	kept := b.found(Query{Limit: MaxLimit})
	require.Greater(t, len(kept), 100)
	for i, n := range kept {
		require.Equal(t, 600-i, n, "the newest are kept")
	}
	full = false
	for n := range 300 {
		require.NoError(t, store(n+601))
	}
	_, grown, err := b.usedBytes()
	require.NoError(t, err)
	require.Greater(t, grown, after)
}

// padding makes the trace's only span incompressible.
func padding(td ptrace.Traces, rng *rand.Rand, n int) {
	var b strings.Builder
	for range n {
		b.WriteByte(byte('!' + rng.IntN(90)))
	}
	td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().PutStr("padding", b.String())
}

// requireConsistent checks that all buckets have the same traces, and that no index entry is left over.
func requireConsistent(t *testing.T, b *bench, traces int) {
	t.Helper()
	require.NoError(t, b.db.View(func(tx *bbolt.Tx) error {
		here, r := 0, newReading(tx)
		want := map[string]string{}
		slots := map[string][]byte{} // by index key
		c := tx.Bucket(bucketChunks).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			chunk, err := readChunk(blob(tx.Bucket(bucketChunks), k))
			require.NoError(t, err)
			n := binary.BigEndian.Uint64(k)
			for slot := range chunk.traces {
				p := placeOf(n, slot)
				id := chunk.at(slot).id()
				found, ok := r.find(id)
				require.True(t, ok)
				require.Equal(t, p, found)
				here++
				stored := updateValue(tx.Bucket(bucketUpdates), p[:])
				updated := stored != nil
				if !updated {
					stored = chunk.record(slot)
				}
				h, err := record.Header(stored)
				require.NoError(t, err)
				require.Equal(t, id.String(), h.Meta.Summary.TraceID)
				if l, ok := r.late(p); ok {
					require.Equal(t, h.Start, l.header.Start)
					for _, term := range l.header.Terms {
						if !slices.Contains(h.Terms, term) {
							at := positionOf(h.Start, id)
							want[string(updateKey(term, grainOf(h.Start), p))] = string(at[:])
						}
					}
				}
				for _, term := range h.Terms {
					if at := positionOf(h.Start, id); updated {
						want[string(updateKey(term, grainOf(h.Start), p))] = string(at[:])
					} else {
						require.Equal(t, at, chunk.at(slot))
						key := string(slotsKey(term, grainOf(h.Start), n))
						slots[key] = binary.BigEndian.AppendUint16(slots[key], uint16(slot))
						want[key] = string(slots[key])
					}
				}
			}
		}
		require.Equal(t, traces, here)
		located := 0
		for _, run := range r.runs {
			located += run.len()
		}
		require.GreaterOrEqual(t, located, traces)
		got := map[string]string{}
		c = tx.Bucket(bucketIndex).Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			got[string(k)] = string(v)
		}
		require.Equal(t, want, got, "the index has what the traces say")
		c = tx.Bucket(bucketUpdates).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			require.GreaterOrEqual(t, place(k).chunk(), oldestChunk(tx))
		}
		return nil
	}))
}
