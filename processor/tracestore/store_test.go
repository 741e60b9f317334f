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
	"testing/synctest"
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
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/internal/answer"
	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/internal/otherformat"
	"github.com/slowburn/slowburn/internal/state"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/tracetest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/metadata"
	"github.com/slowburn/slowburn/processor/tracestore/internal/metadatatest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/storetest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/tracefile"
)

// listening is a host with one extension, which records announcements.
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
		spec{Trace: 1, ID: 1, Service: "shop", Name: "GET /", Duration: time.Second, Policy: "slow"},
		spec{Trace: 1, ID: 2, Parent: 1, Service: "cart", Name: "add", Start: time.Millisecond, Failed: true},
		spec{Trace: 2, ID: 1, Service: "shop", Name: "GET /"})
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
		require.NoError(t, consume(td))
	})
	run(func(r Reader, _ func(ptrace.Traces) error) {
		got, meta, ok, err := r.Trace(t.Context(), traceID(1))
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, 2, storetest.Decoded(t, got).SpanCount())
		size, ok, err := r.Size(t.Context(), traceID(1))
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, Size{Bytes: len(got), Spans: 2}, size)
		_, ok, err = r.Size(t.Context(), traceID(3))
		require.NoError(t, err)
		require.False(t, ok)
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

// The writer goroutine makes traces readable soon, without a request.
func TestWritesSoon(t *testing.T) {
	b := newBench(t, nil)
	require.NoError(t, b.start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, b.consume(t.Context(), spans(spec{Trace: 1, ID: 1, Service: "s"})))
	require.Eventually(t, func() bool {
		_, _, ok, err := b.Trace(t.Context(), traceID(1))
		return err == nil && ok
	}, time.Minute, 5*time.Millisecond)
	require.NoError(t, b.shutdown(t.Context()))
}

// A batch that cannot be written is refused with a retryable error.
func TestFailedWriteIsRetryable(t *testing.T) {
	b := opened(t, nil)
	require.NoError(t, b.writer.file.Load().Close()) // the file is closed
	one := spans(spec{Trace: 1, ID: 1, Service: "s"})
	require.ErrorContains(t, b.tryNow(one), "cannot write to "+b.file)
	health := b.Probe(t.Context())
	require.False(t, health.OK)
	require.False(t, health.Blocking)
	require.Contains(t, health.Message, "cannot write to "+b.file)
	_, err := b.Search(t.Context(), Query{})
	require.Error(t, err, "readers are told")
	b.writer.open()
	b.storeNow(one)
	require.Equal(t, []int{1}, b.found(Query{}))
	require.True(t, b.Probe(t.Context()).OK)
}

// The answer is retryable, whatever the cause.
func TestAnswer(t *testing.T) {
	b := newBench(t, nil)
	err := b.consume(t.Context(), spans(spec{Trace: 1, ID: 1, Service: "s"}))
	require.ErrorContains(t, err, "the trace store is not open")
	require.Equal(t, answer.Retry, answer.Of(fmt.Errorf("wrapped: %w", err)).Class)
	require.NoError(t, retryable(nil))
}

func TestStartsWithoutItsFileAndRecovers(t *testing.T) {
	b := newBench(t, nil)
	b.writer.retry = 5 * time.Millisecond
	other, err := state.Open(b.file, state.Options{})
	require.NoError(t, err)
	require.NoError(t, b.start(t.Context(), componenttest.NewNopHost()), "no dashboard is no reason not to take spans")
	health := b.Probe(t.Context())
	require.False(t, health.OK)
	require.False(t, health.Blocking)
	require.Contains(t, health.Message, "another process holds the file")
	one := spans(spec{Trace: 1, ID: 1, Service: "s"})
	require.ErrorContains(t, b.consume(t.Context(), one), "another process holds the file")
	_, _, _, err = b.Trace(t.Context(), traceID(1))
	require.ErrorContains(t, err, "another process holds the file")

	require.NoError(t, other.Close())
	require.Eventually(t, func() bool { return b.consume(t.Context(), one) == nil }, time.Minute, 10*time.Millisecond)
	_, _, ok, err := b.Trace(t.Context(), traceID(1))
	require.NoError(t, err)
	require.True(t, ok)
	require.True(t, b.Probe(t.Context()).OK)
	require.NoError(t, b.shutdown(t.Context()))
}

