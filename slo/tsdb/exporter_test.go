package tsdb

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const cumulative, delta = pmetric.AggregationTemporalityCumulative, pmetric.AggregationTemporalityDelta

// TestZeroBeforeFirstValue is why a request is sorted: a counter whose first value is 7 has no increase.
func TestZeroBeforeFirstValue(t *testing.T) {
	e := start(t, testConfig(t))
	x := startExporter(t, e)
	at := now()

	md, sm := resource(gateway)
	points := newSum(sm, "slowburn.sli.events", cumulative)
	addPoint(points, at, 7, "objective", "o")
	addPoint(points, at.Add(-10*time.Second), 0, "objective", "o")
	newExponential(sm, "traces.span.metrics.duration", at, 0, 3)
	addExponential(sm.Metrics().At(1).ExponentialHistogram().DataPoints(), at.Add(-10*time.Second))
	require.NoError(t, x.ConsumeMetrics(t.Context(), md))

	assert.Equal(t, []model.SamplePair{pair(at.Add(-10*time.Second), 0), pair(at, 7)},
		samples(t, e, `slowburn_sli_events_total{objective="o"}[5m]`, at))

	v, err := e.Query(t.Context(), `traces_span_metrics_duration_seconds[5m]`, at)
	require.NoError(t, err)
	histograms := v.(model.Matrix)[0].Histograms
	require.Len(t, histograms, 2)
	assert.Zero(t, histograms[0].Histogram.Count)
	assert.EqualValues(t, 3, histograms[1].Histogram.Count)
}

// TestTranslation: each kind of metric under its Prometheus name.
func TestTranslation(t *testing.T) {
	e := start(t, testConfig(t))
	x := startExporter(t, e)
	at := now()
	md, sm := resource(map[string]any{
		"service.name": "checkout", "service.namespace": "shop", "service.instance.id": "i-1",
		"service.version": "1.2", "host.name": "h",
	})
	addPoint(newSum(sm, "http.requests", cumulative), at, 5, "http.route", "/pay", "service.version", "own")
	gauge := sm.Metrics().AppendEmpty()
	gauge.SetName("queue.length")
	addPoint(gauge.SetEmptyGauge().DataPoints(), at, 3)
	classic := sm.Metrics().AppendEmpty()
	classic.SetName("latency")
	classic.SetUnit("ms")
	h := classic.SetEmptyHistogram()
	h.SetAggregationTemporality(cumulative)
	p := h.DataPoints().AppendEmpty()
	p.SetTimestamp(pcommon.NewTimestampFromTime(at))
	p.ExplicitBounds().FromRaw([]float64{10, 100})
	p.BucketCounts().FromRaw([]uint64{1, 2, 3})
	p.SetCount(6)
	p.SetSum(600)
	summary := sm.Metrics().AppendEmpty()
	summary.SetName("old")
	sp := summary.SetEmptySummary().DataPoints().AppendEmpty()
	sp.SetTimestamp(pcommon.NewTimestampFromTime(at))
	sp.SetCount(4)
	require.NoError(t, x.ConsumeMetrics(t.Context(), md))

	for expr, want := range map[string]float64{
		`http_requests_total{job="shop/checkout", instance="i-1", http_route="/pay"}`:       5,
		`http_requests_total{service_version="own"}`:                                        5, // a point's own attribute wins
		`queue_length{service_name="checkout", service_version="1.2"}`:                      3,
		`queue_length{host_name=""}`:                                                        3, // not promoted
		`latency_milliseconds_bucket{le="100"}`:                                             3,
		`latency_milliseconds_bucket{le="+Inf"}`:                                            6,
		`latency_milliseconds_sum`:                                                          600,
		`old_count`:                                                                         4,
		`target_info{job="shop/checkout", host_name="h", service_version="1.2"}`:            1,
		`queue_length * on(job, instance) group_left(host_name) target_info{host_name="h"}`: 3,
	} {
		assert.InDelta(t, want, number(t, e, expr, at), 0, expr)
	}
}

