package count

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// benchRequests are 64 requests of 100 spans, each of one service out of 20 with 50 operations, 1 % of them errors.
func benchRequests(tb testing.TB, state string) (requests []*wire.Request, spans int) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 64 {
		service := fmt.Sprint("service-", rng.IntN(20))
		batch := make([]slitest.Span, 100)
		for i := range batch {
			batch[i] = slitest.Span{
				Service: service, Version: "1.4.2", Name: fmt.Sprintf("GET /api/v1/resource/%d", rng.IntN(50)),
				Resource: map[string]any{"deployment.environment.name": "prod", "host.name": "a", "k8s.pod.name": "b"},
				Kind:     ptrace.SpanKindServer, Duration: time.Duration(1e6 * (1 + rng.ExpFloat64()*50)),
				Attributes: map[string]any{"http.request.method": "GET", "http.route": "/api/v1/resource", "url.path": "/api/v1/resource/1",
					"http.response.status_code": int64(200), "server.address": "example.org"},
				State: state,
			}
			if rng.IntN(100) == 0 {
				batch[i].Status = ptrace.StatusCodeError
			}
		}
		requests = append(requests, slitest.Request(tb, slitest.Traces(tb, batch...)))
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
			c := New(limits, bb.objectives)
			for _, r := range requests {
				c.Count(r)
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				c.Count(requests[n%len(requests)])
				n++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*spans), "ns/span")
		})
	}
}
