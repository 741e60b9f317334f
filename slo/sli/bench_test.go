package sli

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/count"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// BenchmarkFlush flushes 10,000 operations, which is 20,000 RED series, and 20,000 of objectives.
func BenchmarkFlush(b *testing.B) {
	c := count.New(count.Limits{Services: 100, Operations: 100, Versions: 1, Reasons: 1},
		[]slo.Objective{{Name: "o", Indicator: slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{Kind: "server"}}}})
	for s := range 100 {
		var batch []slitest.Span
		for o := range 100 {
			for d := range 30 {
				batch = append(batch, slitest.Span{Service: fmt.Sprint(s), Name: fmt.Sprint(o), Kind: ptrace.SpanKindServer, Duration: time.Millisecond << (d / 3)})
			}
		}
		c.Count(slitest.Request(b, slitest.Traces(b, batch...)))
	}
	f := newFlusher(c, consumertest.NewNop(), pcommon.NewResource(), createDefaultConfig().(*Config), midnight)
	at := midnight.UnixMilli()
	b.ReportAllocs()
	for b.Loop() {
		at += 10_000
		r, err := f.flush(context.Background(), at)
		require.NoError(b, err)
		require.Equal(b, 40_000, r.series)
	}
}
