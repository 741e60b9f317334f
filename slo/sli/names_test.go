package sli

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/slo/sli/internal/count"
	"github.com/slowburn/slowburn/slo/sli/internal/slitest"
)

// TestLimits: the number of series is bounded, names in objectives keep their series, and no event is lost.
func TestLimits(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Limits = Limits{Services: 2, Operations: 3, Versions: 2, Reasons: 2}
	sink := new(consumertest.MetricsSink)
	p := newPair(t, cfg, consumertest.NewNop(), sink)
	p.start(t, shop()...)
	var spans []slitest.Span
	for i := range 10 {
		for j := range 10 {
			spans = append(spans, slitest.Span{Service: fmt.Sprint("s", i), Version: fmt.Sprint("v", j), Name: fmt.Sprint("op", j),
				Status: ptrace.StatusCodeError, Attributes: map[string]any{"error.type": fmt.Sprint("e", j)}})
		}
	}
	spans = append(spans,
		slitest.Span{Service: "checkout", Name: "GET /orders"},
		slitest.Span{Service: "checkout", Name: "POST /orders"},
		slitest.Span{Service: "s1", Name: "GET /orders"},
	)
	require.NoError(t, p.consume(context.Background(), slitest.Traces(t, spans...)))
	p.shutdown(t)

	got := values(sink.AllMetrics()...)
	total, bad, calls := 0, 0, 0
	labels := map[string]map[string]bool{"service.name": {}, "span.name": {}, "service.version": {}, "reason": {}}
	for series, v := range got {
		var n int
		_, err := fmt.Sscan(v, &n)
		require.NoError(t, err)
		switch {
		case strings.HasPrefix(series, metricCalls):
			calls += n
		case strings.HasPrefix(series, metricEvents+"{objective=everything,"):
			total += n
		case strings.HasPrefix(series, metricBadEvents+"{objective=everything,"):
			bad += n
		}
		_, list, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
		for _, label := range strings.Split(list, ",") {
			k, v, _ := strings.Cut(label, "=")
			if labels[k] != nil {
				labels[k][v] = true
			}
		}
	}
	assert.Equal(t, len(spans), calls)
	assert.Equal(t, len(spans), total)
	assert.Equal(t, 100, bad)
	assert.Equal(t, set("s0", "s1", "checkout", count.Other), labels["service.name"])
	assert.Equal(t, set("op0", "op1", "op2", "GET /orders", "POST /orders", count.Other), labels["span.name"])
	assert.Equal(t, set("v0", "v1", "", count.Other), labels["service.version"])
	assert.Equal(t, set("error", "e0", "e1", count.Other), labels["reason"])
	assert.Equal(t, "1", got["slowburn.sli.events{objective=orders,service.name=checkout,service.version=,span.name=GET /orders}"])
}

func set(values ...string) map[string]bool {
	m := map[string]bool{}
	for _, v := range values {
		m[v] = true
	}
	return m
}

// TestNamesThatBecomeEqual: names that become equal when they are cleaned share one series, as a TSDB accepts no series twice.
func TestNamesThatBecomeEqual(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	p := newPair(t, nil, nil, sink)
	p.start(t)
	long := strings.Repeat("x", 256) // the longest label, in bytes
	require.NoError(t, p.consume(context.Background(), slitest.Traces(t,
		slitest.Span{Service: "a", Name: long + "1"}, slitest.Span{Service: "a", Name: long + "2"}, slitest.Span{Service: "a", Name: long})))
	p.shutdown(t)
	got := values(sink.AllMetrics()...)
	assert.Len(t, got, 2)
	assert.Equal(t, "3", got[strings.ReplaceAll(callsOfPing, "ping", long)])
}
