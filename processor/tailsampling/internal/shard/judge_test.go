package shard

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/policy"
)

// waiting returns a shard in which trace 1 with 50 spans waits for its decision.
func waiting(t testing.TB, p policy.Config) (*Shard, slot) {
	s, _ := newShard(t, &Shared{Waits: Waits{Decision: time.Hour}}, p)
	for i := range 50 {
		add(s, requestOf(t, testSpan{trace: 1, root: i == 0}), s.versions.Current(), 0)
	}
	return s, s.queues.waiting.Head()
}

// A decision without a skeleton allocates nothing, and one with a skeleton a few iterators at most.
func TestDecisionsAllocateLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool forgets at random")
	}
	for name, most := range map[string]float64{"errors": 0, "orphans": 5} {
		t.Run(name, func(t *testing.T) {
			s, n := waiting(t, policies[name])
			require.LessOrEqual(t, testing.AllocsPerRun(200, func() { s.judge.ask(n, 1) }), most)
			require.Zero(t, testing.AllocsPerRun(200, func() { s.judge.rankOf(n, 1) }))
		})
	}
}

// BenchmarkAskFromLog is a decision that reads a trace of 50 spans from the log.
func BenchmarkAskFromLog(b *testing.B) {
	s, n := waiting(b, policies["orphans"])
	b.ReportAllocs()
	for b.Loop() {
		s.judge.ask(n, 1)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*50), "ns/span")
}
