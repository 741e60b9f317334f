package shard

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/intake"
)

// BenchmarkTraces accepts requests of 100 traces of one span each, which leave by decision_wait while 50,000 others wait.
func BenchmarkTraces(b *testing.B) {
	const perRequest, waits = 100, 500
	s, _ := newShard(b, &Shared{Waits: Waits{Decision: waits * time.Millisecond}, Seed: index.Seed{1, 2}}, policies["errors"])
	spans := make([]testSpan, perRequest)
	r := requestOf(b, spans...)
	v := s.versions.Current()
	id, now := uint64(0), clock.Monotonic(0)
	b.ReportAllocs()
	for b.Loop() {
		for i := range r.Spans {
			id++
			binary.BigEndian.PutUint64(r.Spans[i].TraceID[:], id*0x9e3779b97f4a7c15)
		}
		now += clock.Monotonic(time.Millisecond)
		var in intake.Request
		in.Prepare(r, v, s.shared.Seed, 1)
		s.Lock()
		for _, spans := range in.ByShard {
			for _, i := range spans {
				s.Add(&in, i, now)
			}
		}
		s.Review(now)
		s.EndVisit()
		s.Unlock()
		s.Lock()
		s.Due(now)
		s.EndVisit()
		s.Unlock()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*perRequest), "ns/trace")
}
