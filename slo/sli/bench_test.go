package sli

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo"
)

// benchRequests are 64 requests of 100 spans, each of one service out of 20 with 50 operations, 1 % of them errors.
func benchRequests(tb testing.TB, state string) (requests []*wire.Request, spans int) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 64 {
		service := fmt.Sprint("service-", rng.IntN(20))
		batch := make([]testSpan, 100)
		for i := range batch {
			batch[i] = testSpan{
				service: service, version: "1.4.2", name: fmt.Sprintf("GET /api/v1/resource/%d", rng.IntN(50)),
				resource: map[string]any{"deployment.environment.name": "prod", "host.name": "a", "k8s.pod.name": "b"},
				kind:     ptrace.SpanKindServer, duration: time.Duration(1e6 * (1 + rng.ExpFloat64()*50)),
				attributes: map[string]any{"http.request.method": "GET", "http.route": "/api/v1/resource", "url.path": "/api/v1/resource/1",
					"http.response.status_code": int64(200), "server.address": "example.org"},
				state: state,
			}
			if rng.IntN(100) == 0 {
				batch[i].status = ptrace.StatusCodeError
			}
		}
		requests = append(requests, request(tb, traces(tb, batch...)))
	}
	return requests, 100
}

// benchObjectives are n that all select every span.
func benchObjectives(n int, attributes map[string]string) (objectives []slo.Objective) {
	for i := range n {
		o := slo.Objective{Name: fmt.Sprint("o", i), Indicator: slo.Indicator{Type: slo.Availability, Spans: slo.SpanSelector{Kind: "server", Attributes: attributes}}}
		if i%2 == 1 {
			o.Indicator.Type, o.Indicator.Threshold = slo.Latency, 100*time.Millisecond
		}
		objectives = append(objectives, o)
	}
	return objectives
}

func BenchmarkCount(b *testing.B) {
	for _, bb := range []struct {
		name       string
		objectives []slo.Objective
		state      string
	}{
		{"RED only", nil, ""},
		{"10 objectives", benchObjectives(10, nil), ""},
		{"10 objectives by attribute", benchObjectives(10, map[string]string{"http.route": "/api/v1/resource"}), ""},
		{"10 objectives by resource attribute", benchObjectives(10, map[string]string{"deployment.environment.name": "prod"}), ""},
		{"10 objectives, sampled upstream", benchObjectives(10, nil), "ot=th:c"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			requests, spans := benchRequests(b, bb.state)
			c := newCounter(createDefaultConfig().(*Config).Limits, bb.objectives)
			for _, r := range requests {
				c.count(r)
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				c.count(requests[n%len(requests)])
				n++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*spans), "ns/span")
		})
	}
}

// BenchmarkFlush flushes 10,000 operations, which is 20,000 RED series, and 20,000 of objectives.
func BenchmarkFlush(b *testing.B) {
	c := newCounter(Limits{Services: 100, Operations: 100, Versions: 1, Reasons: 1}, benchObjectives(1, nil))
	for s := range 100 {
		var batch []testSpan
		for o := range 100 {
			for d := range 30 {
				batch = append(batch, testSpan{service: fmt.Sprint(s), name: fmt.Sprint(o), kind: ptrace.SpanKindServer, duration: time.Millisecond << (d / 3)})
			}
		}
		c.count(request(b, traces(b, batch...)))
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
