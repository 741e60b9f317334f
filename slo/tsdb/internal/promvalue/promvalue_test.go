package promvalue

import (
	"math"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOf(t *testing.T) {
	series := labels.FromStrings("__name__", "m", "k", "v")
	metric := model.Metric{"__name__": "m", "k": "v"}
	h := &histogram.FloatHistogram{
		Schema: 0, Count: 7, Sum: 8, ZeroThreshold: 0.5, ZeroCount: 1,
		PositiveSpans: []histogram.Span{{Offset: 1, Length: 3}}, PositiveBuckets: []float64{2, 0, 1},
		NegativeSpans: []histogram.Span{{Offset: 1, Length: 1}}, NegativeBuckets: []float64{3},
	}
	// The zero bucket is closed on both sides, the others are open towards zero; the empty one is left out.
	sampled := &model.SampleHistogram{Count: 7, Sum: 8, Buckets: model.HistogramBuckets{
		{Boundaries: openRight, Lower: -2, Upper: -1, Count: 3},
		{Boundaries: closedBoth, Lower: -0.5, Upper: 0.5, Count: 1},
		{Boundaries: openLeft, Lower: 1, Upper: 2, Count: 2},
		{Boundaries: openLeft, Lower: 4, Upper: 8, Count: 1},
	}}

	v, err := Of(promql.Vector{{T: 5, F: 1.5, Metric: series}, {T: 5, H: h, Metric: series}})
	require.NoError(t, err)
	assert.Equal(t, model.Vector{
		{Metric: metric, Timestamp: 5, Value: 1.5},
		{Metric: metric, Timestamp: 5, Histogram: sampled},
	}, v)

	v, err = Of(promql.Matrix{{
		Metric: series, Floats: []promql.FPoint{{T: 1, F: 2}, {T: 3, F: math.Inf(1)}}, Histograms: []promql.HPoint{{T: 9, H: h}},
	}})
	require.NoError(t, err)
	assert.Equal(t, model.Matrix{{
		Metric:     metric,
		Values:     []model.SamplePair{{Timestamp: 1, Value: 2}, {Timestamp: 3, Value: model.SampleValue(math.Inf(1))}},
		Histograms: []model.SampleHistogramPair{{Timestamp: 9, Histogram: sampled}},
	}}, v)

	_, err = Of(nil)
	assert.ErrorContains(t, err, "no form for")
}

// TestExactCounts: the evaluation of objectives subtracts counters, and must not lose an event to rounding.
func TestExactCounts(t *testing.T) {
	const most = 1<<53 - 1
	v, err := Of(promql.Matrix{{Floats: []promql.FPoint{{F: most - 1}, {F: most}}}})
	require.NoError(t, err)
	values := v.(model.Matrix)[0].Values
	assert.EqualValues(t, 1, int64(values[1].Value)-int64(values[0].Value))
}

func TestBoundaries(t *testing.T) {
	assert.EqualValues(t, 0, boundaries(false, true))
	assert.EqualValues(t, 1, boundaries(true, false))
	assert.EqualValues(t, 2, boundaries(false, false))
	assert.EqualValues(t, 3, boundaries(true, true))
}
