package text_test

import (
	"testing"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/internal/wiretest"
	"github.com/slowburn/slowburn/internal/wire/text"
)

func BenchmarkValid(b *testing.B) {
	const spans = 12
	var r wire.Request
	if err := r.Scan(wiretest.Marshal(wiretest.Realistic(spans))); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range r.Spans {
			if !text.ValidSpan(r.Spans[i].Body.Of(r.Bytes)) {
				b.Fatal("not valid")
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*spans), "ns/span")
}