// TestNamesWithoutSuffixes stores metrics under their original names, as the gateway's own endpoint has them.
func TestNamesWithoutSuffixes(t *testing.T) {
	e := start(t, testConfig(t))
	x := startExporter(t, e, func(c *ExporterConfig) { c.TranslationStrategy = otlptranslator.UnderscoreEscapingWithoutSuffixes })
	at := now()
	md, sm := resource(gateway)
	addPoint(newSum(sm, "http.requests", cumulative), at, 5)
	require.NoError(t, x.ConsumeMetrics(t.Context(), md))
	assert.InDelta(t, 5, number(t, e, "http_requests", at), 0)
	assert.InDelta(t, 0, number(t, e, "count(http_requests_total) or vector(0)", at), 0)
}

// TestNativeHistogram asks for a quantile of an exponential histogram.
func TestNativeHistogram(t *testing.T) {
	e := start(t, testConfig(t))
	x := startExporter(t, e)
	at := now()
	md, sm := resource(gateway)
	newExponential(sm, "traces.span.metrics.duration", at.Add(-time.Minute))
	addExponential(sm.Metrics().At(0).ExponentialHistogram().DataPoints(), at, 90, 9, 1)
	require.NoError(t, x.ConsumeMetrics(t.Context(), md))

	p50 := number(t, e, `histogram_quantile(0.5, increase(traces_span_metrics_duration_seconds[5m]))`, at)
	assert.True(t, p50 > 1 && p50 <= 2, "half of the spans took 1 to 2 s, the quantile says %v", p50)
	p999 := number(t, e, `histogram_quantile(0.999, increase(traces_span_metrics_duration_seconds[5m]))`, at)
	assert.True(t, p999 > 4 && p999 <= 8, "the slowest took 4 to 8 s, the quantile says %v", p999)
	assert.InDelta(t, 0.99, number(t, e, `histogram_fraction(0, 4, traces_span_metrics_duration_seconds)`, at), 1e-9)
}

// TestDelta sums the metrics of an SDK with delta temporality, and does not change its input.
func TestDelta(t *testing.T) {
	e := start(t, testConfig(t))
	x := startExporter(t, e)
	at := now()
	for i := range 3 {
		md, sm := resource(gateway)
		points := newSum(sm, "jobs", delta)
		addPoint(points, at.Add(time.Duration(i-2)*10*time.Second), 5)
		points.At(0).SetStartTimestamp(pcommon.NewTimestampFromTime(at.Add(time.Duration(i-3) * 10 * time.Second)))
		addPoint(newSum(sm, "plain", cumulative), at.Add(time.Duration(i-2)*10*time.Second), 5)
		before := pmetric.NewMetrics()
		md.CopyTo(before)
		require.NoError(t, x.ConsumeMetrics(t.Context(), md))
		require.Equal(t, before, md)
	}
	var values, plain []float64
	for _, s := range samples(t, e, `jobs_total[5m]`, at) {
		values = append(values, float64(s.Value))
	}
	for _, s := range samples(t, e, `plain_total[5m]`, at) {
		plain = append(plain, float64(s.Value))
	}
	assert.Equal(t, []float64{5, 10, 15}, values)
	assert.Equal(t, []float64{5, 5, 5}, plain)
}

// TestDeltaErrorIsPermanent: deltas that are in the sums must not be sent again. Others may be.
func TestDeltaErrorIsPermanent(t *testing.T) {
	e := start(t, testConfig(t))
	x := startExporter(t, e)
	summed := &metricsExporter{config: defaultExporterConfig().(*ExporterConfig), store: e}
	require.NoError(t, e.Shutdown(t.Context()))

	md, sm := resource(gateway)
	addPoint(newSum(sm, "jobs", delta), now(), 5)
	err := summed.appendSums(t.Context(), md)
	require.ErrorIs(t, err, errNotRunning)
	assert.True(t, consumererror.IsPermanent(err))
	for _, temporality := range []pmetric.AggregationTemporality{cumulative, delta} {
		md, sm = resource(gateway)
		addPoint(newSum(sm, "jobs", temporality), now(), 5)
		err = x.ConsumeMetrics(t.Context(), md)
		require.ErrorIs(t, err, errNotRunning)
		assert.False(t, consumererror.IsPermanent(err))
	}
}

