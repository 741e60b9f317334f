package trace

import (
	"math/rand/v2"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/trace/tracetest"
)

// BenchmarkReconstruct is one trace: of the benchmark in bench/, and one whose clocks are off.
func BenchmarkReconstruct(b *testing.B) {
	for name, td := range map[string]ptrace.Traces{
		"shop":   tracetest.Shop(0, 1),
		"skewed": honestTrace(rand.New(rand.NewPCG(1, 11)), 4, map[string]int64{"svc @ h1": int64(time.Second)}),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				only(td, Options{})
			}
			b.ReportMetric(float64(td.SpanCount()), "spans")
		})
	}
}

// BenchmarkGroup is a batch of 12 traces.
func BenchmarkGroup(b *testing.B) {
	td := tracetest.Shop(0, 12)
	b.ReportAllocs()
	for b.Loop() {
		Group(td)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/12/1000, "µs/trace")
}
