package tracestore

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/slowburn/slowburn/processor/tracestore/internal/metadata"
)

// benchStore is a store whose file is open and whose writer is the benchmark.
func benchStore(b *testing.B) *store {
	set := exportertest.NewNopSettings(metadata.Type)
	s, err := newStore(set, &Config{Directory: b.TempDir(), Retention: time.Hour, MaxBytes: 1 << 30})
	require.NoError(b, err)
	s.host = componenttest.NewNopHost()
	s.open()
	b.Cleanup(func() { s.close(); s.codec.close() })
	return s
}

// BenchmarkConsume is what the pipeline pays, per trace of 20 spans; BenchmarkCommit what the writer does beside.
func BenchmarkConsume(b *testing.B) {
	s := benchStore(b)
	td := spans(benchSpecs(1)...)
	b.ReportAllocs()
	for b.Loop() {
		_ = s.consume(b.Context(), td)
		s.queue.take(commitBytes)
	}
}

func BenchmarkCommit(b *testing.B) {
	s := benchStore(b)
	n := 0
	for b.Loop() {
		b.StopTimer()
		for range 200 {
			n++
			_ = s.consume(b.Context(), spans(benchSpecs(n)...))
		}
		b.StartTimer()
		s.drain()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/trace")
}

func benchSpecs(n int) (specs []spec) {
	for i := range 20 {
		specs = append(specs, spec{
			trace: n, id: i + 1, parent: i / 2, service: fmt.Sprint("s", i%6), name: fmt.Sprint("op", i),
			start: time.Duration(n+i) * time.Millisecond, duration: time.Second, policy: "rest",
		})
	}
	return specs
}
