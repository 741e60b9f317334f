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

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
)

// linking keeps what is linked with errors.
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

// A kept trace takes those with it that it links to and that link to it, wherever they are on their way, and no others.
func TestLinkedTraces(t *testing.T) {
	const kept, other = 1, 2
	for name, tc := range map[string]struct {
		link  [2]int                         // from which trace to which
		order func(kept, other, wait func()) // what happens
		why   trigger                        // what makes the decision about the other trace due
	}{
		"links to a pending one":            {[2]int{kept, other}, func(k, o, w func()) { k(); time.Sleep(time.Second); o(); w() }, byWait},
		"is linked by a pending one":        {[2]int{other, kept}, func(k, o, w func()) { k(); time.Sleep(time.Second); o(); w() }, byWait},
		"links to one that comes later":     {[2]int{kept, other}, func(k, o, w func()) { k(); w(); o(); w() }, byWait},
		"is linked by one that comes later": {[2]int{other, kept}, func(k, o, w func()) { k(); w(); o(); w() }, byWait},
		"links to one that was not sampled": {[2]int{kept, other}, func(k, o, w func()) { o(); w(); k(); w() }, byLink},
		"is linked by one that was not":     {[2]int{other, kept}, func(k, o, w func()) { o(); w(); k(); w() }, byLink},
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
					if id == traceID(other) { // which stands for nothing but itself
						state, by, with = "vendor=a,other=b", "linked_traces", map[string]int{wire.TraceID(traceID(kept)).String(): 2}
					}
					assert.Equal(t, map[string]int{by: 2}, attributesOf(parts[0], attributePolicy))
					assert.Equal(t, with, attributesOf(parts[0], attributeLinked))
					for _, s := range spans {
						assert.Equal(t, state, s.TraceState().AsRaw())
					}
				}
				want := [triggers]int64{}
				want[byWait] = 4
				if tc.why == byLink {
					want[byLink] = 1
				}
				assert.Equal(t, want, p.sum().triggers)
				why, _ := p.Explain(traceID(other))
				assert.Equal(t, "linked_traces", why.Policy)
				assert.Equal(t, tc.why.String(), why.Trigger)
				assert.Equal(t, wire.TraceID(traceID(kept)).String(), why.LinkedTraceID)
				assert.Less(t, why.Complete.DurationSeconds, 1.0)
				assert.Equal(t, int64(1), p.Status().LinkedTraces)
				assert.Zero(t, p.withoutThreshold.Load())

				require.NoError(t, wireDoor(t, p, request(newSpan(other, 2).linkedTo(other+2)))) // does not go further
				time.Sleep(time.Second)
				require.Len(t, next.traces(), 2)
				late := next.traces()[traceID(other)][1]
				assert.Equal(t, map[string]int{"linked_traces": 1}, attributesOf(late, attributePolicy))
				assert.Equal(t, "vendor=a,other=b", spansOf(late)[0].TraceState().AsRaw())

				require.NoError(t, wireDoor(t, p, request(newSpan(kept, 2).linkedTo(other+2)))) // this does
				time.Sleep(time.Second)
				require.Len(t, next.traces(), 3)
				shutdown(t, p)
			})
		})
	}
}

// What links is off unless it is asked for, and what a drop policy names is dropped whatever links to it.
func TestWhatLinksDoNotKeep(t *testing.T) {
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

// Of linked traces both are kept if either is for its own sake: whatever links which, in whatever order, batches and
// shards their spans come, through either door, whichever is decided first.
func TestLinkedTracesInAnyOrder(t *testing.T) {
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
					by := attributesOf(parts[0], attributePolicy)
					require.Len(t, by, 1)
					got = append(got, fmt.Sprintf("%s %t", id, by["errors"] > 0))
				}
				slices.Sort(got)
				require.Equal(t, want, got)
				require.Zero(t, p.sum().ignoredLinks)
			})
		})
	}
}

// What is remembered of links is bounded, in all and for each trace, and part of what the budget counts.
func TestLinksAreBounded(t *testing.T) {
	l := links{limit: 100, perTrace: 3}
	id := func(n int) wire.TraceID { return wire.TraceID(traceID(n)) }
	of := func(n int) (got []int) {
		trace := id(n)
		for i := range l.of(uint32(n), &trace) {
			for m := range 2000 {
				if l.ring[i].other == id(m) {
					got = append(got, m)
				}
			}
		}
		slices.Sort(got)
		return got
	}
	add := func(n, other int, wanted bool) (bool, bool) {
		return l.add(tie{trace: id(n), other: id(other), hash: uint32(n), wanted: wanted})
	}
	for other := range 5 {
		added, room := add(7, other, false)
		require.Equal(t, other < 3, added)
		require.Equal(t, other < 3, room)
	}
	added, room := add(7, 1, false)
	require.False(t, added, "it is known")
	require.True(t, room)
	trace := id(7)
	_, found := l.wanted(7, &trace)
	require.False(t, found)
	added, _ = add(7, 1, true)
	require.True(t, added)
	by, found := l.wanted(7, &trace)
	require.True(t, found)
	require.Equal(t, id(1), by)
	require.Equal(t, []int{0, 1, 2}, of(7))

	for n := range 98 {
		add(1000+n, 1, false)
	}
	require.Equal(t, []int{1, 2}, of(7), "the oldest one is forgotten")
	most := l.bytes()
	for n := range 1000 {
		add(2000+n, 1, false)
	}
	require.Empty(t, of(7))
	require.Equal(t, most, l.bytes())
	require.LessOrEqual(t, most, 100*110)

	synctest.Test(t, func(t *testing.T) {
		cfg := linking(testConfig())
		cfg.LinkedTraces.MaxLinksPerSpan, cfg.NumShards = 2, 1
		p := start(t, cfg, &sink{})
		before := p.pool.Used()
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 0).linkedTo(2, 3, 4, 5))))
		require.Equal(t, int64(1), p.sum().ignoredLinks)
		require.Equal(t, 4, p.shards[0].links.table.Len())
		require.Positive(t, p.pool.Used()-before-int64(p.shards[0].entries.Bytes()))
		shutdown(t, p)
	})
}

// After a restart it is known again of traces that wait with which others they are linked.
func TestLinksSurviveACrash(t *testing.T) {
	onceOnDisk(t)
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
			require.Equal(t, map[string]int{"linked_traces": 1}, attributesOf(next.traces()[traceID(n)][0], attributePolicy))
		}
		shutdown(t, p)
	})
}
