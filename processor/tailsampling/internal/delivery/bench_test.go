package delivery

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// taker is a next component that takes wire bytes and drops them.
type taker struct{}

func (taker) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (taker) ConsumeTraces(ctx context.Context, _ ptrace.Traces) error {
	wire.KeptOf(ctx).Take()
	return nil
}

// benchTrace returns a trace as SDKs send it.
func benchTrace(n, spans int) ptrace.Traces {
	td := ptrace.NewTraces()
	for i := range spans {
		if i%4 == 0 {
			rs := td.ResourceSpans().AppendEmpty()
			rs.Resource().Attributes().PutStr("service.name", fmt.Sprintf("service-%d", i/4))
			rs.Resource().Attributes().PutStr("service.instance.id", "0b8b2f7c-64c8-4d4f-bd4f-5b8f0e6b1f0a")
			rs.Resource().Attributes().PutStr("telemetry.sdk.name", "opentelemetry")
			rs.ScopeSpans().AppendEmpty().Scope().SetName("io.opentelemetry.http")
		}
		span := td.ResourceSpans().At(i / 4).ScopeSpans().At(0).Spans().AppendEmpty()
		span.SetTraceID(pcommon.TraceID{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), 9: 5, 15: 1})
		span.SetSpanID(pcommon.SpanID{byte(i + 1), 7})
		span.SetParentSpanID(pcommon.SpanID{byte(i), 7})
		span.SetName("GET /items/{id}")
		span.SetKind(ptrace.SpanKindServer)
		span.SetStartTimestamp(pcommon.Timestamp(1_700_000_000_000_000_000 + i*1000))
		span.SetEndTimestamp(span.StartTimestamp() + 1_000_000)
		for key, value := range map[string]string{
			"http.request.method": "GET", "url.path": "/items/1234", "http.route": "/items/{id}", "server.address": "shop.example.com",
			"user_agent.original": "Mozilla/5.0 (X11; Linux x86_64)",
		} {
			span.Attributes().PutStr(key, value)
		}
		span.Attributes().PutInt("http.response.status_code", 200)
	}
	return td
}

// BenchmarkSender measures the cost of a kept span between the log and the exporter.
func BenchmarkSender(b *testing.B) {
	const traces, spans = 400, 12
	s := newSetup(b, 1, asBytes("backend"))
	s.Next = taker{}
	s.Open(s.config, 1)
	sender := s.Senders()[0]
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		b.StopTimer()
		for i := range traces {
			s.add(benchTrace(n+i, spans))
		}
		s.decide()
		b.StartTimer()
		for range 10 {
			require.NoError(b, sender.fill())
			if len(sender.work) == 0 {
				break
			}
			p := sender.work[0]
			sender.settle(p, 0, sender.send(b.Context(), p))
		}
		n += traces * spans
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*traces*spans), "ns/span")
	require.EqualValues(b, n, s.Delivered())
	require.Equal(b, shard.Backlog{Oldest: shard.Never}, s.Destinations[0].Backlog())
	sender.memory.free()
	s.Buffer.Close()
}
