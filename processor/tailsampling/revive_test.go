package tailsampling

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/budget"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
)

// reviving is a configuration with a window as long as the wait for a decision.
func reviving(cfg *Config) *Config {
	cfg.ReviveWindow = cfg.DecisionWait
	return cfg
}

// slow makes a span take two seconds.
func (s spanOf) slow() spanOf {
	s.span().SetEndTimestamp(s.span().StartTimestamp() + 2e9)
	return s
}

// attributesOf counts the values that an attribute has in spans.
func attributesOf(td ptrace.Traces, key string) map[string]int {
	got := map[string]int{}
	for _, s := range spansOf(td) {
		if v, ok := s.Attributes().Get(key); ok {
			got[v.AsString()]++
		}
	}
	return got
}

// A late error, and a late root that shows the duration, revive the whole trace, with the threshold that it now has.
func TestRevival(t *testing.T) { withEitherStorage(t, testRevival) }

func testRevival(t *testing.T) {
	for name, late := range map[string]func() []spanOf{
		"errors": func() []spanOf { return []spanOf{newSpan(1, 0).fail(), newSpan(1, 7)} },
		"slow":   func() []spanOf { return []spanOf{newSpan(1, 7), newSpan(1, 0).slow()} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := reviving(testConfig())
				cfg.Policies = cfg.Policies[:2]
				cfg.DecisionWaitAfterRootReceived = time.Second
				var next sink
				p := start(t, cfg, &next)
				require.NoError(t, wireDoor(t, p, request(newTrace(1, 5, false)[1:]...)))
				time.Sleep(cfg.DecisionWait + time.Second)
				require.Equal(t, int64(1), p.Status().Decided.NotSampled)
				require.Equal(t, int64(1), p.Status().TracesRevivable)
				require.Equal(t, int64(4), p.Status().SpansBuffered)
				require.NoError(t, wireDoor(t, p, request(newSpan(1, 6)))) // changes nothing
				time.Sleep(time.Second)
				require.Empty(t, next.traces())

				require.NoError(t, pdataDoor(t, p, request(late()...)))
				time.Sleep(time.Second)
				require.Len(t, next.traces()[traceID(1)], 1)
				whole := next.traces()[traceID(1)][0]
				require.Len(t, spansOf(whole), 7, "with all that came with the late one")
				assert.Equal(t, map[string]int{name: 7}, attributesOf(whole, attr.Policy))
				assert.Empty(t, attributesOf(whole, attr.CachedDecision))
				for _, s := range spansOf(whole) {
					assert.Equal(t, "ot=th:0,vendor=a,other=b", s.TraceState().AsRaw())
				}
				st := p.Status()
				assert.Equal(t, int64(1), sum(p).Triggers[decision.ByRevival])
				assert.Equal(t, Decided{Sampled: 1, NotSampled: 1}, st.Decided)
				assert.Equal(t, LateSpans{Kept: 3}, st.LateSpans)
				assert.Zero(t, st.TracesRevivable)
				assert.Zero(t, st.SpansBuffered)

				require.NoError(t, wireDoor(t, p, request(newSpan(1, 8)))) // late as before
				time.Sleep(time.Second)
				require.Len(t, next.traces()[traceID(1)], 2)
				assert.Equal(t, map[string]int{"true": 1}, attributesOf(next.traces()[traceID(1)][1], attr.CachedDecision))
				shutdown(t, p)
			})
		})
	}
}

// After the window a trace is gone, and its spans that were late within the window count like later ones.
func TestReviveWindowEnds(t *testing.T) { withEitherStorage(t, testReviveWindowEnds) }

func testReviveWindowEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := reviving(keepErrors(testConfig()))
		var next sink
		p := start(t, cfg, &next)
		require.NoError(t, wireDoor(t, p, request(newTrace(1, 3, false)...)))
		time.Sleep(cfg.DecisionWait + time.Second)
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 3))))
		require.Zero(t, p.Status().LateSpans)
		time.Sleep(cfg.ReviveWindow - 2*time.Second)
		require.Equal(t, int64(4), p.Status().SpansBuffered)
		time.Sleep(2 * time.Second)
		require.Zero(t, p.Status().SpansBuffered)
		require.Zero(t, p.Status().TracesRevivable)
		require.Equal(t, LateSpans{Dropped: 1}, p.Status().LateSpans)
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 4).fail())))
		require.Equal(t, LateSpans{Dropped: 2, ErrorsDropped: 1}, p.Status().LateSpans)
		time.Sleep(time.Minute)
		require.Empty(t, next.traces())
		shutdown(t, p)
	})
}

