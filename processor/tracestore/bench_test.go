package tracestore

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/tracetest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/metadata"
)

// benchStore is a store with an open file, whose writer the benchmark runs.
func benchStore(b *testing.B) *store {
	set := exportertest.NewNopSettings(metadata.Type)
	s, err := newStore(set, &Config{Directory: b.TempDir(), Retention: time.Hour, MaxBytes: 1 << 30})
	require.NoError(b, err)
	s.host = componenttest.NewNopHost()
	s.writer.open()
	b.Cleanup(func() { s.writer.close() })
	return s
}

// perCall is the number of traces that the sampler passes on at once, at 3,000 kept spans per second.
const perCall = 12

// BenchmarkConsume measures the pipeline's cost, BenchmarkCommit the writer's.
func BenchmarkConsume(b *testing.B) {
	s := benchStore(b)
	td := tracetest.Shop(0, perCall)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		_, err := s.enqueue(b.Context(), td)
		require.NoError(b, err)
		n += perCall
		s.queue.take(commitBytes)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n)/1000, "µs/trace")
}

func BenchmarkCommit(b *testing.B) {
	for name, full := range map[string]int{"new": 0, "full": 20_000} { // traces in the file, which is also their limit
		b.Run(name, func(b *testing.B) {
			s := benchStore(b)
			n := 0
			store := func() {
				b.StopTimer()
				for range 10 {
					_, err := s.enqueue(b.Context(), tracetest.Shop(n, perCall))
					require.NoError(b, err)
					n += perCall
				}
				b.StartTimer()
				s.writer.drain()
			}
			for n < full {
				store()
			}
			if full > 0 {
				s.writer.close()
				s.writer.options.MaxBytes = s.writer.used.Load()
				s.writer.open()
			}
			b.ReportAllocs()
			b.ResetTimer()
			before := n
			for b.Loop() {
				store()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n-before)/1000, "µs/trace")
		})
	}
}

// BenchmarkStoreKept measures the whole cost of a kept span that arrives as wire bytes and was reconstructed upstream: the
// caller's work and the writer's, in a file with some traces, and in a full one.
func BenchmarkStoreKept(b *testing.B) {
	for name, maxBytes := range map[string]int64{"new": 1 << 40, "full": 256 << 20} {
		b.Run(name, func(b *testing.B) {
			k := newKeeper(b, maxBytes)
			for name == "full" && k.s.writer.used.Load() < maxBytes*9/10 {
				k.store(b)
			}
			b.ReportAllocs()
			b.ResetTimer()
			before := cpuTime(b)
			for b.Loop() {
				k.store(b)
			}
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N*len(k.kept.Spans)), "cpu-ns/span")
		})
	}
}

// keeper stores 100 traces at a time.
type keeper struct {
	s    *store
	ctx  context.Context
	kept *wire.Kept
	seq  uint64
}

func newKeeper(b *testing.B, maxBytes int64) *keeper {
	k := &keeper{s: benchStore(b)}
	k.s.writer.close()
	k.s.writer.options.MaxBytes = maxBytes
	k.s.writer.open()
	k.s.id = component.MustNewID("trace_store")
	k.ctx, k.kept = keptOf(b, "trace_store", tracetest.Shop(0, 100))
	batch := assemble.New(k.kept)
	for t := range k.kept.Traces {
		k.kept.Traces[t].Found = batch.Trace(t, assemble.Options{})
		k.kept.Traces[t].Marks = []wire.Attribute{wire.StringAttribute(attr.Policy, "rest")}
	}
	return k
}

// store stores different traces each time, of equal contents.
func (k *keeper) store(b *testing.B) {
	traces := k.kept.Traces
	for t := range traces {
		k.seq++
		binary.BigEndian.PutUint64(traces[t].ID[:], k.seq*0x9e3779b97f4a7c15)
		found := traces[t].Found.(*trace.Trace)
		ahead := uint64(len(traces)) * 4e6
		found.ID, found.Start, found.End = traces[t].ID, found.Start+ahead, found.End+ahead
	}
	c, err := k.s.enqueue(k.ctx, ptrace.NewTraces())
	require.NoError(b, err)
	k.s.writer.drain()
	<-c.done
	require.NoError(b, c.err)
}
