//go:build e2e

package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// hostileLimit is the allowed growth of the process under hostile metrics, in bytes.
const hostileLimit = 350 << 20

// manySeries returns small requests with many series: numbers, each with its own label value, or histograms with many buckets. No two
// requests have a series in common.
func manySeries(request, n int) map[string]pmetric.Metrics {
	at := pcommon.NewTimestampFromTime(time.Now())
	numbers := pmetric.NewMetrics()
	gauge := hostileScope(numbers, "s").Metrics().AppendEmpty()
	gauge.SetName(fmt.Sprint("n", request))
	points := gauge.SetEmptyGauge().DataPoints()
	for i := range n {
		point := points.AppendEmpty()
		point.SetTimestamp(at)
		point.Attributes().PutInt("i", int64(i))
	}
	buckets := func(count, of int) pmetric.Metrics {
		md := pmetric.NewMetrics()
		scope := hostileScope(md, "s")
		for i := range count {
			m := scope.Metrics().AppendEmpty()
			m.SetName(fmt.Sprint("h", request, "x", i, "x", of))
			h := m.SetEmptyHistogram()
			h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			p := h.DataPoints().AppendEmpty()
			p.SetTimestamp(at)
			bounds := make([]float64, of)
			for b := range bounds {
				bounds[b] = float64(b)
			}
			p.ExplicitBounds().FromRaw(bounds)
			p.BucketCounts().FromRaw(make([]uint64, of+1))
		}
		return md
	}
	return map[string]pmetric.Metrics{
		"numbers": numbers, "few large histograms": buckets(2, n/2), "many histograms": buckets(n/500, 500),
	}
}

func hostileScope(md pmetric.Metrics, service string) pmetric.ScopeMetrics {
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", service)
	rm.Resource().Attributes().PutStr("host.name", "h")
	return rm.ScopeMetrics().AppendEmpty()
}

// postMetrics posts metrics with gzip. It returns the status, the number of rejected data points, and the length of the body.
func (g *gateway) postMetrics(t *testing.T, md pmetric.Metrics) (status int, rejected int64, length int) {
	t.Helper()
	raw, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	require.NoError(t, err)
	var body bytes.Buffer
	w := gzip.NewWriter(&body)
	_, err = w.Write(raw)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	length = body.Len()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+g.http+"/v1/metrics", &body)
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("Content-Encoding", "gzip")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	told := pmetricotlp.NewExportResponse()
	if resp.StatusCode == http.StatusOK {
		require.NoError(t, told.UnmarshalProto(answer))
	}
	return resp.StatusCode, told.PartialSuccess().RejectedDataPoints(), length
}