// A trace that a drop policy dropped, or would drop on revival, is not revived; and a late span that matches no policy gives the
// trace no second draw.
func TestTracesThatAreNotRevived(t *testing.T) { withEitherStorage(t, testTracesThatAreNotRevived) }

func testTracesThatAreNotRevived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := reviving(testConfig())
		cfg.Policies = append(cfg.Policies[:1:1], policy.Config{Name: "noise", Type: policy.Drop, Section: &policy.DropConfig{
			SubPolicies: []policy.Config{serviceIs("quiet", "service-3")},
		}})
		var next sink
		p := start(t, cfg, &next)
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 3), newSpan(2, 0))))
		time.Sleep(cfg.DecisionWait + time.Second)
		require.Equal(t, int64(1), p.Status().TracesRevivable, "but not the one that was dropped")
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 0).fail(), newSpan(2, 3))))
		require.NoError(t, wireDoor(t, p, request(newSpan(2, 1).fail())))
		time.Sleep(time.Minute)
		require.Empty(t, next.traces())
		require.Equal(t, LateSpans{Dropped: 3, ErrorsDropped: 1}, p.Status().LateSpans, "the second trace was not sampled")
		shutdown(t, p)
	})
}

// The threshold of a revived trace is that of the decision that revived it, and one that its randomness passes.
func TestThresholdOfRevivedTraces(t *testing.T) { withEitherStorage(t, testThresholdOfRevivedTraces) }

func testThresholdOfRevivedTraces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := reviving(testConfig())
		some := policy.Config{Name: "half", Type: policy.Probabilistic, Section: &policy.ProbabilisticConfig{SamplingPercentage: 50}}
		cfg.Policies = []policy.Config{{Name: "half of the errors", Type: policy.And, Section: &policy.AndConfig{
			SubPolicies: []policy.Config{cfg.Policies[0], some},
		}}}
		var next sink
		p := start(t, cfg, &next)
		const traces = 200
		for n := range traces {
			require.NoError(t, wireDoor(t, p, request(newSpan(n, 0))))
		}
		time.Sleep(cfg.DecisionWait + time.Second)
		for n := range traces {
			require.NoError(t, wireDoor(t, p, request(newSpan(n, 1).fail())))
		}
		time.Sleep(time.Second)
		got := next.traces()
		require.InDelta(t, traces/2, len(got), 30)
		for id, parts := range got {
			require.GreaterOrEqual(t, id[9], byte(0x80))
			for _, s := range spansOf(parts[0]) {
				require.Equal(t, "ot=th:8,vendor=a,other=b", s.TraceState().AsRaw())
			}
		}
		require.Zero(t, p.output.WithoutThreshold.Load())
		shutdown(t, p)
	})
}

// Wherever the decision falls between the spans of a trace, in any order, through either door and with any number of shards: the
// kept traces are those that are kept when all spans arrive in time, whole.
func TestTheMomentOfTheDecisionDoesNotMatter(t *testing.T) {
	withEitherStorage(t, testTheMomentOfTheDecisionDoesNotMatter)
}

