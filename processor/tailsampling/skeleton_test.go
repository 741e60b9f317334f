package tailsampling

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/policy"
)

// Policies that ask how a trace hangs together read it from the log, whatever came between its spans.
func TestSkeletonIsReadFromTheLog(t *testing.T) {
	cfg := testConfig()
	cfg.Policies = []policy.Config{{Name: "orphans", Type: policy.Orphans, Section: &policy.OrphansConfig{}}}
	next := &sink{}
	p := start(t, cfg, next)
	const traces, spans = 60, 6
	want := map[pcommon.TraceID]bool{}
	for i := range spans {
		for n := range traces {
			if i == 1 && n%3 == 0 {
				want[traceID(n)] = true // spans 2 and 3 are its children
				continue
			}
			require.NoError(t, wireDoor(t, p, request(newSpan(n, i))))
		}
	}
	shutdown(t, p)
	got := map[pcommon.TraceID]bool{}
	for id := range next.traces() {
		got[id] = true
	}
	require.Equal(t, want, got)
}

// Of a trace that was trimmed spans are missing on purpose, which says nothing of it.
func TestTrimmedTraceHasNoSkeleton(t *testing.T) {
	cfg := testConfig()
	cfg.MaximumTraceSizeBytes = 4000
	cfg.Policies = []policy.Config{{Name: "orphans", Type: policy.Orphans, Section: &policy.OrphansConfig{}}}
	next := &sink{}
	p := start(t, cfg, next)
	for i := range 40 {
		s := newSpan(1, i)
		if i == 39 {
			s.span().SetParentSpanID(spanID(99))
			s.fail() // so that it is stored
		}
		require.NoError(t, wireDoor(t, p, request(s)))
	}
	st := p.sum()
	require.Positive(t, st.trimmed)
	shutdown(t, p)
	require.Zero(t, next.spans())
}

// A decision makes nothing where no skeleton is asked for, and for one no more than a few iterators.
func TestDecisionsAllocateLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool forgets at random")
	}
	for _, c := range []struct {
		policy policy.Config
		most   float64
	}{
		{policy.Config{Name: "errors", Type: policy.StatusCode, Section: &policy.StatusCodeConfig{StatusCodes: []string{"ERROR"}}}, 0},
		{policy.Config{Name: "orphans", Type: policy.Orphans, Section: &policy.OrphansConfig{}}, 5},
	} {
		t.Run(c.policy.Name, func(t *testing.T) {
			cfg := testConfig()
			cfg.NumShards, cfg.Policies = 1, []policy.Config{c.policy}
			p := start(t, cfg, &sink{})
			defer shutdown(t, p)
			for i := range 50 {
				require.NoError(t, wireDoor(t, p, request(newSpan(1, i))))
			}
			s := p.shards[0]
			s.mu.Lock()
			defer s.mu.Unlock()
			n := s.waiting.head
			e := s.entries.At(n)
			require.LessOrEqual(t, testing.AllocsPerRun(200, func() {
				s.rules.at(e).rules.set.Decide(s.trace(n, e, 1), nil)
			}), c.most)
		})
	}
}

// A decision for which a trace of 50 spans is read out of the log.
func BenchmarkDecideFromLog(b *testing.B) {
	cfg := testConfig()
	cfg.NumShards = 1
	cfg.Policies = []policy.Config{{Name: "orphans", Type: policy.Orphans, Section: &policy.OrphansConfig{}}}
	p := start(b, cfg, &sink{})
	defer shutdown(b, p)
	const spans = 50
	for i := range spans {
		require.NoError(b, wireDoor(b, p, request(newSpan(1, i))))
	}
	s := p.shards[0]
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.waiting.head
	e := s.entries.At(n)
	b.ReportAllocs()
	for b.Loop() {
		s.rules.at(e).rules.set.Decide(s.trace(n, e, 1), nil)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*spans), "ns/span")
}
