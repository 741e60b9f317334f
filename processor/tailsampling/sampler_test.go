package tailsampling

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
)

// The same spans give the same kept traces, byte for byte, in any order and batching, with any number of shards,
// through either door.
func TestOrderBatchingShardsAndDoorsDoNotMatter(t *testing.T) {
	withEitherStorage(t, testOrderBatchingShardsAndDoorsDoNotMatter)
}

func testOrderBatchingShardsAndDoorsDoNotMatter(t *testing.T) {
	var spans []spanOf
	rnd := rand.New(rand.NewPCG(1, 1))
	for n := range 120 {
		tr := newTrace(n, 1+rnd.IntN(20), n%10 == 0)
		if n%10 == 3 { // slow
			last := tr[len(tr)-1].span()
			last.SetEndTimestamp(last.StartTimestamp() + 2e9)
		}
		if n%10 == 9 { // slow because of a span that arrives last and started first
			last := tr[len(tr)-1].span()
			last.SetStartTimestamp(last.StartTimestamp() - 2e9)
		}
		if n%10 == 5 { // an upstream sampler gave some of the spans randomness and a threshold
			tr[0].span().TraceState().FromRaw("ot=th:8;rv:f0000000000000,vendor=a")
		}
		if n%10 == 7 { // similar and identical spans
			tr = append(tr, newSpan(n, 0), newSpan(n, 1).fail(), newSpan(n, 1))
			tr = append(tr, spanOf{request(tr[0])})
			tr[len(tr)-1].td.ResourceSpans().At(0).SetSchemaUrl("another")
		}
		spans = append(spans, tr...)
	}
	var want map[pcommon.TraceID][]byte
	for variant := range 24 {
		rnd := rand.New(rand.NewPCG(uint64(variant), 2))
		order, most := spans, 50
		if variant > 0 {
			order, most = shuffled(rnd, spans), 1+rnd.IntN(len(spans))
		}
		shards := 1 + variant%8
		through := []door{wireDoor, pdataDoor}[variant/8%2]
		t.Run(fmt.Sprintf("variant %d", variant), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig()
				cfg.NumShards = shards
				var next sink
				p := start(t, cfg, &next)
				for batch := range slices.Chunk(order, most) {
					require.NoError(t, through(t, p, request(batch...)))
				}
				time.Sleep(cfg.DecisionWait + time.Second)
				shutdown(t, p)
				got := map[pcommon.TraceID][]byte{}
				for id, parts := range next.traces() {
					require.Len(t, parts, 1, "a trace is never split")
					got[id] = marshal(t, parts[0])
				}
				if want == nil {
					want = got
					require.Greater(t, len(want), 24)
					require.Less(t, len(want), 90)
				}
				require.Equal(t, want, got)
			})
		})
	}
}

func marshal(t testing.TB, td ptrace.Traces) []byte {
	var m ptrace.ProtoMarshaler
	b, err := m.MarshalTraces(td)
	require.NoError(t, err)
	return b
}

// A kept trace leaves as it came, apart from the additions of the decision.
func TestKeptTracesAreIntact(t *testing.T) { withEitherStorage(t, testKeptTracesAreIntact) }

func testKeptTracesAreIntact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(testConfig())
		var next sink
		p := start(t, cfg, &next)
		var want []string
		for n := range 20 {
			tr := newTrace(n, 10, false)
			for i, s := range tr {
				want = append(want, string(marshal(t, s.td)))
				require.NoError(t, []door{wireDoor, pdataDoor}[i%2](t, p, request(s)))
			}
		}
		time.Sleep(cfg.DecisionWait + time.Second)
		var got []string
		for _, parts := range next.traces() {
			for _, rs := range parts[0].ResourceSpans().All() {
				for _, ss := range rs.ScopeSpans().All() {
					for _, s := range ss.Spans().All() {
						got = append(got, string(marshal(t, undecided(t, rs, ss, s))))
					}
				}
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		require.Equal(t, want, got)
		shutdown(t, p)
	})
}