// A store that stops refuses the batches that it has not written.
func TestShutdownWithoutFileRefusesBatches(t *testing.T) {
	b := opened(t, nil)
	c, err := b.enqueue(t.Context(), spans(spec{Trace: 1, ID: 1, Service: "s"}, spec{Trace: 2, ID: 1, Service: "s"}))
	require.NoError(t, err)
	b.queue.close()
	b.writer.close()
	<-c.done
	require.ErrorIs(t, c.err, errStopped)
	_, err = b.enqueue(t.Context(), spans(spec{Trace: 1, ID: 1, Service: "s"}))
	require.Error(t, err)
}

// A disk that does not respond blocks neither the pipeline nor the shutdown.
func TestHungDisk(t *testing.T) {
	b := newBench(t, nil)
	hang := make(chan struct{})
	b.writer.options.Now = func() time.Time { <-hang; return t0 } // the writer reads the clock, and blocks
	require.NoError(t, b.start(t.Context(), componenttest.NewNopHost()))
	one := spans(spec{Trace: 1, ID: 1, Service: "s"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, b.consume(ctx, one), context.Canceled, "who does not wait any longer is told that it is not stored")
	b.queue.max = b.queue.size()
	require.ErrorIs(t, b.consume(t.Context(), one), errFull)
	require.ErrorContains(t, b.shutdown(ctx), "could not be written")
	close(hang)
	<-b.writer.stopped
}

func TestShutdownOfOneNeverStarted(t *testing.T) {
	require.NoError(t, newBench(t, nil).shutdown(t.Context()))
}

func TestQueueIsBounded(t *testing.T) {
	b := opened(t, nil)
	one, two := spans(spec{Trace: 1, ID: 1, Service: "s"}), spans(spec{Trace: 2, ID: 1, Service: "s"}, spec{Trace: 3, ID: 1, Service: "s"})
	_, err := b.enqueue(t.Context(), one)
	require.NoError(t, err)
	b.queue.max = b.queue.size() * 5 / 2
	_, err = b.enqueue(t.Context(), two)
	require.ErrorIs(t, err, errFull, "there is room for one of them")
	_, err = b.enqueue(t.Context(), one)
	require.NoError(t, err)
	b.queue.max = b.queue.size()
	_, err = b.enqueue(t.Context(), one)
	require.ErrorIs(t, err, errFull)
	b.writer.drain()
	require.Zero(t, b.queue.size())
	require.Equal(t, []int{1}, b.found(Query{}))
	b.queue.max = 1
	b.storeNow(two) // a batch larger than the queue passes alone
	b.queue.close()
	_, err = b.enqueue(t.Context(), one)
	require.ErrorIs(t, err, errStopped)
}

// A trace of 64 MiB is stored; one byte more is refused, and so are late spans that would exceed it.
func TestLargestTrace(t *testing.T) {
	const largest = 64 << 20
	b := opened(t, nil)
	b.storeNow(storetest.Sized(t, 1, 1, largest))
	require.Equal(t, []int{1}, b.found(Query{}))
	b.storeNow(storetest.Sized(t, 2, 1, largest+1))
	requireDropped(t, b, "too_large", 1)
	require.Zero(t, b.queue.size(), "what is refused does not wait")
	b.storeNow(storetest.Sized(t, 1, 2, 1000))
	requireDropped(t, b, "too_large", 2)
	_, meta, _, err := b.Trace(t.Context(), traceID(1))
	require.NoError(t, err)
	require.Equal(t, 1, meta.Version)
}

// Traces that the writer stored, updated and found damaged are counted; those that a reader finds damaged are counted too, and
// are not found.
func TestCounts(t *testing.T) {
	b := opened(t, func(c *Config) { c.Retention = time.Hour })
	for n := range 2 {
		b.storeNow(spans(spec{Trace: n + 1, ID: 1, Service: "s", Name: "op"}))
	}
	b.storeNow(spans(spec{Trace: 1, ID: 2, Parent: 1, Service: "s", Name: "late", Late: true}))
	metadatatest.AssertEqualExporterTraceStoreStoredTraces(t, b.tel,
		[]metricdata.DataPoint[int64]{{Value: 2}}, metricdatatest.IgnoreTimestamp())
	metadatatest.AssertEqualExporterTraceStoreUpdatedTraces(t, b.tel,
		[]metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())

	b.writer.close()
	damageChunks(t, b.file, func(chunk []byte) { chunk[len(chunk)-1] ^= 1 }) // the last trace of each
	b.writer.open()
	require.Equal(t, []int{1}, b.found(Query{Service: "s"}))
	requireCorrupt(t, b, 1)
	_, _, ok, err := b.Trace(t.Context(), traceID(2))
	require.NoError(t, err)
	require.False(t, ok)
	requireCorrupt(t, b, 2)
	b.storeNow(spans(spec{Trace: 2, ID: 2, Service: "s", Name: "op"})) // later spans replace it
	require.Equal(t, []int{2, 1}, b.found(Query{Service: "s"}))
	requireCorrupt(t, b, 3)

	b.writer.close()
	damageChunks(t, b.file, func(chunk []byte) { chunk[5] ^= 1 })
	b.writer.open()
	b.clock = t0.Add(2 * time.Hour)
	b.writer.maintain()
	requireCorrupt(t, b, 5)
	metadatatest.AssertEqualExporterTraceStoreEvictedTraces(t, b.tel, []metricdata.DataPoint[int64]{
		{Value: 2, Attributes: attribute.NewSet(attribute.String("reason", "age"))},
	}, metricdatatest.IgnoreTimestamp())
}

// damageChunks damages the chunks of traces on the disk.
func damageChunks(t *testing.T, file string, damage func(chunk []byte)) {
	t.Helper()
	db, err := state.Open(file, state.Options{Version: tracefile.FormatVersion})
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		chunks := tx.Bucket([]byte("chunks"))
		return chunks.ForEachBucket(func(k []byte) error {
			own := chunks.Bucket(k)
			chunk := bytes.Clone(own.Get([]byte{0}))
			damage(chunk)
			return own.Put([]byte{0}, chunk)
		})
	}))
	require.NoError(t, db.Close())
}

