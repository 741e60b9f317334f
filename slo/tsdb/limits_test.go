package tsdb

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/slowburn/slowburn/internal/partial"
	"github.com/slowburn/slowburn/slo/internal/own"
)

// counters are metrics with a number of series.
func counters(name string, from, to int, at time.Time) pmetric.Metrics {
	md, sm := resource(gateway)
	points := newSum(sm, name, cumulative)
	for i := from; i < to; i++ {
		addPoint(points, at, 1, "i", fmt.Sprint(i))
	}
	return md
}

// withRoom returns a database with the smallest limit for others' series.
func withRoom(t *testing.T) *Config {
	t.Helper()
	config := testConfig(t)
	config.MaxSeries = minSeries
	return config
}

// TestMaxSeries: new series of others are refused at the limit, known ones are stored, the sender is notified, and the gateway's
// own are all stored. The same holds after a restart, earlier series included.
func TestMaxSeries(t *testing.T) {
	config := withRoom(t)
	at := now().Add(-time.Minute)
	step := func() time.Time { at = at.Add(time.Second); return at }
	e, telemetry := measured(t, config)
	x := startExporter(t, e)

	ctx, rejected := partial.NewContext(t.Context())
	require.NoError(t, x.ConsumeMetrics(ctx, counters("foreign", 0, minSeries+500, step())))
	items, why := rejected.Items()
	assert.EqualValues(t, 500, items)
	assert.Contains(t, why, "max_series is reached: raise it, or send fewer series")
	assert.Equal(t, map[string]int64{"max_series": 500}, counts(t, telemetry, "otelcol_extension_tsdb_rejected_samples", "reason"))

	require.NoError(t, x.ConsumeMetrics(own.Mark(t.Context()), counters("own", 0, 2*minSeries, step())))
	ctx, rejected = partial.NewContext(t.Context())
	require.NoError(t, x.ConsumeMetrics(ctx, counters("foreign", 0, minSeries, step())))
	items, _ = rejected.Items()
	assert.Zero(t, items, "what has a series keeps it")
	assert.InDelta(t, minSeries, number(t, e, `count(foreign_total)`, at), 0)
	assert.InDelta(t, 2*minSeries, number(t, e, `count(own_total)`, at), 0)
	for name, want := range map[string]int64{"otelcol_extension_tsdb_foreign_series": minSeries, "otelcol_extension_tsdb_max_series": minSeries, "otelcol_extension_tsdb_head_series": 3 * minSeries} {
		assert.Equal(t, want, gauge(t, telemetry, name), name)
	}
	health := e.Probe(t.Context())
	assert.True(t, health.OK, "spans and the gateway's own metrics are taken")
	assert.Contains(t, health.Message, "other senders' series reached max_series (1000)")
	require.NoError(t, e.Shutdown(t.Context()))

	e = start(t, config)
	x = startExporter(t, e)
	require.NoError(t, x.ConsumeMetrics(own.Mark(t.Context()), counters("own", 0, 2*minSeries+100, step())))
	require.NoError(t, x.ConsumeMetrics(t.Context(), counters("foreign", 0, minSeries+100, step())))
	assert.InDelta(t, minSeries, number(t, e, `count(foreign_total)`, at), 0)
	assert.InDelta(t, 2*minSeries+100, number(t, e, `count(own_total)`, at), 0)
}

// TestMoreThanMaxSeriesAtStart: a smaller limit removes the excess series of a database, but none of the gateway's own.
func TestMoreThanMaxSeriesAtStart(t *testing.T) {
	config := testConfig(t)
	config.MaxSeries = 10 * minSeries
	at := now()
	e := start(t, config)
	x := startExporter(t, e)
	require.NoError(t, x.ConsumeMetrics(t.Context(), counters("foreign", 0, 10*minSeries, at)))
	require.NoError(t, x.ConsumeMetrics(own.Mark(t.Context()), counters("slowburn.sli.events", 0, minSeries, at)))
	require.NoError(t, e.Shutdown(t.Context()))

	config.MaxSeries = minSeries
	e = start(t, config)
	assert.Contains(t, e.Probe(t.Context()).Message, "7000 series of other senders, over max_series, were left out at the start")
	assert.InDelta(t, minSeries, number(t, e, `count(slowburn_sli_events_total)`, at), 0)
	assert.InDelta(t, 3*minSeries, number(t, e, `count(foreign_total)`, at), 0)
	ctx, rejected := partial.NewContext(t.Context())
	require.NoError(t, startExporter(t, e).ConsumeMetrics(ctx, counters("more", 0, 10, at)))
	items, _ := rejected.Items()
	assert.EqualValues(t, 10, items)
	require.NoError(t, e.Shutdown(t.Context()))
	assert.NotContains(t, start(t, config).Probe(t.Context()).Message, "left out")
}

// A series counts even if the database then refuses the sample for which it was created.
func TestRefusedSamplesMakeNoRoom(t *testing.T) {
	config := withRoom(t)
	e := start(t, config)
	x := startExporter(t, e)
	at := now()
	require.NoError(t, x.ConsumeMetrics(t.Context(), counters("first", 0, 1, at)))
	for i := range 4 {
		require.NoError(t, x.ConsumeMetrics(t.Context(), counters("late", i*minSeries, (i+1)*minSeries, at.Add(-3*time.Hour))))
	}
	assert.LessOrEqual(t, e.backend.(*embedded).db.Head().NumSeries(), uint64(minSeries))
}

