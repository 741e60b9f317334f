package trace_test

import (
	"testing"

	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/tracetest"
)

// BenchmarkGroup is a batch of 12 traces.
func BenchmarkGroup(b *testing.B) {
	td := tracetest.Shop(0, 12)
	b.ReportAllocs()
	for b.Loop() {
		trace.Group(td)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/12/1000, "µs/trace")
}
