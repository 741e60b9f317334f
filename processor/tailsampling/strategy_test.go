package tailsampling

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
)

// With span-ingest a trace is decided by the request that makes its decision certain; later spans are late. Other traces wait.
func TestSpanIngest(t *testing.T) { withEitherStorage(t, testSpanIngest) }

func testSpanIngest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.SamplingStrategy = spanIngest
		var next sink
		p := start(t, cfg, &next)
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 1), newSpan(2, 1))))
		synctest.Wait()
		require.Empty(t, next.traces())
		require.NoError(t, pdataDoor(t, p, request(newSpan(1, 2).fail(), newSpan(1, 3))))
		synctest.Wait()
		require.Len(t, next.traces(), 1)
		whole := next.traces()[traceID(1)][0]
		require.Len(t, spansOf(whole), 3, "with all of the request")
		require.Equal(t, map[string]int{"errors": 3}, attributesOf(whole, attr.Policy))
		require.Equal(t, int64(1), sum(p).Triggers[decision.ByIngest])
		require.Zero(t, p.Status().EarlyDecisions)

		require.NoError(t, wireDoor(t, p, request(newSpan(1, 4))))
		time.Sleep(time.Second)
		require.Len(t, next.traces()[traceID(1)], 2)
		require.Equal(t, int64(1), p.Status().TracesPending)
		time.Sleep(cfg.DecisionWait)
		require.Equal(t, int64(1), sum(p).Triggers[decision.ByWait])
		shutdown(t, p)
	})
}

// The trimmed spans of a giant trace can make its decision certain, too.
func TestSpanIngestOfGiantTraces(t *testing.T) { withEitherStorage(t, testSpanIngestOfGiantTraces) }

func testSpanIngestOfGiantTraces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := with(testConfig(), serviceIs("three", "service-3"))
		cfg.SamplingStrategy, cfg.MaximumTraceSizeBytes = spanIngest, 1<<10
		p := start(t, cfg, &sink{})
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 1).pad(1<<10).slow())))
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 3))))
		require.Equal(t, int64(1), p.Status().TrimmedSpans)
		require.Equal(t, int64(1), sum(p).Triggers[decision.ByIngest])
		shutdown(t, p)
	})
}

// A trace that a drop policy may still match is not sent early, and one that it matches is released at once.
func TestSpanIngestDrops(t *testing.T) { withEitherStorage(t, testSpanIngestDrops) }

func testSpanIngestDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := keepAll(testConfig())
		cfg.SamplingStrategy = spanIngest
		cfg.Policies = append(cfg.Policies, policy.Config{Name: "noise", Type: policy.Drop, Section: &policy.DropConfig{
			SubPolicies: []policy.Config{serviceIs("quiet", "service-3")},
		}})
		var next sink
		p := start(t, cfg, &next)
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 0), newSpan(2, 0))))
		synctest.Wait()
		require.Empty(t, next.traces())
		require.NoError(t, wireDoor(t, p, request(newSpan(1, 3), newSpan(2, 1))))
		require.Equal(t, int64(1), p.Status().Decided.Dropped)
		require.Equal(t, int64(2), p.Status().SpansBuffered)
		time.Sleep(cfg.DecisionWait + time.Second)
		require.Len(t, next.traces(), 1, "which contrib's processor would not sample at all")
		require.Len(t, spansOf(next.traces()[traceID(2)][0]), 2)
		shutdown(t, p)
	})
}

// The strategy changes neither the kept traces nor their weights, whatever the order, the batches, the shards and the door.
func TestStrategiesKeepTheSame(t *testing.T) { withEitherStorage(t, testStrategiesKeepTheSame) }

func testStrategiesKeepTheSame(t *testing.T) {
	var spans []spanOf
	rnd := rand.New(rand.NewPCG(8, 1))
	for n := range 100 {
		tr := newTrace(n, 1+rnd.IntN(12), n%7 == 0)
		if n%11 == 0 {
			tr[rnd.IntN(len(tr))].slow()
		}
		spans = append(spans, tr...)
	}
	var want map[pcommon.TraceID][]string
	for variant := range 12 {
		t.Run(fmt.Sprint(variant), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rnd := rand.New(rand.NewPCG(uint64(variant), 6))
				cfg := testConfig()
				cfg.NumShards = 1 + variant%5
				if variant > 0 {
					cfg.SamplingStrategy = spanIngest
				}
				var next sink
				p := start(t, cfg, &next)
				for batch := range slices.Chunk(shuffled(rnd, spans), 1+rnd.IntN(60)) {
					require.NoError(t, []door{wireDoor, pdataDoor}[variant%2](t, p, request(batch...)))
					time.Sleep(time.Duration(rnd.IntN(100)) * time.Millisecond)
				}
				time.Sleep(cfg.DecisionWait + time.Second)
				got := map[pcommon.TraceID][]string{}
				for id, parts := range next.traces() {
					for _, part := range parts {
						for _, s := range spansOf(part) {
							got[id] = append(got[id], s.SpanID().String()+" "+s.TraceState().AsRaw())
						}
					}
					slices.Sort(got[id])
				}
				if want == nil {
					want = got
					require.Greater(t, len(want), 20)
				} else {
					require.Positive(t, sum(p).Triggers[decision.ByIngest])
				}
				require.Equal(t, want, got)
				shutdown(t, p)
			})
		})
	}
}