// TestHostileMetrics checks that metrics with many series, large labels or points far apart do not end the gateway, and take no more
// memory than their share. Spans and the gateway's own series are still stored, also after a restart.
func TestHostileMetrics(t *testing.T) {
	parallelHeavy(t)
	const series = 600_000
	g := startGateway(t, nil, "testdata/sampling.yaml", "testdata/max-series.yaml")
	idle := residentBytes(t, g.cmd.Process.Pid)
	spans := 0
	send := func() {
		spans += 10
		require.Equal(t, http.StatusOK, g.postProtobuf(t, hostileSpans(spans/10)))
	}
	send()

	refused := 0
	for request := range 7 {
		for name, md := range manySeries(request, series/3) {
			status, rejected, length := g.postMetrics(t, md)
			require.Less(t, length, 1<<20, name)
			if status != http.StatusOK { // the intake's budget may be used up
				assert.Contains(t, []int{http.StatusTooManyRequests, http.StatusRequestEntityTooLarge}, status, name)
				refused++
				continue
			}
			assert.Positive(t, rejected, "%s: the answer has the number of rejected points", name)
		}
		send()
	}
	assert.Less(t, refused, 7*3, "all requests were refused")

	conn, err := grpc.NewClient(g.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	for _, md := range largeMetrics() {
		// Any answer is valid while the gateway lives: messages above the limit are refused earlier.
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		_, err := pmetricotlp.NewGRPCClient(conn).Export(ctx, pmetricotlp.NewExportRequestFromMetrics(md))
		cancel()
		if err != nil {
			assert.NotContains(t, err.Error(), "EOF")
		}
		status, _, _ := g.postMetrics(t, md)
		assert.Less(t, status, http.StatusInternalServerError)
	}
	send()
	peak := peakResidentMiB(t, g.cmd.Process.Pid) << 20
	t.Logf("resident %d MiB idle, %d MiB at the peak", idle>>20, peak>>20)
	assert.Less(t, peak-idle, hostileLimit, "metrics take more than their share")

	check := func() {
		assert.Equal(t, http.StatusOK, g.readyz(t).status)
		require.Eventually(t, func() bool {
			return g.query(t, `sum(traces_span_metrics_calls_total{service_name="calm"}) or vector(0)`, time.Now()) == float64(spans) &&
				g.query(t, `sum(slowburn_sli_events_total{objective="availability",service_name="calm"}) or vector(0)`, time.Now()) == float64(spans)
		}, patience, 500*time.Millisecond, "the gateway's own series do not count all of %d spans", spans)
	}
	check()
	status, body := g.request(t, http.MethodGet, "/readyz")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, string(body), "reached max_series (2000)")

	g.stop(t)
	g.start(t)
	send()
	check()
	status, rejected, _ := g.postMetrics(t, manySeries(99, 5000)["numbers"])
	assert.Equal(t, http.StatusOK, status)
	assert.EqualValues(t, 5000, rejected, "series from before the restart count towards the limit")
	assert.Less(t, peakResidentMiB(t, g.cmd.Process.Pid)<<20-idle, hostileLimit)
}

// hostileSpans returns spans that the shipped objectives count.
func hostileSpans(request int) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "calm")
	ss := rs.ScopeSpans().AppendEmpty()
	for i := range 10 {
		span := ss.Spans().AppendEmpty()
		span.SetTraceID(pcommon.TraceID{1, byte(request), byte(i)})
		span.SetSpanID(pcommon.SpanID{1, byte(i)})
		span.SetName("GET /")
		span.SetKind(ptrace.SpanKindServer)
		end := time.Now()
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(end.Add(-time.Millisecond)))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(end))
	}
	return td
}

// largeMetrics returns requests that each have one large part: a label, a name, a resource's label that all points have, or the time
// between two points of a resource.
func largeMetrics() []pmetric.Metrics {
	huge := strings.Repeat("x", 16<<20+1)
	now := time.Now()
	point := func(md pmetric.Metrics, service string, at time.Time) pmetric.NumberDataPoint {
		m := hostileScope(md, service).Metrics().AppendEmpty()
		m.SetName("large")
		p := m.SetEmptyGauge().DataPoints().AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(at))
		return p
	}
	value, name, metric, resource, wide := pmetric.NewMetrics(), pmetric.NewMetrics(), pmetric.NewMetrics(), pmetric.NewMetrics(), pmetric.NewMetrics()
	point(value, "s", now).Attributes().PutStr("k", huge)
	point(name, "s", now).Attributes().PutStr(huge, "v")
	point(metric, "s", now)
	metric.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).SetName(huge)
	m := hostileScope(resource, huge[:1<<20]).Metrics().AppendEmpty()
	m.SetName("large")
	points := m.SetEmptyGauge().DataPoints()
	for i := range 50_000 {
		p := points.AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(now))
		p.Attributes().PutInt("i", int64(i))
	}
	for i := range 2000 {
		service := fmt.Sprint("wide", i)
		point(wide, service, now)
		wide.ResourceMetrics().At(i).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().AppendEmpty().
			SetTimestamp(pcommon.NewTimestampFromTime(now.Add(-30 * 24 * time.Hour)))
	}
	return []pmetric.Metrics{value, name, metric, resource, wide}
}