func TestReadersOfAClosedFileGetAnError(t *testing.T) {
	b := newBench(t, nil)
	_, err := b.Search(t.Context(), Query{})
	require.ErrorContains(t, err, "the trace store is not open: The trace store was not started.")
	_, err = b.Search(t.Context(), Query{Cursor: "?"})
	require.ErrorIs(t, err, ErrCursor)
	_, _, _, err = b.Trace(t.Context(), traceID(1))
	require.ErrorContains(t, err, "not open")
	_, err = b.Has(t.Context(), nil)
	require.ErrorContains(t, err, "not open")
	_, err = b.Services(t.Context())
	require.ErrorContains(t, err, "not open")
}

func TestDamagedFileIsMovedAside(t *testing.T) {
	b := newBench(t, nil)
	require.NoError(t, os.WriteFile(b.file, make([]byte, 1<<16), 0o600))
	b.writer.open()
	require.True(t, b.Probe(t.Context()).OK)
	b.storeNow(spans(spec{Trace: 1, ID: 1, Service: "s"}))
	require.Equal(t, []int{1}, b.found(Query{}))
	require.FileExists(t, b.file+".damaged")
}

// A file of another version, or of none, is moved aside, and /readyz says so.
func TestFileOfAnotherFormatIsMovedAside(t *testing.T) {
	for _, version := range []otherformat.Version{0, tracefile.FormatVersion + 1} {
		b := newBench(t, nil)
		core, logs := observer.New(zap.WarnLevel)
		b.writer.logger = zap.New(core)
		db, err := state.Open(b.file, state.Options{Version: version, Buckets: []string{"traces", "ids", "index", "operations"}})
		require.NoError(t, err)
		require.NoError(t, db.Close())
		b.writer.open()
		b.storeNow(spans(spec{Trace: 1, ID: 1, Service: "s"}))
		require.Equal(t, []int{1}, b.found(Query{}))
		aside := fmt.Sprint(b.file, ".format-", version)
		require.FileExists(t, aside)
		require.Equal(t, 1, logs.Len())
		require.Equal(t, "files of another format version moved aside: traces stored before are not shown", logs.All()[0].Message)
		require.Equal(t, aside, logs.All()[0].ContextMap()["moved_to"])
		health := b.Probe(t.Context())
		require.True(t, health.OK)
		require.Contains(t, health.Message, fmt.Sprintf("; traces stored before are not shown: a file of format version %s was moved to %s (", version, aside))

		b.writer.close()
		b.writer.open()
		require.Equal(t, []int{1}, b.found(Query{}), "a file of this format stays")
		require.Equal(t, 1, logs.Len())
	}
}

