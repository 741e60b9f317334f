package tailsampling

import (
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// BenchmarkFacts measures what it costs to look at the tree of each trace, with 1 % of the traces kept and a buffer of eight times
// memory_budget: nearly all decisions are about spans that left memory. none is without such a policy; facts reads facts, spans the spans
// themselves. The bar is cpu-ns/span of facts, 350 above none at most. Traces are over at once, or last 0.4 s at 100,000 spans/s.
//
//	go test -run '^$' -bench Facts -benchtime 5000x -count 5 ./processor/tailsampling
func BenchmarkFacts(b *testing.B) {
	for _, traces := range []struct {
		name string
		lag  uint64
	}{{"short", 0}, {"long", 40 * tracesPerRequest}} {
		for _, read := range []string{"none", "facts", "spans"} {
			b.Run(traces.name+"/"+read, func(b *testing.B) { benchFacts(b, traces.lag, read) })
		}
	}
}

func benchFacts(b *testing.B, lag uint64, read string) {
	cfg := testConfig()
	cfg.Storage, cfg.NumShards, cfg.MemoryBudget, cfg.DiskBudget, cfg.DecisionWait = storageDisk, 2, 64<<20, 2<<30, time.Hour
	cfg.DecisionWaitAfterRootReceived, cfg.ReviveWindow = 0, 0
	cfg.Policies = []policy.Config{{Name: "rest", Type: policy.Probabilistic, Section: &policy.ProbabilisticConfig{SamplingPercentage: 1}}}
	if read != "none" {
		modes := []any{"intermediary", "server_failed", "response_lost"} // of which the load has none
		cfg.Policies = append(cfg.Policies, policy.Config{Name: "modes", Type: "failure_mode", Rest: map[string]any{"failure_mode": map[string]any{"modes": modes}}})
	}
	var p *Sampler
	if read == "spans" {
		p = startSpied(b, cfg, consumertest.NewNop(), true, &reads{})
	} else {
		p = start(b, cfg, consumertest.NewNop())
	}
	l := newLoadOf(b, func(s ptrace.Span, i int) { s.SetKind(ptrace.SpanKind(2 + i%2)) })
	l.lag, l.patient = lag, true // the disk may be slow
	send := func() {
		l.send(b, p)
		for p.buffer.Pool.Pressure() > 0.85 { // or traces are decided early, and the buffer shrinks
			time.Sleep(time.Millisecond)
		}
	}
	for p.buffer.Pool.Disk() < 8*int64(cfg.MemoryBudget) {
		send()
	}
	most := p.buffer.Pending.Load() / int64(len(p.buffer.Members))
	runtime.GC()
	before, spans := cpuTime(), 0
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		send()
		spans += l.spans
		for _, m := range p.buffer.Members {
			now := p.buffer.Now()
			m.Lock()
			for m.Tally().Stats.Pending > most {
				m.DecideEarly(shard.Failed, decision.ByWait, now)
			}
			p.buffer.Leave(m)
		}
	}
	b.ReportMetric(float64(cpuTime()-before)/float64(spans), "cpu-ns/span")
	b.ReportMetric(float64(p.buffer.Pool.Disk())/float64(cfg.MemoryBudget), "budgets")
	usage := p.buffer.Usage()
	b.ReportMetric(float64(usage.Cold)/float64(usage.Segments), "cold")
	require.NoError(b, p.Shutdown(b.Context()))
}

// cpuTime is what the process has used of the processors, in nanoseconds.
func cpuTime() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it cannot fail
	return u.Utime.Nano() + u.Stime.Nano()
}