// A native histogram counts by its buckets, including those that are added later.
func TestHistogramsCountByBuckets(t *testing.T) {
	e := start(t, withRoom(t))
	x := startExporter(t, e)
	at := now().Add(-time.Minute)
	send := func(n, buckets int) {
		at = at.Add(time.Second)
		md, sm := resource(gateway)
		newExponential(sm, "h", at)
		points := sm.Metrics().At(0).ExponentialHistogram().DataPoints()
		points.RemoveIf(func(pmetric.ExponentialHistogramDataPoint) bool { return true })
		for i := range n {
			p := points.AppendEmpty()
			p.SetTimestamp(pcommon.NewTimestampFromTime(at))
			p.Attributes().PutInt("i", int64(i))
			filled := make([]uint64, buckets)
			for b := range filled {
				filled[b] = uint64(b + 1)
			}
			p.Positive().BucketCounts().FromRaw(filled)
			p.SetCount(uint64(buckets * (buckets + 1) / 2))
		}
		require.NoError(t, x.ConsumeMetrics(t.Context(), md))
	}
	send(minSeries/2, 1)
	_, foreign := e.backend.(*embedded).census.Counts()
	assert.Equal(t, minSeries/2, foreign.Units)
	send(minSeries/2, 160)
	_, foreign = e.backend.(*embedded).census.Counts()
	assert.LessOrEqual(t, foreign.Units, minSeries)
	assert.InDelta(t, minSeries/2/10, number(t, e, `count(histogram_count(h_seconds) > 100)`, at), 1, "the others have no room to grow")
}

// TestHugeLabels: labels that would make the database panic, or exhaust memory, are refused beforehand.
func TestHugeLabels(t *testing.T) {
	e, telemetry := measured(t, testConfig(t))
	x := startExporter(t, e)
	at := now()
	huge := strings.Repeat("x", 17<<20)
	for _, attributes := range []map[string]any{gateway, {"service.name": huge}, {"service.name": "s", "host.name": huge}} {
		md, sm := resource(attributes)
		addPoint(newSum(sm, "good", cumulative), at, 1)
		addPoint(newSum(sm, "value", cumulative), at, 1, "k", huge)
		addPoint(newSum(sm, "name", cumulative), at, 1, huge, "v")
		addPoint(newSum(sm, huge, cumulative), at, 1)
		require.NoError(t, x.ConsumeMetrics(t.Context(), md))
	}
	assert.Equal(t, map[string]int64{"label_value": 2*2 + 4, "label_name": 2}, counts(t, telemetry, "otelcol_extension_tsdb_rejected_samples", "reason"))
	assert.InDelta(t, 2, number(t, e, `count(good_total)`, at), 0)
	assert.InDelta(t, 0, number(t, e, `count(target_info{host_name!=""}) or vector(0)`, at), 0)
}

// Points a month apart need no target_info for every minute between.
func TestWideResource(t *testing.T) {
	e, telemetry := measured(t, testConfig(t))
	x := startExporter(t, e)
	at := now()
	md, sm := resource(map[string]any{"service.name": "s", "host.name": "h"})
	points := newSum(sm, "c", cumulative)
	addPoint(points, at.Add(-30*24*time.Hour), 1)
	addPoint(points, at, 2)
	require.NoError(t, x.ConsumeMetrics(t.Context(), md))
	assert.InDelta(t, 1, number(t, e, `target_info{host_name="h"}`, at), 0)
	assert.InDelta(t, 2, number(t, e, `c_total`, at), 0)
	assert.LessOrEqual(t, counts(t, telemetry, "otelcol_extension_tsdb_appended_samples", "")[""], int64(3))
}

// The gateway's own metrics do not wait for the translation of others' requests.
func TestOwnMetricsDoNotWaitForOthers(t *testing.T) {
	e := start(t, testConfig(t))
	x := startExporter(t, e)
	db := e.backend.(*embedded)
	for range maxTranslating {
		db.foreign <- struct{}{}
	}
	require.NoError(t, x.ConsumeMetrics(own.Mark(t.Context()), counters("own", 0, 1, now())))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, x.ConsumeMetrics(ctx, counters("foreign", 0, 1, now())), context.Canceled)
}

func TestSeriesWithin(t *testing.T) {
	for limit, want := range map[int64]int{128 << 20: leastSeries, 1 << 30: 32768, 4 << 30: 131072, 1 << 40: mostSeries} {
		assert.Equal(t, want, seriesWithin(limit))
	}
}

// TestSeriesBytes measures seriesBytes: the heap of series of typical length, with a fifth for garbage. It is slow, so it runs
// only with SERIES_BYTES=1.
func TestSeriesBytes(t *testing.T) {
	if os.Getenv("SERIES_BYTES") == "" {
		t.Skip("set SERIES_BYTES=1 to measure")
	}
	const series = 100_000
	config := testConfig(t)
	config.MaxSeries = 2 * series
	e := start(t, config)
	x := startExporter(t, e)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	at := now().Add(-time.Hour)
	for round := range 5 {
		for part := range 10 {
			md := counters("http_server_request_duration_seconds", part*series/10, (part+1)*series/10, at.Add(time.Duration(round)*15*time.Second))
			for _, p := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Sum().DataPoints().All() {
				p.Attributes().PutStr("http.route", "/api/v1/customers/{customer}/orders")
				p.Attributes().PutStr("http.request.method", "GET")
				p.Attributes().PutStr("url.scheme", "https")
				p.Attributes().PutStr("server.address", "checkout.shop.svc.cluster.local")
			}
			require.NoError(t, x.ConsumeMetrics(t.Context(), md))
		}
	}
	per := (heap() - before) / series
	t.Logf("%d bytes for a series", per)
	assert.Less(t, per*6/5, uint64(seriesBytes))
}
