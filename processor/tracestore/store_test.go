package tracestore

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/handover"
	"github.com/slowburn/slowburn/processor/trace/tracetest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/metadata"
	"github.com/slowburn/slowburn/processor/tracestore/internal/metadatatest"
)

// listening is a host with one extension, which keeps what is announced to it.
type listening struct {
	component.Component
	mu    sync.Mutex
	known map[component.ID]any
}

func (l *listening) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("web"): l}
}

func (l *listening) ComponentStarted(id component.ID, c any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known[id] = c
}

func (l *listening) ComponentStopped(id component.ID, _ any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.known, id)
}

func TestRestart(t *testing.T) {
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	cfg.Directory = filepath.Join(t.TempDir(), "not", "there")
	td := spans(
		spec{trace: 1, id: 1, service: "shop", name: "GET /", duration: time.Second, policy: "slow"},
		spec{trace: 1, id: 2, parent: 1, service: "cart", name: "add", start: time.Millisecond, failed: true},
		spec{trace: 2, id: 1, service: "shop", name: "GET /"})
	run := func(use func(Reader, func(ptrace.Traces) error)) {
		h := &listening{known: map[component.ID]any{}}
		e, err := NewFactory().CreateTraces(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
		require.NoError(t, err)
		require.False(t, e.Capabilities().MutatesData)
		require.NoError(t, e.Start(t.Context(), h))
		require.Len(t, h.known, 1)
		for _, c := range h.known {
			require.True(t, c.(host.Prober).Probe(t.Context()).OK)
			use(c.(Reader), func(td ptrace.Traces) error { return e.ConsumeTraces(t.Context(), td) })
		}
		require.NoError(t, e.Shutdown(t.Context()))
		require.Empty(t, h.known)
	}
	run(func(_ Reader, consume func(ptrace.Traces) error) {
		require.NoError(t, consume(td)) // shutdown writes it
	})
	run(func(r Reader, _ func(ptrace.Traces) error) {
		got, meta, ok, err := r.Trace(t.Context(), traceID(1))
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, 2, got.SpanCount())
		require.Equal(t, 1, meta.Version)
		require.Equal(t, Summary{
			TraceID: traceID(1).String(), RootService: "shop", RootOperation: "GET /",
			Start: t0, StartUnixNano: uint64(t0.UnixNano()), DurationMS: 1000, SpanCount: 2, ErrorCount: 1,
			Services: []ServiceSummary{{Name: "cart", Spans: 1, Errors: 1}, {Name: "shop", Spans: 1}},
			Policy:   "slow", AdjustedCount: 1, Complete: true,
		}, meta.Summary)
		services, err := r.Services(t.Context())
		require.NoError(t, err)
		require.Equal(t, map[string][]string{"cart": {"add"}, "shop": {"GET /"}}, services)
		has, err := r.Has(t.Context(), []pcommon.TraceID{traceID(1), traceID(3)})
		require.NoError(t, err)
		require.Equal(t, map[pcommon.TraceID]bool{traceID(1): true}, has)
		_, _, ok, err = r.Trace(t.Context(), traceID(3))
		require.NoError(t, err)
		require.False(t, ok)
	})
}

// The writer goroutine makes traces readable soon, without anybody asking it to.
func TestWritesSoon(t *testing.T) {
	b := newBench(t, nil)
	require.NoError(t, b.start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, b.consume(t.Context(), spans(spec{trace: 1, id: 1, service: "s"})))
	require.Eventually(t, func() bool {
		_, _, ok, err := b.Trace(t.Context(), traceID(1))
		return err == nil && ok
	}, time.Minute, 5*time.Millisecond)
	require.NoError(t, b.shutdown(t.Context()))
}

func TestSpansComeBackAsTheyCame(t *testing.T) {
	b := opened(t, nil)
	td := spans(
		spec{trace: 1, id: 1, service: "shop", name: "a", policy: "p", link: 7},
		spec{trace: 1, id: 2, parent: 1, service: "cart", name: "b"})
	s := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	s.SetFlags(0x301)
	s.TraceState().FromRaw("ot=th:8;rv:ffffffffffffff")
	s.SetDroppedAttributesCount(3)
	s.Events().AppendEmpty().SetName("event")
	want := bytesOf(t, td)
	b.storeNow(td)
	got, meta, ok, err := b.Trace(t.Context(), traceID(1))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, want, bytesOf(t, got))
	require.Equal(t, want, bytesOf(t, td), "what came in was not changed")
	require.InDelta(t, 2, meta.Summary.AdjustedCount, 0)
}