// A damaged page is found when it is read: at once, or by the writer much later. The process goes on in both cases, and
// afterwards the store works.
func TestDamagedPagesAreSurvived(t *testing.T) {
	full := opened(t, nil)
	for n := range 25 {
		full.storeNow(spans(spec{Trace: n + 1, ID: 1, Service: fmt.Sprint("service ", n), Name: strings.Repeat("op", 50)}))
	}
	page := os.Getpagesize()
	full.writer.close()
	good, err := os.ReadFile(full.file)
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
			require.NoError(t, os.WriteFile(b.file, damaged, 0o600))
			b.writer.open()
			b.clock = t0.Add(2 * time.Hour)
			b.writer.maintain() // reads and deletes everything
			for range 2 {
				_ = b.tryNow(spans(spec{Trace: 100, ID: 1, Service: "s"}, spec{Trace: 101, ID: 1, Service: "s"})) // a sender retries
			}
			require.True(t, b.Probe(t.Context()).OK, "page %d: %s", n, name)
			require.ElementsMatch(t, []int{100, 101}, b.found(Query{Service: "s"}), "page %d: %s", n, name)
			if _, err := os.Stat(b.file + ".damaged"); err == nil {
				moved++
			}
			b.writer.close()
		}
	}
	require.Positive(t, moved)
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
	b.storeNow(spans(spec{Trace: 1, ID: 1, Service: "s"}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Search(ctx, Query{})
	require.NoError(t, err, "a search that is done at once does not care")
}

// keptOf returns the traces of td as the sampler sends them to a destination.
func keptOf(t testing.TB, to string, td ptrace.Traces) (context.Context, *wire.Kept) {
	t.Helper()
	k := new(wire.Kept)
	require.NoError(t, fill(t.Context(), k, td))
	k.To = to
	return wire.NewKeptContext(t.Context(), k), k
}

// A trace that was reconstructed upstream gets its summary from that reconstruction; here it has one that the spans alone would
// not give. The stored spans are the request's, with all additions.
func TestTakesBytes(t *testing.T) {
	b := opened(t, nil)
	ctx, k := keptOf(t, "trace_store", tracetest.Shop(0, 2))
	known := assemble.New(k).Trace(0, assemble.Options{})
	known.End = known.Start + uint64(time.Hour)
	k.Traces[0].Found = known
	k.Traces[1].Marks = []wire.Attribute{wire.StringAttribute(attr.Policy, "slow")}
	k.SetAttribute(0, wire.StringAttribute("added", "x"))
	for i := k.Traces[1].From; i < k.Traces[1].To; i++ { // one of twenty
		k.SetTraceState(i, []byte("ot=rv:fffffffffffffe;th:f3333333333333"))
	}
	k.Spans[1].Omitted = true

	c, err := b.enqueue(ctx, ptrace.NewTraces())
	require.NoError(t, err)
	require.True(t, k.Taken())
	b.writer.drain()
	<-c.done
	require.NoError(t, c.err)
	for i, hour := range []bool{true, false} {
		got, meta, ok, err := b.Trace(t.Context(), pcommon.TraceID(k.Traces[i].ID))
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, k.AppendRequest(nil, k.Traces[i].From, k.Traces[i].To), got)
		require.Equal(t, hour, meta.Summary.DurationMS == 3600e3)
		require.Equal(t, 12, meta.Summary.SpanCount)
		require.Equal(t, []string{"rest", "slow"}[i], meta.Summary.Policy)
		if i == 1 {
			require.InDelta(t, 20, meta.Summary.AdjustedCount, 1e-6)
		}
	}
}

