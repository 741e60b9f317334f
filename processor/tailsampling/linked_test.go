package tailsampling

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
)

// linking keeps traces with errors and those linked with them.
func linking(cfg *Config) *Config {
	cfg.LinkedTraces.Enabled = true
	return reviving(keepErrors(cfg))
}

// linkedTo makes a span link to the n-th traces, and to no others.
func (s spanOf) linkedTo(traces ...int) spanOf {
	links := s.span().Links()
	links.RemoveIf(func(ptrace.SpanLink) bool { return true })
	for _, n := range traces {
		links.AppendEmpty().SetTraceID(traceID(n))
	}
	return s
}

// A kept trace keeps the traces that it links to and that link to it, in any state, and no others.
func TestLinkedTraces(t *testing.T) { withEitherStorage(t, testLinkedTraces) }

func testLinkedTraces(t *testing.T) {
	const kept, other = 1, 2
	for name, tc := range map[string]struct {
		link  [2]int                         // from which trace to which
		order func(kept, other, wait func()) // the order of events
		why   decision.Trigger               // the trigger of the other trace's decision
	}{
		"links to a pending one":            {[2]int{kept, other}, func(k, o, w func()) { k(); time.Sleep(time.Second); o(); w() }, decision.ByWait},
		"is linked by a pending one":        {[2]int{other, kept}, func(k, o, w func()) { k(); time.Sleep(time.Second); o(); w() }, decision.ByWait},
		"links to one that comes later":     {[2]int{kept, other}, func(k, o, w func()) { k(); w(); o(); w() }, decision.ByWait},
		"is linked by one that comes later": {[2]int{other, kept}, func(k, o, w func()) { k(); w(); o(); w() }, decision.ByWait},
		"links to one that was not sampled": {[2]int{kept, other}, func(k, o, w func()) { o(); w(); k(); w() }, decision.ByLink},
		"is linked by one that was not":     {[2]int{other, kept}, func(k, o, w func()) { o(); w(); k(); w() }, decision.ByLink},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := linking(testConfig())
				cfg.ReviveWindow = 10 * cfg.DecisionWait
				var next sink
				p := start(t, cfg, &next)
				trace := func(n int, failed bool) func() {
					return func() {
						first, second := newSpan(n, 0).linkedTo(), newSpan(n, 1).linkedTo()
						if tc.link[0] == n {
							second.linkedTo(77, tc.link[1], tc.link[1])
						}
						if failed {
							second.fail()
						}
						require.NoError(t, wireDoor(t, p, request(first, second, newSpan(n+2, 0).linkedTo())))
					}
				}
				tc.order(trace(kept, true), trace(other, false), func() { time.Sleep(cfg.DecisionWait + time.Second) })
				got := next.traces()
				require.Len(t, got, 2)
				for id, parts := range got {
					require.Len(t, parts, 1)
					spans := spansOf(parts[0])
					require.Len(t, spans, 2)
					state, by, with := "ot=th:0,vendor=a,other=b", "errors", map[string]int{}
					if id == traceID(other) { // which represents only itself
						state, by, with = "vendor=a,other=b", "linked_traces", map[string]int{wire.TraceID(traceID(kept)).String(): 2}
					}
					assert.Equal(t, map[string]int{by: 2}, attributesOf(parts[0], attr.Policy))
					assert.Equal(t, with, attributesOf(parts[0], attr.Linked))
					for _, s := range spans {
						assert.Equal(t, state, s.TraceState().AsRaw())
					}
				}
				want := [decision.Triggers]int64{}
				want[decision.ByWait] = 4
				if tc.why == decision.ByLink {
					want[decision.ByLink] = 1
				}
				assert.Equal(t, want, sum(p).Triggers)
				why, _ := p.Explain(traceID(other))
				assert.Equal(t, "linked_traces", why.Policy)
				assert.Equal(t, tc.why.String(), why.Trigger)
				assert.Equal(t, wire.TraceID(traceID(kept)).String(), why.LinkedTraceID)
				assert.Less(t, why.Complete.DurationSeconds, 1.0)
				assert.Equal(t, int64(1), p.Status().LinkedTraces)
				assert.Zero(t, p.output.WithoutThreshold.Load())

				require.NoError(t, wireDoor(t, p, request(newSpan(other, 2).linkedTo(other+2)))) // links are not followed further
				time.Sleep(time.Second)
				require.Len(t, next.traces(), 2)
				late := next.traces()[traceID(other)][1]
				assert.Equal(t, map[string]int{"linked_traces": 1}, attributesOf(late, attr.Policy))
				assert.Equal(t, "vendor=a,other=b", spansOf(late)[0].TraceState().AsRaw())

				require.NoError(t, wireDoor(t, p, request(newSpan(kept, 2).linkedTo(other+2)))) // this one is followed
				time.Sleep(time.Second)
				require.Len(t, next.traces(), 3)
				shutdown(t, p)
			})
		})
	}
}