func testTheMomentOfTheDecisionDoesNotMatter(t *testing.T) {
	var spans []spanOf
	rnd := rand.New(rand.NewPCG(5, 1))
	for n := range 100 {
		tr := newTrace(n, 1+rnd.IntN(12), n%7 == 0)
		if n%11 == 0 {
			tr[rnd.IntN(len(tr))].slow()
		}
		spans = append(spans, tr...)
	}
	var want map[pcommon.TraceID][]string
	for variant := range 16 {
		t.Run(fmt.Sprint(variant), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rnd := rand.New(rand.NewPCG(uint64(variant), 6))
				cfg := reviving(testConfig())
				cfg.Policies, cfg.NumShards = cfg.Policies[:2], 1+variant%5
				var next sink
				p := start(t, cfg, &next)
				order := shuffled(rnd, spans)
				cut := rnd.IntN(len(order))
				if variant == 0 {
					cut = len(order)
				}
				send := func(spans []spanOf) {
					for batch := range slices.Chunk(spans, 1+rnd.IntN(60)) {
						require.NoError(t, []door{wireDoor, pdataDoor}[variant%2](t, p, request(batch...)))
					}
				}
				send(order[:cut])
				time.Sleep(cfg.DecisionWait + time.Second)
				send(order[cut:])
				time.Sleep(cfg.DecisionWait + cfg.ReviveWindow + time.Second)
				got := map[pcommon.TraceID][]string{}
				for id, parts := range next.traces() {
					for _, part := range parts {
						for _, s := range spansOf(part) {
							got[id] = append(got[id], s.SpanID().String())
						}
					}
					slices.Sort(got[id])
				}
				if want == nil {
					want = got
					require.Greater(t, len(want), 15)
				}
				require.Equal(t, want, got)
				require.Zero(t, p.Status().SpansBuffered)
				require.Zero(t, p.Status().BytesRevivable)
				shutdown(t, p)
			})
		})
	}
}

// A trace that was not sampled is evicted before any is decided early, and never causes a refusal.
func TestRevivableTracesGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := reviving(keepErrors(testConfig()))
		cfg.ReviveWindow = time.Hour
		squeeze(cfg, 2, 2<<20)
		cfg.Storage = storageMemory // on disk the budgets of memory and disk are used in turn
		p := start(t, cfg, &sink{})
		most := int64(0)
		for n := range 4000 { // several times the budget, of which a fifth waits for its decision
			require.NoError(t, wireDoor(t, p, request(newSpan(n, 0).pad(500), newSpan(n, 1).pad(500))))
			time.Sleep(cfg.DecisionWait / 300)
			most = max(most, p.Status().TracesRevivable)
		}
		st := p.Status()
		require.Zero(t, st.EarlyDecisions)
		require.Zero(t, st.RefusedSpans)
		require.Positive(t, most)
		require.Less(t, p.buffer.Pool.Pressure(), budget.ReviveUpTo+0.1)

		// A burst that needs all room evicts the other revivable traces.
		for n := 4000; p.buffer.Pool.Pressure() < 0.8; n++ {
			require.NoError(t, wireDoor(t, p, request(newSpan(n, 0).pad(500))))
			require.Zero(t, p.Status().EarlyDecisions)
		}
		for n := 9000; p.Status().EarlyDecisions == 0; n++ {
			require.NoError(t, wireDoor(t, p, request(newSpan(n, 0).pad(500))))
		}
		require.Zero(t, p.Status().TracesRevivable)
		shutdown(t, p)
	})
}

// A revived trace is delivered even if the process is killed before its delivery; a trace that was not yet revived is gone then,
// and none of its spans returns.
func TestRevivalSurvivesACrash(t *testing.T) {
	for _, shards := range []int{4, 3} {
		synctest.Test(t, func(t *testing.T) {
			cfg := reviving(keepErrors(diskConfig()))
			down := sink{accept: func(context.Context, int, ptrace.Traces) error { return errors.New("down") }}
			p := start(t, cfg, &down)
			for n := range 3 {
				require.NoError(t, wireDoor(t, p, request(newTrace(n, 3, false)...)))
			}
			time.Sleep(cfg.DecisionWait + time.Second)
			require.NoError(t, wireDoor(t, p, request(newSpan(1, 3).fail())))
			require.NoError(t, wireDoor(t, p, request(newSpan(2, 3))))
			synctest.Wait()
			next := crash(t, cfg)
			end(t, p)

			next.NumShards = shards
			var got sink
			p = start(t, next, &got)
			require.Zero(t, p.store.Lost.Load())
			time.Sleep(time.Second)
			require.Len(t, got.traces(), 1)
			require.Len(t, spansOf(got.traces()[traceID(1)][0]), 4)
			for _, s := range spansOf(got.traces()[traceID(1)][0]) {
				require.Equal(t, "ot=th:0,vendor=a,other=b", s.TraceState().AsRaw())
			}
			require.NoError(t, wireDoor(t, p, request(newSpan(1, 4), newSpan(0, 4))))
			time.Sleep(time.Minute)
			require.Len(t, got.traces(), 1)
			require.Len(t, got.traces()[traceID(1)], 2, "late spans follow the revival")
			shutdown(t, p)

			// Again, to check a journal that was read back and rewritten.
			again := sink{}
			p = start(t, next, &again)
			require.NoError(t, wireDoor(t, p, request(newSpan(1, 5), newSpan(0, 5))))
			time.Sleep(time.Minute)
			require.Len(t, again.traces(), 1)
			require.Len(t, again.traces()[traceID(1)], 1)
			shutdown(t, p)
		})
	}
}