// Traces for another destination are ignored, in either form.
func TestForAnother(t *testing.T) {
	b := opened(t, nil)
	ctx, k := keptOf(t, "otlp_grpc/backend", tracetest.Shop(0, 2))
	require.NoError(t, b.consume(ctx, ptrace.NewTraces()))
	require.False(t, k.Taken())
	ctx = wire.NewKeptContext(t.Context(), &wire.Kept{To: "traces/sampled"})
	require.NoError(t, b.consume(ctx, tracetest.Shop(0, 2)))
	require.Zero(t, b.queue.size())
}

// Wire bytes and decoded traces are stored alike.
func TestBothDoors(t *testing.T) {
	td := tracetest.Shop(0, 3)
	decoded, kept := opened(t, nil), opened(t, nil)
	decoded.storeNow(td)
	ctx, k := keptOf(t, "trace_store", td)
	c, err := kept.enqueue(ctx, ptrace.NewTraces())
	require.NoError(t, err)
	kept.writer.drain()
	<-c.done
	for i := range k.Traces {
		id := pcommon.TraceID(k.Traces[i].ID)
		want, wantMeta, _, err := decoded.Trace(t.Context(), id)
		require.NoError(t, err)
		got, gotMeta, _, err := kept.Trace(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, wantMeta, gotMeta)
	}
}

// A late part is added to its trace; the sampler marks it on the scope.
func TestLatePartOfBytes(t *testing.T) {
	b := opened(t, nil)
	root := spec{Trace: 1, ID: 1, Service: "s", Name: "root"}
	b.storeNow(spans(root))
	send := func(specs ...spec) {
		ctx, k := keptOf(t, "trace_store", spans(specs...))
		k.Traces[0].Late = true
		k.Traces[0].Marks = []wire.Attribute{wire.BoolAttribute(attr.CachedDecision, true)}
		c, err := b.enqueue(ctx, ptrace.NewTraces())
		require.NoError(t, err)
		b.writer.drain()
		<-c.done
		require.NoError(t, c.err)
	}
	send(spec{Trace: 1, ID: 2, Parent: 1, Service: "s", Name: "late"})
	_, meta, _, err := b.Trace(t.Context(), traceID(1))
	require.NoError(t, err)
	require.Equal(t, 2, meta.Version)
	require.Equal(t, 1, meta.LateSpans)
	send(root) // a copy adds nothing, marked or not
	_, again, _, err := b.Trace(t.Context(), traceID(1))
	require.NoError(t, err)
	require.Equal(t, meta, again)
}

// A call waits until its traces are on the disk. A batch that is large enough does not wait for the interval between two
// transactions, and small ones share one.
func TestAcknowledgesWhatIsOnTheDisk(t *testing.T) {
	b := newBench(t, nil)
	require.NoError(t, b.start(t.Context(), componenttest.NewNopHost()))
	for n := range 3 {
		require.NoError(t, b.consume(t.Context(), spans(spec{Trace: n + 1, ID: 1, Service: "s"})))
		_, _, ok, err := b.Trace(t.Context(), traceID(n+1))
		require.NoError(t, err)
		require.True(t, ok)
	}
	require.NoError(t, b.shutdown(t.Context()))
}

// A Writer with more than a full batch does not pause; one with less pauses until the interval is over.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &writer{queue: newQueue(maxQueueBytes), stop: make(chan struct{})}
		push := func(bytes int) {
			require.NoError(t, w.queue.push([]tracefile.Item{{Packed: make([]byte, bytes)}}, newCall(1)))
		}
		paused := func() time.Duration {
			began := clock.Now()
			require.False(t, w.pause())
			return clock.Since(began)
		}
		push(1)
		require.Zero(t, paused(), "the last transaction was long ago")
		w.committed = clock.Now()
		require.Equal(t, commitInterval, paused())
		w.committed = clock.Now()
		go func() {
			<-clock.After(commitInterval / 2)
			push(fullBatch)
		}()
		require.Equal(t, commitInterval/2+joinInterval, paused(), "enough came meanwhile, and others may join it")
		require.Equal(t, joinInterval, paused())
		w.committed = clock.Now().Add(joinInterval/2 - commitInterval)
		require.Equal(t, joinInterval/2, paused(), "never longer than it would take anyway")
	})
}
