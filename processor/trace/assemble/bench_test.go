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

// BenchmarkReconstruct is one trace: of the benchmark in bench/, and one whose clocks are off.
func BenchmarkReconstruct(b *testing.B) {
	for name, td := range map[string]ptrace.Traces{
		"shop":   tracetest.Shop(0, 1),
		"skewed": lawtest.HonestTrace(rand.New(rand.NewPCG(1, 11)), 4, map[string]int64{"svc @ h1": int64(time.Second)}),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				lawtest.Only(td, assemble.Options{})
			}
			b.ReportMetric(float64(td.SpanCount()), "spans")
		})
	}
}
