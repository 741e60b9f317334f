//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/slowburn/slowburn/web/api"
)

// The backlog of a backend that is down stays within its budget: the gateway gives up and counts its oldest traces without an
// error. No other destination and no undecided trace loses spans.
func TestBacklogHasABudget(t *testing.T) {
	t.Parallel()
	dead, healthy := startBackend(t), startBackend(t)
	dead.answer(t, away)
	g := startExporting(t, "yaml:processors::tail_sampling: {disk_budget: 64MiB, delivery_budget: 16MiB}", exporters(
		exporter{id: "otlp_grpc/dead", endpoint: dead.grpc},
		exporter{id: "otlp_grpc/healthy", endpoint: healthy.grpc},
	))
	made := newTraffic(69)
	var sent, failed []ptrace.Traces
	for range 40 { // about 45 MB, at most a third of disk_budget within a wait of two seconds
		some := made.traces(200, boring)
		broken := made.traces(4, failing)
		failed = append(failed, broken...)
		some = append(some, broken...)
		g.sendAll(t, some)
		sent = append(sent, some...)
		time.Sleep(200 * time.Millisecond)
	}
	healthy.awaitAll(t, 2*soon, sent)
	var d api.Destination
	require.Eventually(t, func() bool {
		d = g.destinations(t).of(t, "otlp_grpc/dead")
		return d.UndeliveredTraces > 0
	}, soon, 200*time.Millisecond, "nothing was given up")
	assert.Equal(t, d.UndeliveredTraces*spansPerTrace, d.UndeliveredSpans)
	assert.LessOrEqual(t, d.Backlog.Bytes, int64(33<<20/2), "the backlog is over its budget")
	state := g.readyz(t)
	assert.Equal(t, 200, state.status)
	assert.True(t, state.names("otlp_grpc/dead"), "/readyz names the destination: %+v", state)
	assert.Zero(t, g.destinations(t).of(t, "otlp_grpc/healthy").UndeliveredTraces)

	dead.answer(t)
	dead.awaitAll(t, 2*soon, failed)
	g.awaitSettled(t)
	missing, repeated := count(sent...).missing(count(dead.spans(t)))
	assert.EqualValues(t, g.destinations(t).of(t, "otlp_grpc/dead").UndeliveredSpans, missing, "the missing spans are the counted ones")
	assert.Zero(t, repeated)
	missing, _ = count(sent[len(sent)-100:]...).missing(count(dead.spans(t)))
	assert.Zero(t, missing, "the latest traces stay")
}

// With `when_full: refuse` no trace is given up: spans are refused until there is room.
func TestFullBacklogRefuses(t *testing.T) {
	t.Parallel()
	dead := startBackend(t)
	dead.answer(t, away)
	g := startExporting(t, "yaml:processors::tail_sampling: {disk_budget: 64MiB, delivery_budget: 8MiB, when_full: refuse}",
		exporters(exporter{id: "otlp_grpc/dead", endpoint: dead.grpc}))
	made, client := newTraffic(70), g.client(t)
	var acknowledged []ptrace.Traces
	send := func(td ptrace.Traces) bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := client.Export(ctx, ptraceotlp.NewExportRequestFromTraces(merged(td)))
		if err == nil {
			acknowledged = append(acknowledged, td)
		}
		return err == nil
	}
	refused := false
	for end := time.Now().Add(soon); !refused && time.Now().Before(end); {
		refused = !send(merged(made.traces(50, boring)...))
		time.Sleep(10 * time.Millisecond)
	}
	require.True(t, refused, "spans are accepted although the backlog is full")
	for range 8 { // a sender that backs off waits longer than five seconds between requests
		status, body := g.request(t, http.MethodGet, "/readyz")
		require.Equal(t, http.StatusServiceUnavailable, status, "%s", body)
		require.Contains(t, string(body), "refuses spans: delivery_budget of 8MiB is used up")
		time.Sleep(time.Second)
	}
	dead.answer(t)
	require.Eventually(t, func() bool { return send(made.traces(1, boring)[0]) }, 2*soon, 100*time.Millisecond,
		"spans are refused although there is room again")
	g.awaitReady(t)
	dead.awaitAll(t, 2*soon, acknowledged)
	assert.Zero(t, g.destinations(t).of(t, "otlp_grpc/dead").UndeliveredTraces)
}