// undecided removes the decision's additions from a span, and returns it alone.
func undecided(t *testing.T, rs ptrace.ResourceSpans, ss ptrace.ScopeSpans, s ptrace.Span) ptrace.Traces {
	require.Equal(t, "ot=th:0,vendor=a,other=b", s.TraceState().AsRaw())
	td := ptrace.NewTraces()
	outRS := td.ResourceSpans().AppendEmpty()
	rs.Resource().CopyTo(outRS.Resource())
	outRS.SetSchemaUrl(rs.SchemaUrl())
	outSS := outRS.ScopeSpans().AppendEmpty()
	ss.Scope().CopyTo(outSS.Scope())
	outSS.SetSchemaUrl(ss.SchemaUrl())
	out := outSS.Spans().AppendEmpty()
	s.CopyTo(out)
	require.True(t, out.Attributes().Remove("tailsampling.policy"))
	out.TraceState().FromRaw("vendor=a,other=b")
	return td
}

func TestSpansAreGroupedByResourceAndScope(t *testing.T) {
	withEitherStorage(t, testSpansAreGroupedByResourceAndScope)
}

func testSpansAreGroupedByResourceAndScope(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var next sink
		p := start(t, keepAll(testConfig()), &next)
		require.NoError(t, wireDoor(t, p, request(newTrace(1, 24, false)...)))
		shutdown(t, p)
		require.Len(t, next.batches, 1)
		td := next.batches[0]
		require.Equal(t, 4, td.ResourceSpans().Len(), "services")
		for i, rs := range td.ResourceSpans().All() {
			name, _ := rs.Resource().Attributes().Get("service.name")
			assert.Equal(t, fmt.Sprintf("service-%d", i), name.Str(), "in the order of their first spans")
			assert.Equal(t, 3, rs.ScopeSpans().Len())
			for _, ss := range rs.ScopeSpans().All() {
				assert.Equal(t, 2, ss.Spans().Len())
				assert.Less(t, ss.Spans().At(0).StartTimestamp(), ss.Spans().At(1).StartTimestamp())
			}
		}
	})
}

func TestDecisionIsWrittenIntoSpans(t *testing.T) {
	withEitherStorage(t, testDecisionIsWrittenIntoSpans)
}

func testDecisionIsWrittenIntoSpans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.Policies[2].Section.(*policy.ProbabilisticConfig).SamplingPercentage = 50
		var next sink
		p := start(t, cfg, &next)
		failed := newTrace(1, 3, true)
		explicit := newTrace(2, 2, false)
		explicit[1].span().TraceState().FromRaw("ot=rv:fffffffffffff0,vendor=a")
		for _, s := range append(failed, explicit...) {
			require.NoError(t, wireDoor(t, p, request(s)))
		}
		shutdown(t, p)
		got := next.traces()
		for _, s := range spansOf(got[traceID(1)][0]) {
			assert.Equal(t, "errors", policyOf(s))
			assert.Equal(t, "ot=th:0,vendor=a,other=b", s.TraceState().AsRaw())
		}
		spans := spansOf(got[traceID(2)][0])
		require.Len(t, spans, 2)
		for _, s := range spans {
			assert.Equal(t, "rest", policyOf(s))
			_, cached := s.Attributes().Get("tailsampling.cached_decision")
			assert.False(t, cached)
			assert.True(t, strings.HasPrefix(s.TraceState().AsRaw(), "ot=rv:fffffffffffff0;th:8"),
				"%s: the spans of a trace share its randomness", s.TraceState().AsRaw())
		}
	})
}

// A span that never ended, or whose clock was not set, does not make its trace slow.
func TestBogusTimesDoNotMakeATraceSlow(t *testing.T) {
	withEitherStorage(t, testBogusTimesDoNotMakeATraceSlow)
}

func testBogusTimesDoNotMakeATraceSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.Policies = cfg.Policies[1:2] // slow
		var next sink
		p := start(t, cfg, &next)
		unended, unset, backwards, slow := newSpan(1, 1), newSpan(2, 1), newSpan(3, 0), newSpan(4, 1)
		unended.span().SetEndTimestamp(0)
		unset.span().SetStartTimestamp(0)
		backwards.span().SetEndTimestamp(backwards.span().StartTimestamp() - 5e9)
		slow.span().SetEndTimestamp(slow.span().StartTimestamp() + 2e9)
		for n, s := range []spanOf{unended, unset, slow} {
			id := []int{1, 2, 4}[n]
			require.NoError(t, wireDoor(t, p, request(s)))
			require.NoError(t, wireDoor(t, p, request(newSpan(id, 0))))
		}
		require.NoError(t, wireDoor(t, p, request(backwards)))
		shutdown(t, p)
		require.Len(t, next.traces(), 1)
		require.Contains(t, next.traces(), traceID(4))
	})
}

func spansOf(td ptrace.Traces) (out []ptrace.Span) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				out = append(out, s)
			}
		}
	}
	return out
}

func policyOf(s ptrace.Span) string {
	v, _ := s.Attributes().Get("tailsampling.policy")
	return v.Str()
}

func TestLateSpansFollowTheDecision(t *testing.T) {
	withEitherStorage(t, testLateSpansFollowTheDecision)
}

func testLateSpansFollowTheDecision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepErrors(testConfig())
		var next sink
		p := start(t, cfg, &next)
		kept, dropped := newTrace(1, 5, true), newTrace(2, 5, false)
		require.NoError(t, wireDoor(t, p, request(slices.Concat(kept[3:], dropped[3:])...)))
		time.Sleep(cfg.DecisionWait + time.Second)
		require.Len(t, next.traces(), 1)

		require.NoError(t, wireDoor(t, p, request(kept[0], dropped[0])))
		time.Sleep(50 * time.Millisecond)
		require.NoError(t, wireDoor(t, p, request(kept[1], dropped[1].fail())))
		time.Sleep(100 * time.Millisecond) // late spans gather meanwhile
		synctest.Wait()
		parts := next.traces()[traceID(1)]
		require.Len(t, parts, 2, "late spans gather for a moment")
		late := spansOf(parts[1])
		require.Len(t, late, 2)
		for _, s := range late {
			assert.Equal(t, "errors", policyOf(s))
			cached, ok := s.Attributes().Get("tailsampling.cached_decision")
			assert.True(t, ok && cached.Bool())
			assert.Equal(t, "ot=th:0,vendor=a,other=b", s.TraceState().AsRaw())
		}
		assert.NotContains(t, next.traces(), traceID(2), "an error that comes late does not revive the trace")
		st := p.Status()
		assert.Equal(t, LateSpans{Kept: 2, Dropped: 2, ErrorsDropped: 1}, st.LateSpans)
		assert.Equal(t, Decided{Sampled: 1, NotSampled: 1}, st.Decided)
		assert.Zero(t, st.SpansBuffered)

		// A late span that waits at the shutdown is delivered too.
		require.NoError(t, wireDoor(t, p, request(kept[2])))
		shutdown(t, p)
		assert.Len(t, next.traces()[traceID(1)], 3)
	})
}

func TestWithoutDecisionCacheLateSpansAreTracesOfTheirOwn(t *testing.T) {
	withEitherStorage(t, testWithoutDecisionCacheLateSpansAreTracesOfTheirOwn)
}

func testWithoutDecisionCacheLateSpansAreTracesOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepErrors(testConfig())
		cfg.DecisionCache = DecisionCacheConfig{}
		var next sink
		p := start(t, cfg, &next)
		tr := newTrace(1, 3, true)
		require.NoError(t, wireDoor(t, p, request(tr[0])))
		time.Sleep(cfg.DecisionWait + time.Second)
		require.NoError(t, wireDoor(t, p, request(tr[1:]...)))
		shutdown(t, p)
		assert.Len(t, spansOf(next.traces()[traceID(1)][0]), 2)
	})
}

func TestInvalidInput(t *testing.T) { withEitherStorage(t, testInvalidInput) }

func testInvalidInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var next sink
		p := start(t, keepAll(testConfig()), &next)
		noID := newSpan(1, 0)
		noID.span().SetTraceID(pcommon.TraceID{})
		require.NoError(t, pdataDoor(t, p, request(noID, newSpan(2, 0), noID)))
		require.NoError(t, pdataDoor(t, p, ptrace.NewTraces()), "nothing is fine")
		require.NoError(t, p.ConsumeTraces(wire.NewContext(t.Context(), &wire.Request{}), ptrace.NewTraces()))

		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, p.ConsumeTraces(canceled, request(newSpan(3, 0))), context.Canceled)
		shutdown(t, p)
		assert.Equal(t, 1, next.spans())
		assert.Equal(t, int64(2), p.view.Invalid.Load())
	})
}

func TestInputIsLeftAsItIs(t *testing.T) { withEitherStorage(t, testInputIsLeftAsItIs) }

func testInputIsLeftAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var next sink
		p := start(t, keepAll(testConfig()), &next)
		assert.False(t, p.Capabilities().MutatesData)
		td := request(newTrace(1, 10, true)...)
		before := marshal(t, td)
		td.MarkReadOnly()
		require.NoError(t, pdataDoor(t, p, td))
		shutdown(t, p)
		assert.True(t, bytes.Equal(before, marshal(t, td)))
	})
}

func TestDropPoliciesWin(t *testing.T) { withEitherStorage(t, testDropPoliciesWin) }

func testDropPoliciesWin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepErrors(testConfig())
		cfg.Policies = append(cfg.Policies, policy.Config{Name: "noise", Type: policy.Drop, Section: &policy.DropConfig{
			SubPolicies: []policy.Config{{Type: policy.StringAttribute, Section: &policy.StringAttributeConfig{
				Key: "service.name", Values: []string{"service-3"}}}},
		}})
		var next sink
		p := start(t, cfg, &next)
		require.NoError(t, wireDoor(t, p, request(slices.Concat(newTrace(1, 3, true), newTrace(2, 4, true))...)))
		shutdown(t, p)
		assert.Contains(t, next.traces(), traceID(1))
		assert.NotContains(t, next.traces(), traceID(2))
		assert.Equal(t, int64(1), p.Status().Policies[1].DroppedTraces)
		assert.Equal(t, Decided{Sampled: 1, Dropped: 1}, p.Status().Decided)
	})
}

// Fields of a later OTLP version cannot be passed on by this version's pdata; that is counted.
func TestUnknownFieldsAreCounted(t *testing.T) { withEitherStorage(t, testUnknownFieldsAreCounted) }

func testUnknownFieldsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var next sink
		p := start(t, keepAll(testConfig()), &next)
		var r wire.Request
		require.NoError(t, r.Scan(marshal(t, newSpan(1, 0).td)))
		body := append(slices.Clone(r.Spans[0].Body.Of(r.Bytes)), 0xf8, 0x3f, 0x01) // field 1023, varint 1
		var b wire.Builder
		b.Resource(nil)
		b.Scope(nil)
		b.Span(body)
		var unknown wire.Request
		require.NoError(t, unknown.Scan(b.Bytes()))
		require.NoError(t, p.ConsumeTraces(wire.NewContext(t.Context(), &unknown), ptrace.NewTraces()))
		shutdown(t, p)
		assert.Equal(t, 1, next.spans())
		assert.Equal(t, int64(1), p.output.Unknown.Load())
	})
}

func TestAfterShutdown(t *testing.T) { withEitherStorage(t, testAfterShutdown) }

func testAfterShutdown(t *testing.T) {
	p := start(t, testConfig(), &sink{})
	shutdown(t, p)
	err := pdataDoor(t, p, request(newSpan(1, 0)))
	require.ErrorContains(t, err, "shut down")
	var retryable interface{ IsRetryable() bool }
	require.True(t, errors.As(err, &retryable) && retryable.IsRetryable())
	require.NoError(t, p.Shutdown(t.Context()), "twice is fine")
}

func TestShutdownWithoutStart(t *testing.T) { withEitherStorage(t, testShutdownWithoutStart) }

func testShutdownWithoutStart(t *testing.T) {
	p, err := newSamplerForTest(testConfig())
	require.NoError(t, err)
	shutdown(t, p)
}