func TestLateSpansAreAdded(t *testing.T) {
	b := opened(t, nil)
	root := spec{trace: 1, id: 1, service: "shop", name: "GET /", duration: time.Second}
	b.storeNow(spans(root))
	b.clock = t0.Add(time.Minute)
	late := spec{trace: 1, id: 2, parent: 1, service: "cart", name: "add", start: 1, duration: 2 * time.Second, failed: true, late: true}
	b.storeNow(spans(late))

	got, meta, ok, err := b.Trace(t.Context(), traceID(1))
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, 2, got.SpanCount())
	require.Equal(t, 2, meta.Version)
	require.Equal(t, 1, meta.LateSpans)
	require.Equal(t, t0, meta.Stored)
	require.Equal(t, t0.Add(time.Minute), meta.Updated)
	require.Equal(t, []int{1}, b.found(Query{Service: "cart"}))
	require.Equal(t, []int{1}, b.found(Query{Error: true, MinDuration: 2 * time.Second}))
	require.Empty(t, b.found(Query{MaxDuration: time.Second}), "the old entries are gone")

	b.storeNow(spans(root, late)) // a retried export brings nothing new
	_, again, _, err := b.Trace(t.Context(), traceID(1))
	require.NoError(t, err)
	require.Equal(t, meta, again)
	metadatatest.AssertEqualExporterTraceStoreUpdatedTraces(t, b.tel,
		[]metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())
}

func TestOnlyLateSpansArePartOfATrace(t *testing.T) {
	b := opened(t, nil)
	b.storeNow(spans(spec{trace: 1, id: 2, parent: 9, service: "cart", name: "add", late: true}))
	r := b.search(Query{})
	require.Len(t, r.Traces, 1)
	require.False(t, r.Traces[0].Complete)
	require.Equal(t, "add", r.Traces[0].RootOperation)
}

func TestDiskTroubleIsNobodysError(t *testing.T) {
	b := opened(t, nil)
	require.NoError(t, b.db.Load().Close()) // the file is gone
	require.NoError(t, b.consume(t.Context(), spans(spec{trace: 1, id: 1, service: "s"})))
	b.drain()
	health := b.Probe(t.Context())
	require.False(t, health.OK)
	require.False(t, health.Blocking)
	require.Contains(t, health.Message, "cannot write to "+b.path)
	requireDropped(t, b, "write_failed", 1)
	_, err := b.Search(t.Context(), Query{})
	require.Error(t, err, "readers are told")
}

func TestStartsWithoutItsFileAndRecovers(t *testing.T) {
	b := newBench(t, nil)
	b.retry = 5 * time.Millisecond
	other, err := state.Open(b.path, state.Options{})
	require.NoError(t, err)
	require.NoError(t, b.start(t.Context(), componenttest.NewNopHost()), "no dashboard is no reason not to take spans")
	health := b.Probe(t.Context())
	require.False(t, health.OK)
	require.False(t, health.Blocking)
	require.Contains(t, health.Message, "another process holds the file")
	require.NoError(t, b.consume(t.Context(), spans(spec{trace: 1, id: 1, service: "s"})))
	_, _, _, err = b.Trace(t.Context(), traceID(1))
	require.ErrorContains(t, err, "another process holds the file")

	require.NoError(t, other.Close())
	require.Eventually(t, func() bool {
		_, _, ok, err := b.Trace(t.Context(), traceID(1))
		return err == nil && ok
	}, time.Minute, 10*time.Millisecond, "what came meanwhile is stored")
	require.True(t, b.Probe(t.Context()).OK)
	require.NoError(t, b.shutdown(t.Context()))
}

