package tailsampling

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/processor/policy"
)

// After its promotion the shadow keeps the traces that it would have kept before, whatever the order of
// spans.
func TestPromotedShadowDecidesTheSame(t *testing.T) {
	withEitherStorage(t, testPromotedShadowDecidesTheSame)
}

func testPromotedShadowDecidesTheSame(t *testing.T) {
	var spans []spanOf
	for n := range 300 {
		spans = append(spans, newTrace(n, 1+n%7, n%10 == 0)...)
	}
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig()
		cfg.DecisionCache = DecisionCacheConfig{} // so that the same traces are decided again
		cfg.Shadow = &ShadowConfig{Policies: []policy.Config{
			serviceIs("three", "service-3"),
			{Name: "half", Type: policy.Probabilistic, Section: &policy.ProbabilisticConfig{SamplingPercentage: 50}},
			{Name: "none", Type: policy.Drop, Section: &policy.DropConfig{SubPolicies: []policy.Config{
				{Type: policy.StatusCode, Section: &policy.StatusCodeConfig{StatusCodes: []string{"ERROR"}}}}}},
		}}
		var next sink
		p := start(t, cfg, &next)
		round := func(seed uint64) map[pcommon.TraceID][]ptrace.Traces {
			rnd := rand.New(rand.NewPCG(seed, 1))
			next.batches = nil
			for batch := range slices.Chunk(shuffled(rnd, spans), 50) {
				require.NoError(t, wireDoor(t, p, request(batch...)))
			}
			time.Sleep(cfg.DecisionWait + time.Second)
			return next.traces()
		}
		before := round(1)
		said, there := p.Shadow()
		require.True(t, there)
		promoted, err := p.Promote()
		require.NoError(t, err)
		require.True(t, promoted.Promoted)
		require.Equal(t, 2, promoted.Version)
		require.Empty(t, promoted.Shadow)
		after := round(2)

		assert.Equal(t, int64(300), said.Sampled.Traces+said.NotSampled.Traces+said.Dropped.Traces)
		assert.Equal(t, int64(len(after)), said.Sampled.Traces)
		assert.Equal(t, int64(next.spans()), said.Sampled.Spans)
		assert.Equal(t, int64(30), said.Dropped.Traces, "those with errors")
		assert.Equal(t, said.Dropped, said.Policies[2].Dropped)
		by := map[string]int64{}
		for _, parts := range after {
			by[decidedBy(t, parts)]++
		}
		assert.Equal(t, map[string]int64{"three": said.Policies[0].Sampled.Traces, "half": said.Policies[1].Sampled.Traces}, by)

		onlyAfter, onlyBefore := minus(after, before), minus(before, after)
		assert.Equal(t, int64(len(onlyAfter)), said.OnlyShadow.Traces)
		assert.Equal(t, int64(len(onlyBefore)), said.OnlyReal.Traces)
		require.Greater(t, len(onlyAfter)+len(onlyBefore), 100)
		require.Len(t, said.Differences, 100)
		for _, d := range said.Differences {
			if d.Shadow == "sampled" {
				assert.Contains(t, onlyAfter, d.TraceID)
			} else {
				assert.Contains(t, onlyBefore, d.TraceID)
			}
		}

		_, there = p.Shadow()
		require.False(t, there)
		_, err = p.Promote()
		require.ErrorIs(t, err, ErrNoShadow)
		shutdown(t, p)
	})
}

func minus(a, b map[pcommon.TraceID][]ptrace.Traces) (ids []string) {
	for id := range maps.Keys(a) {
		if b[id] == nil {
			ids = append(ids, id.String())
		}
	}
	return ids
}

// The shadow does not affect the kept traces.
func TestShadowOnlyLooks(t *testing.T) { withEitherStorage(t, testShadowOnlyLooks) }

func testShadowOnlyLooks(t *testing.T) {
	kept := func(shadow *ShadowConfig) (ids []string) {
		synctest.Test(t, func(t *testing.T) {
			cfg := testConfig()
			cfg.Shadow = shadow
			var next sink
			p := start(t, cfg, &next)
			for n := range 100 {
				require.NoError(t, wireDoor(t, p, request(newTrace(n, 3, n%10 == 0)...)))
			}
			time.Sleep(cfg.DecisionWait + time.Second)
			for id, parts := range next.traces() {
				ids = append(ids, id.String()+" "+decidedBy(t, parts))
			}
			shutdown(t, p)
		})
		slices.Sort(ids)
		return ids
	}
	want := kept(nil)
	require.NotEmpty(t, want)
	require.Equal(t, want, kept(&ShadowConfig{Policies: []policy.Config{{Name: "all", Type: policy.AlwaysSample}}}))
}