// Linking is off by default, and a trace that a drop policy drops is dropped whatever links to it.
func TestTracesThatLinksDoNotKeep(t *testing.T) { withEitherStorage(t, testTracesThatLinksDoNotKeep) }

func testTracesThatLinksDoNotKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, enabled := range []bool{false, true} {
			cfg := linking(testConfig())
			cfg.LinkedTraces.Enabled = enabled
			cfg.Policies = append(cfg.Policies[:1:1], policy.Config{Name: "noise", Type: policy.Drop, Section: &policy.DropConfig{
				SubPolicies: []policy.Config{serviceIs("quiet", "service-3")},
			}})
			var next sink
			p := start(t, cfg, &next)
			require.NoError(t, wireDoor(t, p, request(newSpan(1, 0).linkedTo(2, 3).fail(), newSpan(2, 0).linkedTo(), newSpan(3, 3).linkedTo(1))))
			time.Sleep(time.Minute)
			got := next.traces()
			require.Contains(t, got, traceID(1))
			require.NotContains(t, got, traceID(3))
			require.Equal(t, enabled, len(got) == 2)
			shutdown(t, p)
		}
	})
}

// Of linked traces both are kept if either is kept by itself: whichever links to which, in whatever order, batches and shards
// their spans arrive, through either door, whichever is decided first.
func TestLinkedTracesInAnyOrder(t *testing.T) { withEitherStorage(t, testLinkedTracesInAnyOrder) }

func testLinkedTracesInAnyOrder(t *testing.T) {
	const traces = 60
	rnd := rand.New(rand.NewPCG(9, 1))
	var spans []spanOf
	failed := map[int]bool{}
	neighbours := map[int][]int{}
	for n := range traces {
		tr := newTrace(n, 1+rnd.IntN(5), n%13 == 0)
		failed[n] = n%13 == 0
		for i := range tr {
			tr[i].linkedTo()
			if rnd.IntN(3) == 0 {
				to := rnd.IntN(traces)
				tr[i].linkedTo(to)
				neighbours[n], neighbours[to] = append(neighbours[n], to), append(neighbours[to], n)
			}
		}
		spans = append(spans, tr...)
	}
	var want []string
	for n := range traces {
		if failed[n] || slices.ContainsFunc(neighbours[n], func(other int) bool { return failed[other] }) {
			want = append(want, fmt.Sprintf("%s %t", traceID(n), failed[n]))
		}
	}
	slices.Sort(want)
	require.Greater(t, len(want), 10)
	require.Less(t, len(want), 50)
	for variant := range 24 {
		t.Run(strconv.Itoa(variant), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rnd := rand.New(rand.NewPCG(uint64(variant), 3))
				cfg := linking(testConfig())
				cfg.NumShards, cfg.ReviveWindow = 1+variant%6, time.Hour
				var next sink
				p := start(t, cfg, &next)
				for batch := range slices.Chunk(shuffled(rnd, spans), 1+rnd.IntN(30)) {
					require.NoError(t, []door{wireDoor, pdataDoor}[variant%2](t, p, request(batch...)))
					time.Sleep(time.Duration(rnd.IntN(1000*(variant%3)+1)) * time.Millisecond) // decided in between, or not
				}
				if variant%4 < 2 {
					time.Sleep(cfg.DecisionWait + time.Second)
				}
				shutdown(t, p) // or at once
				var got []string
				for id, parts := range next.traces() {
					by := attributesOf(parts[0], attr.Policy)
					require.Len(t, by, 1)
					got = append(got, fmt.Sprintf("%s %t", id, by["errors"] > 0))
				}
				slices.Sort(got)
				require.Equal(t, want, got)
				require.Zero(t, sum(p).IgnoredLinks)
			})
		})
	}
}

// The memory of links counts towards the budget.
func TestLinksAreCounted(t *testing.T) { withEitherStorage(t, testLinksAreCounted) }

func testLinksAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := linking(testConfig())
		cfg.LinkedTraces.MaxLinksPerSpan, cfg.NumShards = 2, 1
		p := start(t, cfg, &sink{})
		before := p.buffer.Pool.Used()
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 0).linkedTo(2, 3, 4, 5))))
		require.Equal(t, int64(1), sum(p).IgnoredLinks)
		require.Positive(t, p.buffer.Pool.Used()-before)
		shutdown(t, p)
	})
}

// After a restart the links of undecided traces are known again.
func TestLinksSurviveACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := linking(diskConfig())
		p := start(t, cfg, &sink{})
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 0).linkedTo(2).fail(), newSpan(2, 0).linkedTo(), newSpan(3, 0).linkedTo(1))))
		after := crash(t, cfg)
		end(t, p)
		after.NumShards = 3
		var next sink
		p = start(t, after, &next)
		time.Sleep(time.Minute)
		require.Len(t, next.traces(), 3)
		for _, n := range []int{2, 3} {
			require.Equal(t, map[string]int{"linked_traces": 1}, attributesOf(next.traces()[traceID(n)][0], attr.Policy))
		}
		shutdown(t, p)
	})
}
