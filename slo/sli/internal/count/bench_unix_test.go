//go:build unix

package count

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/match"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// benchRequests are 64 requests of 100 spans, each of one service out of 20 with 50 operations, 1 % of them errors.
func benchRequests(tb testing.TB, state string) (requests []*wire.Request, spans int) {
	return benchTraffic(tb, state, 64, 20, 50)
}

// benchTraffic returns the given number of requests, of services and of operations each.
func benchTraffic(tb testing.TB, state string, n, services, operations int) (requests []*wire.Request, spans int) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range n {
		service := fmt.Sprint("service-", rng.IntN(services))
		batch := make([]slitest.Span, 100)
		for i := range batch {
			batch[i] = slitest.Span{
				Service: service, Version: "1.4.2", Name: fmt.Sprintf("GET /api/v1/resource/%d", rng.IntN(operations)),
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

// benchObjectives returns n objectives that select every span.
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

// patterns returns the n-th of the ways to select spans of the benchmark by regular expressions.
func patterns(n int) *match.Condition {
	like := func(pattern string) *match.Text { return &match.Text{Like: []string{pattern}} }
	return []*match.Condition{
		{Operation: like(`GET /api/v[12]/.*`)},
		{Attributes: map[string]match.Text{"http.route": *like(`/api/v\d/.*`)}},
		{Version: like(`1\..*`), Operation: &match.Text{NotLike: []string{`.*/health`}}},
		{Attributes: map[string]match.Text{"deployment.environment.name": *like(`prod|staging`)}},
		{Operation: like(`(GET|POST) .*`), Attributes: map[string]match.Text{"server.address": {NotLike: []string{`.*\.internal`}}}},
	}[n%5]
}

// serviceObjectives returns n objectives of one service each, of which some select by regular expressions too.
func serviceObjectives(n, regexes int) (objectives []slo.Objective) {
	for i, o := range benchObjectives(n, nil) {
		o.Indicator.Spans.Service = fmt.Sprint("service-", i%20)
		if i < regexes {
			o.Indicator.Spans.Where = patterns(i)
		}
		objectives = append(objectives, o)
	}
	return objectives
}

// manyObjectives returns n objectives of all spans, of which some select by regular expressions.
func manyObjectives(n, regexes int) (objectives []slo.Objective) {
	for i, o := range benchObjectives(n, nil) {
		if i < regexes {
			o.Indicator.Spans.Where = patterns(i)
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
		marks      int // for an objective and minute
	}{
		{"RED only", nil, "", 0},
		{"10 objectives", benchObjectives(10, nil), "", 0},
		{"10 objectives with exemplars", benchObjectives(10, nil), "", 10},
		{"10 objectives by attribute", benchObjectives(10, map[string]string{"http.route": "/api/v1/resource"}), "", 0},
		{"10 objectives by resource attribute", benchObjectives(10, map[string]string{"deployment.environment.name": "prod"}), "", 0},
		{"10 objectives, sampled upstream", benchObjectives(10, nil), "ot=th:c", 0},
		{"1 objective", benchObjectives(1, nil), "", 0},
		{"20 objectives of services, 5 with regexes", serviceObjectives(20, 5), "", 0},
		{"20 objectives of all spans, 5 with regexes", manyObjectives(20, 5), "", 0},
	} {
		b.Run(bb.name, func(b *testing.B) {
			requests, spans := benchRequests(b, bb.state)
			c := New(limits, bb.objectives, nil)
			for _, r := range requests {
				c.Count(r, RequestID{}, 0)
			}
			b.ReportAllocs()
			before := cpuTime(b)
			n := 0
			for b.Loop() {
				Marking(c, requests[n%len(requests)], RequestID{}, 0, bb.marks)
				n++
			}
			b.ReportMetric(float64(cpuTime(b)-before)/float64(n*spans), "cpu-ns/span")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*spans), "ns/span")
		})
	}
}

// BenchmarkManyNames counts spans of 200 services with 1,000 names each, in requests outside the CPU cache, from GOMAXPROCS
// goroutines. It includes the cost of folding. cpu-ns/span is the process's CPU time, which is more meaningful than wall time on
// a shared machine.
func BenchmarkManyNames(b *testing.B) {
	for _, bb := range []struct {
		name       string
		services   int
		operations int
		objectives int
	}{{"few", 2, 5, 0}, {"200x1000", 200, 1000, 0}, {"200x1000 2 objectives", 200, 1000, 2}} {
		b.Run(bb.name, func(b *testing.B) {
			requests, spans := benchTraffic(b, "", 4096, bb.services, bb.operations)
			c := New(Limits{Services: 200, Operations: 1000, Versions: 20, Reasons: 30}, benchObjectives(bb.objectives, nil), nil)
			for _, r := range requests {
				c.Count(r, RequestID{}, 0)
			}
			var next atomic.Int64
			b.ReportAllocs()
			before := cpuTime(b)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				n := int(next.Add(1)) * 997
				for pb.Next() {
					c.Count(requests[n%len(requests)], RequestID{}, 0)
					n++
				}
			})
			b.StopTimer()
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N*spans), "cpu-ns/span")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*spans), "ns/span")
		})
	}
}

// cpuTime returns the CPU time of the process.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Skip(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
