//go:build unix

package count

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// BenchmarkNames counts spans of services with 1,000 names each. A few requests repeat, each time with another service and other
// span names, so that the requests are in the CPU cache and the series are not: it measures counting, plus a little for the
// renaming.
func BenchmarkNames(b *testing.B) {
	for _, bb := range []struct{ services, objectives int }{{1, 0}, {20, 0}, {200, 0}, {200, 2}} {
		b.Run(fmt.Sprint(bb.services, "x1000, ", bb.objectives, " objectives"), func(b *testing.B) {
			const names = 1000
			c := New(Limits{Services: 200, Operations: names, Versions: 20, Reasons: 30}, benchObjectives(bb.objectives, nil), nil)
			var traffic []*renamed
			for seed := range runtime.GOMAXPROCS(0) {
				traffic = append(traffic, newRenamed(b, bb.services, names, uint64(seed)))
			}
			traffic[0].all(func(r *wire.Request) { c.Count(r, RequestID{}, 0) })
			runtime.GC()
			var next atomic.Int64
			b.ReportAllocs()
			before := cpuTime(b)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				r := traffic[next.Add(1)-1]
				for pb.Next() {
					c.Count(r.next(), RequestID{}, 0)
				}
			})
			b.StopTimer()
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N*100), "cpu-ns/span")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*100), "ns/span")
		})
	}
}

// renamed holds requests of 100 spans that repeat under other names.
type renamed struct {
	service  []byte // the end of the service's name
	services uint64
	names    []wire.Range // of spans
	requests []wire.Request
	rng      *rand.PCG
	n        int
}

// The durations are between these bounds.
const least, most = time.Millisecond, 200 * time.Millisecond

func newRenamed(tb testing.TB, services, names int, seed uint64) *renamed {
	rng := rand.New(rand.NewPCG(seed, 3))
	spans := make([]slitest.Span, 800)
	for i := range spans {
		spans[i] = slitest.Span{
			Service: "service-AA", Version: "1.4.2", Name: "GET", Kind: ptrace.SpanKindServer,
			Duration: time.Duration(float64(least) * math.Pow(float64(most)/float64(least), rng.Float64())),
		}
	}
	all := slitest.Request(tb, slitest.Traces(tb, spans...))
	r := &renamed{services: uint64(services), rng: rand.NewPCG(seed, 4)}
	for i := range names {
		begin := len(all.Bytes)
		all.Bytes = fmt.Appendf(all.Bytes, "GET /api/v1/resource/%d", i)
		r.names = append(r.names, wire.Range{Off: uint32(begin), End: uint32(len(all.Bytes))})
	}
	at := bytes.Index(all.Bytes, []byte("service-AA"))
	r.service = all.Bytes[at+8 : at+10]
	for some := range slices.Chunk(all.Spans, 100) {
		r.requests = append(r.requests, wire.Request{Bytes: all.Bytes, Resources: all.Resources, Scopes: all.Scopes, Spans: some})
	}
	return r
}

// all calls count with every name: first with the least and the largest duration, which allocates the buckets, and then up to 60
// times with others, so that rare work does not fall together in all series.
func (r *renamed) all(count func(*wire.Request)) {
	for service := range r.services {
		r.rename(service)
		for names := range slices.Chunk(r.names, 100) {
			for n := range 2 + r.rng.Uint64()%60 {
				request := r.requests[n%uint64(len(r.requests))]
				if n < 2 {
					request.Spans = slices.Clone(request.Spans)
				}
				for i, name := range names {
					s := &request.Spans[i]
					if s.Name = name; n < 2 {
						s.End = s.Start + uint64([]time.Duration{least, most}[n])
					}
				}
				count(&request)
			}
		}
	}
}

func (r *renamed) rename(service uint64) {
	r.service[0], r.service[1] = 'A'+byte(service%16), 'A'+byte(service/16)
}

// next returns a request that is valid until the next call.
func (r *renamed) next() *wire.Request {
	r.rename(r.rng.Uint64() % r.services)
	r.n++
	request := &r.requests[r.n%len(r.requests)]
	for i := range request.Spans {
		request.Spans[i].Name = r.names[(r.rng.Uint64()>>32)*uint64(len(r.names))>>32]
	}
	return request
}