// Late spans of a trace that was not revived are gone with it, after a restart too.
func TestExpiredSpansDoNotReturn(t *testing.T) {
	for name, until := range map[string]time.Duration{"window over": time.Minute, "shut down within it": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := reviving(keepErrors(diskConfig()))
				p := start(t, cfg, &sink{})
				require.NoError(t, wireDoor(t, p, request(newTrace(1, 3, false)...)))
				time.Sleep(cfg.DecisionWait + time.Second)
				require.NoError(t, wireDoor(t, p, request(newSpan(1, 3), newSpan(2, 0)))) // the second keeps the segment
				time.Sleep(until / 10)
				require.NoError(t, wireDoor(t, p, request(newSpan(3, 0))))
				time.Sleep(until)
				require.NoError(t, p.Shutdown(t.Context()))
				p = start(t, cfg, &sink{})
				assert.False(t, isPending(p, 1))
				shutdown(t, p)
			})
		})
	}
}

// A trace that was not sampled stays so after a crash, although its spans were copied forward while it was revivable, and the
// journal with its decision was deleted since.
func TestExpiredTraceDoesNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := with(diskConfig(), testConfig().Policies[0], policy.Config{Name: "noise", Type: policy.Drop,
			Section: &policy.DropConfig{SubPolicies: []policy.Config{serviceIs("quiet", "service-3")}}})
		cfg.NumShards, cfg.MemoryBudget = 1, 1<<20
		cfg.DecisionCache = DecisionCacheConfig{SampledCacheSize: 1, NonSampledCacheSize: 1}
		cfg.DecisionWait, cfg.DecisionWaitAfterRootReceived = 10*time.Hour, 100*time.Millisecond
		cfg.ReviveWindow = time.Hour
		p := start(t, cfg, &sink{})
		send := func(spans ...spanOf) { require.NoError(t, wireDoor(t, p, request(spans...))) }
		const forgotten, pins, waits = 1, 2, 3
		next := 10
		noise := func(traces int) {
			for range traces {
				send(newSpan(next, 0), newSpan(next, 3))
				next++
				time.Sleep(10 * time.Millisecond)
			}
		}
		for i := range 4 {
			send(newSpan(pins, i+3).pad(3 << 10)) // a segment that stays, and so does the journal
		}
		noise(50)
		send(newSpan(forgotten, 0))
		noise(1000) // its spans go from segment to segment
		for i := range 20 {
			send(newSpan(waits, i+1).pad(3 << 10)) // and end in one that stays
			noise(2)
		}
		time.Sleep(cfg.ReviveWindow)
		send(newSpan(pins, 0)) // drops it
		time.Sleep(time.Second)
		require.Zero(t, p.Status().TracesRevivable)
		require.Equal(t, int64(1), p.Status().TracesPending)
		noise(1000)
		time.Sleep(time.Second)
		after := crash(t, cfg)
		end(t, p)
		p = start(t, after, &sink{})
		assert.Equal(t, int64(1), p.Status().TracesPending, "the one that waits")
		assert.Equal(t, int64(20), p.Status().SpansBuffered)
		shutdown(t, p)
	})
}