func TestShutdownWithoutFileCountsWhatIsLost(t *testing.T) {
	b := newBench(t, nil)
	other, err := state.Open(b.path, state.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	require.NoError(t, b.start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, b.consume(t.Context(), spans(spec{trace: 1, id: 1, service: "s"})))
	b.queue.close()
	close(b.stop)
	<-b.stopped
	requireDropped(t, b, "shutdown", 1)
}

// A disk that does not answer stops neither the pipeline nor the end of the process.
func TestHungDisk(t *testing.T) {
	b := newBench(t, nil)
	require.NoError(t, b.start(t.Context(), componenttest.NewNopHost()))
	hang, err := b.db.Load().Begin(true) // whoever wants to write waits
	require.NoError(t, err)
	one := spans(spec{trace: 1, id: 1, service: "s"})
	for b.queue.push(queued{packed: make([]byte, 1<<20)}) { // the writer takes some, and hangs
	}
	require.NoError(t, b.consume(t.Context(), one))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorContains(t, b.shutdown(ctx), "could not be written")
	require.NoError(t, hang.Rollback())
	<-b.stopped
}

func TestShutdownOfOneNeverStarted(t *testing.T) {
	require.NoError(t, newBench(t, nil).shutdown(t.Context()))
}

func TestQueueIsBounded(t *testing.T) {
	b := opened(t, nil)
	one := spans(spec{trace: 1, id: 1, service: "s"})
	require.NoError(t, b.consume(t.Context(), one))
	b.queue.max = b.queue.size()
	for range 2 {
		require.NoError(t, b.consume(t.Context(), one))
	}
	requireDropped(t, b, "queue_full", 2)
	b.drain()
	require.Zero(t, b.queue.size())
	require.Equal(t, []int{1}, b.found(Query{}))
	b.queue.close()
	require.NoError(t, b.consume(t.Context(), one))
	requireDropped(t, b, "queue_full", 3)
}

func TestDamagedFileIsMovedAside(t *testing.T) {
	b := newBench(t, nil)
	require.NoError(t, os.WriteFile(b.path, make([]byte, 1<<16), 0o600))
	b.open()
	require.True(t, b.Probe(t.Context()).OK)
	b.storeNow(spans(spec{trace: 1, id: 1, service: "s"}))
	require.Equal(t, []int{1}, b.found(Query{}))
	require.FileExists(t, b.path+".damaged")
}

// A damaged page is found when it is read: at once, or by the writer long after. Neither ends the process, and then
// there is a store that works.
func TestDamagedPagesAreSurvived(t *testing.T) {
	full := opened(t, nil)
	for n := range 25 {
		full.storeNow(spans(spec{trace: n + 1, id: 1, service: fmt.Sprint("service ", n), name: strings.Repeat("op", 50)}))
	}
	page := full.db.Load().Info().PageSize
	full.close()
	good, err := os.ReadFile(full.path)
	require.NoError(t, err)

	pages := len(good) / page
	require.Greater(t, pages, 10)
	moved := 0
	for n := range pages {
		for name, damaged := range map[string][]byte{
			"zeros": slices.Concat(good[:n*page], make([]byte, page), good[(n+1)*page:]),
			"noise": slices.Concat(good[:n*page], bytes.Repeat([]byte{0xa5, 0x5a}, page/2), good[(n+1)*page:]),
			"cut":   good[:n*page],
		} {
			b := newBench(t, func(c *Config) { c.Retention = time.Hour })
			require.NoError(t, os.WriteFile(b.path, damaged, 0o600))
			b.open()
			b.clock = t0.Add(2 * time.Hour)
			b.maintain() // reads and deletes all there is
			for range 2 {
				b.storeNow(spans(spec{trace: 100, id: 1, service: "s"}, spec{trace: 101, id: 1, service: "s"}))
			}
			require.True(t, b.Probe(t.Context()).OK, "page %d: %s", n, name)
			require.ElementsMatch(t, []int{100, 101}, b.found(Query{Service: "s"}), "page %d: %s", n, name)
			if _, err := os.Stat(b.path + ".damaged"); err == nil {
				moved++
			}
			b.close()
		}
	}
	require.Positive(t, moved)
}

func TestDamagedRecordIsSkippedAndCounted(t *testing.T) {
	b := opened(t, func(c *Config) { c.Retention = time.Hour })
	for n := range 3 {
		b.storeNow(spans(spec{trace: n + 1, id: 1, service: "s", name: "op", start: time.Duration(n)}))
	}
	require.NoError(t, b.db.Load().Update(func(tx *bbolt.Tx) error {
		traces := tx.Bucket(bucketTraces)
		key := append(tx.Bucket(bucketIDs).Get(bytesOfID(2)), bytesOfID(2)...)
		record := append([]byte{}, traces.Get(key)...)
		record[len(record)/2] ^= 0xff
		return traces.Put(key, record)
	}))
	require.Equal(t, []int{3, 1}, b.found(Query{Service: "s"}))
	_, _, ok, err := b.Trace(t.Context(), traceID(2))
	require.NoError(t, err)
	require.False(t, ok)
	requireCorrupt(t, b, 2)

	b.storeNow(spans(spec{trace: 2, id: 2, service: "s", name: "op", start: 1})) // what comes later takes its place
	require.Equal(t, []int{3, 2, 1}, b.found(Query{Service: "s"}))
	requireCorrupt(t, b, 3)
}

func TestDamagedRecordIsEvicted(t *testing.T) {
	b := opened(t, func(c *Config) { c.Retention = time.Hour })
	b.storeNow(spans(spec{trace: 1, id: 1, service: "s", name: "op"}))
	require.NoError(t, b.db.Load().Update(func(tx *bbolt.Tx) error {
		key := append(tx.Bucket(bucketIDs).Get(bytesOfID(1)), bytesOfID(1)...)
		return tx.Bucket(bucketTraces).Put(key, []byte("nonsense"))
	}))
	b.clock = t0.Add(2 * time.Hour)
	b.maintain()
	requireCorrupt(t, b, 1)
	require.Empty(t, b.found(Query{}), "what the index still has leads nowhere")
	has, err := b.Has(t.Context(), []pcommon.TraceID{traceID(1)})
	require.NoError(t, err)
	require.Empty(t, has)
}

func bytesOfID(n int) []byte {
	id := traceID(n)
	return id[:]
}

func requireDropped(t *testing.T, b *bench, reason string, n int64) {
	t.Helper()
	metadatatest.AssertEqualExporterTraceStoreDroppedTraces(t, b.tel, []metricdata.DataPoint[int64]{
		{Value: n, Attributes: attribute.NewSet(attribute.String("reason", reason))},
	}, metricdatatest.IgnoreTimestamp())
}

func requireCorrupt(t *testing.T, b *bench, n int64) {
	t.Helper()
	metadatatest.AssertEqualExporterTraceStoreCorruptRecords(t, b.tel,
		[]metricdata.DataPoint[int64]{{Value: n}}, metricdatatest.IgnoreTimestamp())
}

func TestContextEndsASearch(t *testing.T) {
	b := opened(t, nil)
	b.storeNow(spans(spec{trace: 1, id: 1, service: "s"}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Search(ctx, Query{})
	require.NoError(t, err, "a search that is done at once does not care")
}

// A trace that was reconstructed upstream is summed up from that; here one that the spans alone would not give.
func TestUsesWhatWasFound(t *testing.T) {
	td := tracetest.Shop(0, 2)
	groups := trace.Group(td)
	known := assemble.Trace(groups[0], assemble.Options{})
	known.End = known.Start + uint64(time.Hour)
	ctx, found := handover.NewContext(t.Context())
	found.Put(map[*trace.Trace]trace.Spans{known: groups[0]})

	set := exportertest.NewNopSettings(metadata.Type)
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	cfg.Directory = t.TempDir()
	h := &listening{known: map[component.ID]any{}}
	e, err := NewFactory().CreateTraces(t.Context(), set, cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), h))
	require.NoError(t, e.ConsumeTraces(ctx, td))
	require.NoError(t, e.Shutdown(t.Context()))

	b := newBench(t, func(c *Config) { c.Directory = cfg.Directory })
	b.open()
	for i, hour := range []bool{true, false} {
		_, meta, ok, err := b.Trace(t.Context(), groups[i].ID)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, hour, meta.Summary.DurationMS == 3600e3)
		require.Equal(t, 12, meta.Summary.SpanCount)
	}
}
