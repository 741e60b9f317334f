package tailsampling

import (
	"context"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/metadata"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// spiedLog is a log that counts what decisions read of it or, if off is set, has no facts.
type spiedLog struct {
	shard.Log
	off bool
	*reads
}

// reads counts the spans of which decisions read the facts.
type reads struct{ facts atomic.Int64 }

func (l spiedLog) AppendWithFact(c *spanlog.Chain, o *spanlog.Origin, body []byte, f *spanlog.Fact, identify spanlog.Identify) {
	if l.off {
		l.Append(c, o, body)
		return
	}
	l.Log.AppendWithFact(c, o, body, f, identify)
}

func (l spiedLog) Facts(c spanlog.Chain, yield func(*spanlog.Fact, *spanlog.Identity)) bool {
	if l.off {
		return false
	}
	return l.Log.Facts(c, func(f *spanlog.Fact, id *spanlog.Identity) {
		l.facts.Add(1)
		yield(f, id)
	})
}

// startSpied is start, with the logs of the shards spied on.
func startSpied(t testing.TB, cfg *Config, next consumer.Traces, off bool, r *reads) *Sampler {
	require.NoError(t, cfg.Validate())
	p, err := newSampler(processortest.NewNopSettings(metadata.Type), cfg, next, nil)
	require.NoError(t, err)
	journals := make([]shard.Journal, len(p.buffer.Members))
	for i, m := range p.buffer.Members {
		journals[i] = shard.NoJournal{}
		m.Before = func(j shard.Journal) shard.Journal { journals[i] = j; return j }
	}
	require.NoError(t, p.Start(context.Background(), componenttest.NewNopHost()))
	if p.store != nil {
		p.store.Wait()
	}
	for i, m := range p.buffer.Members {
		m.Lock()
		m.Open(spiedLog{m.Log, off, r}, journals[i])
		m.Unlock()
	}
	return p
}

// makeCold moves all segments that are full out of memory, or compresses them.
func makeCold(t testing.TB, p *Sampler, pack bool) {
	for _, m := range p.buffer.Members {
		for {
			m.Lock()
			w := m.Log.BeginShrink(pack, false)
			m.Unlock()
			if w == nil {
				break
			}
			w.Run()
			m.Lock()
			_, err := m.Log.EndShrink(w)
			m.Unlock()
			require.NoError(t, err)
			w.Free()
		}
	}
}

// treePolicies are policies that look at the tree, one for each thing that they can see.
func treePolicies() (list []policy.Config) {
	for _, mode := range []string{
		"never_sent", "unobserved_peer", "intermediary", "server_failed", "response_lost", "server_still_working", "caller_error", "retries", "duplicate_work",
	} {
		list = append(list, policy.Config{Name: mode, Type: "failure_mode", Rest: map[string]any{"failure_mode": map[string]any{"modes": []any{mode}}}})
	}
	return append(list,
		policy.Config{Name: "twice retried", Type: "retries", Rest: map[string]any{"retries": map[string]any{"min": 2}}},
		policy.Config{Name: "slow", Type: "critical_path_ms", Rest: map[string]any{"critical_path_ms": map[string]any{"threshold_ms": 15, "service": "service-2"}}},
		policy.Config{Name: "slow root", Type: "critical_path_ms", Rest: map[string]any{"critical_path_ms": map[string]any{"threshold_ms": 40}}},
		policy.Config{Name: "broken", Type: policy.Orphans, Section: &policy.OrphansConfig{Min: 2}})
}

// randomTree makes the n-th trace: calls that fail in all ways, are repeated, or lack one side.
func randomTree(rnd *rand.Rand, n int) (spans []spanOf) {
	for i := range 1 + rnd.IntN(16) {
		if i > 0 && rnd.IntN(15) == 0 {
			continue // it did not arrive
		}
		s := newSpan(n, i)
		span := s.span()
		span.SetKind(ptrace.SpanKind(rnd.IntN(6)))
		if rnd.IntN(4) > 0 {
			span.SetKind([]ptrace.SpanKind{ptrace.SpanKindServer, ptrace.SpanKindClient}[bits.Len(uint(i))%2]) // callers and called take turns
		}
		span.SetName(fmt.Sprintf("operation %d", rnd.IntN(3)))
		span.SetStartTimestamp(pcommon.Timestamp(epoch + uint64(n)*1e9 + uint64(rnd.IntN(50))*1e6))
		span.SetEndTimestamp(span.StartTimestamp() + pcommon.Timestamp(rnd.IntN(60))*1e6)
		if rnd.IntN(4) > 0 {
			span.Attributes().Remove("http.response.status_code")
		}
		if rnd.IntN(3) == 0 {
			s.fail()
			span.Attributes().PutStr("error.type", []string{"ECONNREFUSED", "timeout", "500"}[rnd.IntN(3)])
			span.Attributes().PutInt("http.response.status_code", []int64{0, 0, 0, 0, 404, 502, 504}[rnd.IntN(7)])
		}
		if rnd.IntN(4) == 0 {
			span.Attributes().PutStr("network.peer.address", "10.1.2.3")
		}
		if rnd.IntN(12) == 0 {
			span.Attributes().PutInt("http.request.resend_count", int64(rnd.IntN(3)))
		}
		if rnd.IntN(40) == 0 {
			span.SetKind(77) // it has no facts
		}
		spans = append(spans, s)
	}
	return spans
}

// Decisions are the same whether they read facts or spans: in memory and on disk, of segments that left memory or are compressed, after a
// restart, and with another number of shards.
func TestFactsDecideAsSpansDo(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 4))
	const traces = 400
	var spans []spanOf
	for n := range traces {
		spans = append(spans, randomTree(rnd, n)...)
	}
	var (
		want      map[pcommon.TraceID][]byte
		wantVotes []map[string]bool // by trace: the policies that matched it
	)
	for _, c := range []struct {
		name             string
		storage          string
		off, cold, pack  bool
		restart, reshard bool
	}{
		{name: "spans", storage: storageMemory, off: true},
		{name: "memory", storage: storageMemory},
		{name: "memory, compressed", storage: storageMemory, cold: true, pack: true},
		{name: "disk", storage: storageDisk},
		{name: "disk, cold spans", storage: storageDisk, off: true, cold: true},
		{name: "disk, cold", storage: storageDisk, cold: true},
		{name: "disk, compressed", storage: storageDisk, cold: true, pack: true},
		{name: "restart", storage: storageDisk, restart: true},
		{name: "restart, cold", storage: storageDisk, restart: true, cold: true, pack: true},
		{name: "restart with other shards", storage: storageDisk, restart: true, reshard: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig()
				cfg.Storage, cfg.Policies = c.storage, treePolicies()
				var r reads
				sinks := []*sink{{}}
				p := startSpied(t, cfg, sinks[0], c.off, &r)
				rnd := rand.New(rand.NewPCG(1, 1))
				for i, batch := range slices.Collect(slices.Chunk(shuffled(rnd, spans), 50)) {
					require.NoError(t, wireDoor(t, p, request(batch...)))
					if c.cold && i%10 == 0 {
						makeCold(t, p, c.pack)
					}
					if c.restart && i == 20 {
						synctest.Wait()
						next := crash(t, cfg)
						end(t, p)
						if c.reshard {
							next.NumShards = 3
						}
						cfg = next
						sinks = append(sinks, &sink{})
						p = startSpied(t, cfg, sinks[1], c.off, &r)
						require.Zero(t, p.store.Lost.Load())
						require.Zero(t, p.store.TornTails.Load())
					}
				}
				if c.cold {
					makeCold(t, p, c.pack)
					require.Positive(t, p.buffer.Usage().Cold)
				}
				time.Sleep(cfg.DecisionWait + time.Second)
				votes, matched := make([]map[string]bool, traces), map[string]int{}
				for n := range traces {
					explained, known := p.Explain(traceID(n))
					require.True(t, known)
					votes[n] = map[string]bool{}
					for _, v := range explained.Votes {
						if votes[n][v.Name] = v.Matched; v.Matched {
							matched[v.Name]++
						}
					}
				}
				shutdown(t, p)
				got := map[pcommon.TraceID][]byte{}
				for _, s := range sinks {
					for id, parts := range s.traces() {
						require.Len(t, parts, 1)
						got[id] = marshal(t, parts[0])
					}
				}
				if want == nil {
					want, wantVotes = got, votes
					for _, one := range cfg.Policies {
						require.Greater(t, matched[one.Name], 3, "%s hardly tells traces apart", one.Name)
						require.Less(t, matched[one.Name], traces-3, "%s hardly tells traces apart", one.Name)
					}
					require.Greater(t, len(want), traces/4)
					require.Less(t, len(want), traces)
				}
				require.Equal(t, wantVotes, votes)
				require.Equal(t, len(want), len(got))
				require.Equal(t, want, got)
				switch facts := int(r.facts.Load()); {
				case c.off:
					require.Zero(t, facts)
				case c.restart:
					require.Positive(t, facts)
				default:
					require.Greater(t, facts, len(spans)*2/3, "decisions read facts")
				}
			})
		})
	}
}
