package sli

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/count"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// BenchmarkFlush flushes 10,000 operations, which is 20,000 RED series, and 20,000 of objectives.
func BenchmarkFlush(b *testing.B) {
	c := count.New(count.Limits{Services: 100, Operations: 100, Versions: 1, Reasons: 1},
		[]slo.Objective{{Name: "o", Indicator: slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{Kind: "server"}}}}, nil)
	for s := range 100 {
		var batch []slitest.Span
		for o := range 100 {
			for d := range 30 {
				batch = append(batch, slitest.Span{Service: fmt.Sprint(s), Name: fmt.Sprint(o), Kind: ptrace.SpanKindServer, Duration: time.Millisecond << (d / 3)})
			}
		}
		c.Count(slitest.Request(b, slitest.Traces(b, batch...)), count.RequestID{}, 0)
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

// BenchmarkDoors passes a request of 100 spans on to a stage that reads the wire bytes, as the sampler does.
func BenchmarkDoors(b *testing.B) {
	var spans []slitest.Span
	for i := range 100 {
		spans = append(spans, slitest.Span{Service: "shop", Name: fmt.Sprint("op", i%10), Kind: ptrace.SpanKindServer, Duration: time.Millisecond,
			Attributes: map[string]any{"http.request.method": "GET", "http.route": "/api/v1/resource", "http.response.status_code": int64(200)}})
	}
	td := slitest.Traces(b, spans...)
	wired := wire.NewContext(b.Context(), slitest.Request(b, td))
	next, err := consumer.NewTraces(func(ctx context.Context, td ptrace.Traces) error {
		_, release, err := wire.Of(ctx, td)
		if err == nil {
			release()
		}
		return err
	})
	require.NoError(b, err)
	for _, door := range []struct {
		name     string
		ctx      context.Context
		td       ptrace.Traces
		wirePath bool
	}{
		{"wire", wired, ptrace.NewTraces(), true},
		{"decoded, handed on", b.Context(), td, true},
		{"decoded, read again", b.Context(), td, false},
	} {
		b.Run(door.name, func(b *testing.B) {
			p := newPair(b, withWirePath(door.wirePath), next, consumertest.NewNop())
			p.start(b)
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, p.passing.ConsumeTraces(door.ctx, door.td))
			}
			p.shutdown(b)
		})
	}
}
