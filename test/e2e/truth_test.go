//go:build e2e

package e2e

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// ownCounters returns the gateway's counters, summed by name and the values of the given labels: "name value1 value2".
func ownCounters(t *testing.T, address string, labels ...string) map[string]float64 {
	t.Helper()
	resp, err := http.Get("http://" + address + "/metrics")
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	sums := map[string]float64{}
	for line := range strings.Lines(string(body)) {
		series, value, ok := strings.Cut(strings.TrimSpace(line), "} ")
		name, all, _ := strings.Cut(series, "{")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		require.NoError(t, err, line)
		for _, label := range labels {
			if m := regexp.MustCompile(`(?:^|,)` + label + `="([^"]*)"`).FindStringSubmatch(all); m != nil {
				name += " " + m[1]
			}
		}
		sums[name] += n
	}
	return sums
}

// postProtobuf sends traces over HTTP and returns the status.
func (g *gateway) postProtobuf(t *testing.T, td ptrace.Traces) int {
	t.Helper()
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	require.NoError(t, err)
	resp, err := http.Post("http://"+g.http+"/v1/traces", "application/x-protobuf", bytes.NewReader(body))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.StatusCode
}

// The Collector's counters are exact, to the span, in each component of the shipped pipelines, although spans pass as bytes.
func TestCollectorCountsWhatTravelsAsBytes(t *testing.T) {
	t.Parallel()
	metrics, env := ownMetrics(t)
	g := startGateway(t, []string{env}, "testdata/delivery.yaml", "testdata/metrics.yaml")
	made, client := newTraffic(91), g.client(t)
	const traces = 20
	for range traces { // all are kept, and half of the requests come over each protocol
		parts := made.trace(failing, time.Now())
		for i, td := range parts {
			if i%2 == 0 {
				send(t, client, td)
			} else {
				require.Equal(t, http.StatusOK, g.postProtobuf(t, td))
			}
		}
	}
	g.awaitSettled(t)
	const spans = traces * spansPerTrace
	counted := ownCounters(t, metrics, "processor", "exporter", "otel_signal")
	for name, want := range map[string]float64{
		"otelcol_receiver_accepted_spans":                                spans,
		"otelcol_processor_incoming_items memory_limiter traces":         spans,
		"otelcol_processor_outgoing_items memory_limiter traces":         spans,
		"otelcol_processor_memory_limiter_accepted_spans memory_limiter": spans,
		"otelcol_processor_memory_limiter_refused_spans memory_limiter":  0,
		"otelcol_processor_incoming_items reconstruct traces":            2 * spans, // once for each destination
		"otelcol_processor_outgoing_items reconstruct traces":            2 * spans,
		"otelcol_exporter_sent_spans otlp_grpc/backend":                  spans,
		"otelcol_exporter_sent_spans trace_store":                        spans,
		"otelcol_receiver_refused_spans":                                 0,
	} {
		assert.InDelta(t, want, counted[name], 0, name)
	}
	if t.Failed() {
		for name, n := range counted {
			if strings.HasPrefix(name, "otelcol_") && !strings.Contains(name, "bucket") {
				t.Log(name, n)
			}
		}
	}
}

// While memory_limiter refuses everything, /readyz reports it, and the refused spans are counted.
func TestNotReadyWhileMemoryIsShort(t *testing.T) {
	t.Parallel()
	metrics, env := ownMetrics(t)
	g := newGateway(t, builtGateway(t), []string{env, "SLOWBURN_BACKEND=" + freePort(t)}, "testdata/metrics.yaml",
		"yaml:processors::memory_limiter: {check_interval: 50ms, limit_percentage: 0, spike_limit_percentage: 0, limit_mib: 2, spike_limit_mib: 1}")
	g.process = start(t, "gateway", g.env, g.program, g.configs...)
	answer := ""
	require.Eventually(t, func() bool {
		resp, err := http.Get("http://" + g.web + "/readyz")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		answer = string(body)
		return err == nil && resp.StatusCode == http.StatusServiceUnavailable && strings.Contains(answer, "refuses spans: memory is above")
	}, patience, 50*time.Millisecond)
	made := newTraffic(92)
	sent := 0
	for range 5 {
		for _, td := range made.trace(boring, time.Now()) {
			require.Equal(t, http.StatusTooManyRequests, g.postProtobuf(t, td))
			sent += td.SpanCount()
		}
	}
	status, body := g.request(t, http.MethodGet, "/readyz")
	assert.Equal(t, http.StatusServiceUnavailable, status, "%s", body)
	counted := ownCounters(t, metrics, "processor", "otel_signal")
	for name, want := range map[string]float64{
		"otelcol_receiver_refused_spans":                                 float64(sent),
		"otelcol_processor_memory_limiter_refused_spans memory_limiter":  float64(sent),
		"otelcol_processor_memory_limiter_accepted_spans memory_limiter": 0,
		"otelcol_processor_incoming_items memory_limiter traces":         float64(sent),
		"otelcol_processor_outgoing_items memory_limiter traces":         0,
	} {
		assert.InDelta(t, want, counted[name], 0, name)
	}
}
