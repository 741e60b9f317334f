package assemble_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/internal/lawtest"
	"github.com/slowburn/slowburn/processor/trace/tracetest"
)

// BenchmarkReconstruct reconstructs a batch of traces: one or many of the benchmark in bench/, and one with skewed clocks.
func BenchmarkReconstruct(b *testing.B) {
	for name, td := range map[string]ptrace.Traces{
		"one":    tracetest.Shop(0, 1),
		"many":   tracetest.Shop(0, 100),
		"skewed": lawtest.HonestTrace(rand.New(rand.NewPCG(1, 11)), 4, map[string]int64{"svc @ h1": int64(time.Second)}),
	} {
		k := lawtest.Kept(td)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				batch := assemble.New(k)
				for i := range k.Traces {
					batch.Trace(i, assemble.Options{})
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*td.SpanCount()), "ns/span")
		})
	}
}
