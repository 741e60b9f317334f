package sli

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// TestLimits: series stay few, what objectives name keeps its name, and no event is lost.
func TestLimits(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Limits = Limits{Services: 2, Operations: 3, Versions: 2, Reasons: 2}
	sink := new(consumertest.MetricsSink)
	p := newPair(t, cfg, consumertest.NewNop(), sink)
	p.start(t, shop()...)
	var spans []testSpan
	for i := range 10 {
		for j := range 10 {
			spans = append(spans, testSpan{service: fmt.Sprint("s", i), version: fmt.Sprint("v", j), name: fmt.Sprint("op", j),
				status: ptrace.StatusCodeError, attributes: map[string]any{"error.type": fmt.Sprint("e", j)}})
		}
	}
	spans = append(spans,
		testSpan{service: "checkout", name: "GET /orders"},
		testSpan{service: "checkout", name: "POST /orders"},
		testSpan{service: "s1", name: "GET /orders"},
	)
	require.NoError(t, p.consume(context.Background(), traces(t, spans...)))
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
	assert.Equal(t, set("s0", "s1", "checkout", other), labels["service.name"])
	assert.Equal(t, set("op0", "op1", "op2", "GET /orders", "POST /orders", other), labels["span.name"])
	assert.Equal(t, set("v0", "v1", "", other), labels["service.version"])
	assert.Equal(t, set("error", "e0", "e1", other), labels["reason"])
	assert.Equal(t, "1", got["slowburn.sli.events{objective=orders,service.name=checkout,service.version=,span.name=GET /orders}"])
}

func set(values ...string) map[string]bool {
	m := map[string]bool{}
	for _, v := range values {
		m[v] = true
	}
	return m
}

func TestClean(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"as it is", "GET /orders/{id}", "GET /orders/{id}"},
		{"umlauts", "Bestellung bestätigen", "Bestellung bestätigen"},
		{"not UTF-8", "a\xff\xfeb", "a\uFFFDb"},
		{"too long", strings.Repeat("x", 1000), strings.Repeat("x", maxLabel)},
		{"not cut within a character", strings.Repeat("x", maxLabel-1) + "ä", strings.Repeat("x", maxLabel-1)},
		{"not UTF-8 at the cut", strings.Repeat("\x80", 1000), "\uFFFD"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := clean(tt.in)
			assert.Equal(t, tt.want, got)
			assert.True(t, utf8.ValidString(got))
		})
	}
}

// TestNamesThatCleanToOne are one series, for a TSDB takes no series twice.
func TestNamesThatCleanToOne(t *testing.T) {
	sink := new(consumertest.MetricsSink)
	p := newPair(t, nil, nil, sink)
	p.start(t)
	long := strings.Repeat("x", maxLabel)
	require.NoError(t, p.consume(context.Background(), traces(t,
		testSpan{service: "a", name: long + "1"}, testSpan{service: "a", name: long + "2"}, testSpan{service: "a", name: long})))
	p.shutdown(t)
	got := values(sink.AllMetrics()...)
	assert.Len(t, got, 2)
	assert.Equal(t, "3", got[strings.ReplaceAll(callsOfPing, "ping", long)])
}
