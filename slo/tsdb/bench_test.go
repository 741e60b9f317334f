package tsdb

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// flush returns metrics as sli sends them: a counter of two statuses and a histogram per operation.
func flush(series int) pmetric.Metrics {
	md, sm := resource(gateway)
	calls := newSum(sm, "traces.span.metrics.calls", cumulative)
	newExponential(sm, "traces.span.metrics.duration", time.Time{}, 1)
	durations := sm.Metrics().At(1).ExponentialHistogram().DataPoints()
	durations.RemoveIf(func(pmetric.ExponentialHistogramDataPoint) bool { return true })
	for i := range series / 3 {
		labels := []string{"service.name", fmt.Sprint("service-", i%50), "span.name", fmt.Sprint("GET /", i), "span.kind", "SPAN_KIND_SERVER"}
		addPoint(calls, time.Time{}, 1, append(labels, "status.code", "STATUS_CODE_UNSET")...)
		addPoint(calls, time.Time{}, 1, append(labels, "status.code", "STATUS_CODE_ERROR")...)
		addExponential(durations, time.Time{}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
		for j := 0; j < len(labels); j += 2 {
			durations.At(i).Attributes().PutStr(labels[j], labels[j+1])
		}
	}
	return md
}

// advance moves all points of a flush on.
func advance(md pmetric.Metrics, at time.Time) {
	sm := md.ResourceMetrics().At(0).ScopeMetrics().At(0)
	ts := pcommon.NewTimestampFromTime(at)
	for _, p := range sm.Metrics().At(0).Sum().DataPoints().All() {
		p.SetTimestamp(ts)
		p.SetIntValue(p.IntValue() + 3)
	}
	for _, p := range sm.Metrics().At(1).ExponentialHistogram().DataPoints().All() {
		p.SetTimestamp(ts)
		p.SetCount(p.Count() + 1)
		p.Positive().BucketCounts().SetAt(0, p.Positive().BucketCounts().At(0)+1)
	}
}

// BenchmarkFlush appends ten thousand series, as a flush every ten seconds does.
func BenchmarkFlush(b *testing.B) {
	const series = 9_999
	e := start(b, testConfig(b))
	x := startExporter(b, e)
	md := flush(series)
	at := time.Now().Add(-time.Hour)
	step := func() {
		at = at.Add(10 * time.Millisecond) // keeps the samples within the present however long it runs
		advance(md, at)
		require.NoError(b, x.ConsumeMetrics(b.Context(), md))
	}
	step() // creates the series
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
	b.ReportMetric(float64(series)*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "MiB-heap")
}

// BenchmarkRawSamples reads what the evaluation of objectives reads each minute: one minute of raw samples per series.
func BenchmarkRawSamples(b *testing.B) {
	e := start(b, testConfig(b))
	x := startExporter(b, e)
	md := flush(9_999)
	at := now()
	for i := range 7 {
		advance(md, at.Add(time.Duration(i-6)*10*time.Second))
		require.NoError(b, x.ConsumeMetrics(b.Context(), md))
	}
	b.ReportAllocs()
	for b.Loop() {
		v, err := e.Query(b.Context(), `traces_span_metrics_calls_total[1m]`, at)
		require.NoError(b, err)
		require.Len(b, v, 6_666)
	}
}

// BenchmarkOpen opens and closes an empty database.
func BenchmarkOpen(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, start(b, testConfig(b)).Shutdown(b.Context()))
	}
}