// TestConcurrentWriters: many goroutines write their series at once, with reads in between.
func TestConcurrentWriters(t *testing.T) {
	e := start(t, testConfig(t))
	x := startExporter(t, e)
	at := now()
	const writers, rounds = 8, 20
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range rounds {
				md, sm := resource(gateway)
				addPoint(newSum(sm, "c", cumulative), at.Add(time.Duration(i-rounds)*time.Second), int64(i), "writer", fmt.Sprint(w))
				assert.NoError(t, x.ConsumeMetrics(t.Context(), md))
				_, err := e.Query(t.Context(), `count(c_total)`, at)
				assert.NoError(t, err)
			}
		})
	}
	wg.Wait()
	assert.InDelta(t, writers*rounds, number(t, e, `sum(count_over_time(c_total[5m]))`, at), 0)
}

// TestOrderDoesNotMatter sends the same points in any order and batching, as retries and several senders do.
func TestOrderDoesNotMatter(t *testing.T) {
	type point struct {
		series string
		second int
	}
	var all []point
	for i := range 120 {
		all = append(all, point{series: fmt.Sprint(i % 4), second: i / 4})
	}
	at := now()
	var want model.Value
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 0))
		points := slices.Clone(all)
		if seed > 0 { // the first round is in order, a request per point
			random.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
		}
		e := start(t, testConfig(t))
		x := startExporter(t, e)
		for len(points) > 0 {
			n := min(len(points), 1+int(seed)*random.IntN(20))
			md, sm := resource(gateway)
			sums := newSum(sm, "c", cumulative)
			newExponential(sm, "d", at)
			histograms := sm.Metrics().At(1).ExponentialHistogram().DataPoints()
			for _, p := range points[:n] {
				when := at.Add(time.Duration(p.second-30) * time.Second)
				addPoint(sums, when, int64(p.second), "series", p.series)
				addExponential(histograms, when, uint64(p.second), 1)
				histograms.At(histograms.Len()-1).Attributes().PutStr("series", p.series)
			}
			require.NoError(t, x.ConsumeMetrics(t.Context(), md))
			points = points[n:]
		}
		got, err := e.Query(t.Context(), `{series!=""}[5m]`, at)
		require.NoError(t, err)
		sort.Sort(got.(model.Matrix))
		require.Len(t, got, 8)
		if want == nil {
			want = got
		}
		require.Equal(t, want, got, "seed %d", seed)
	}
}

func TestExporterNeedsItsExtension(t *testing.T) {
	config := NewExporterFactory().CreateDefaultConfig()
	for _, test := range []struct {
		host hostOf
		want string
	}{
		{hostOf{}, `no extension "tsdb" is running`},
		{hostOf{component.NewID(componentType): remoteOf(t, "http://127.0.0.1:1")}, "send metrics there with prometheusremotewrite"},
	} {
		x, err := NewExporterFactory().CreateMetrics(t.Context(), exportertest.NewNopSettings(componentType), config)
		require.NoError(t, err)
		require.ErrorContains(t, x.Start(t.Context(), test.host), test.want)
		require.NoError(t, x.Shutdown(t.Context()))
	}
}

func TestUnjoin(t *testing.T) {
	a, b, c := errors.New("a"), errors.New("b"), errors.New("c")
	assert.Equal(t, []error{a, b, c}, unjoin(errors.Join(errors.Join(a, b), c)))
	assert.Empty(t, unjoin(nil))
}
