//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exemplar is one of Prometheus' API.
type exemplar struct {
	Labels struct {
		TraceID string `json:"trace_id"`
		SpanID  string `json:"span_id"`
	} `json:"labels"`
}

// exemplars queries the exemplars of a selector, of the last hour.
func (g *gateway) exemplars(t *testing.T, selector string) (found []exemplar) {
	t.Helper()
	now := time.Now()
	query := url.Values{
		"query": {selector}, "start": {now.Add(-time.Hour).Format(time.RFC3339)}, "end": {now.Add(time.Hour).Format(time.RFC3339)},
	}
	status, body := g.request(t, http.MethodGet, "/api/v1/query_exemplars?"+query.Encode())
	require.Equal(t, http.StatusOK, status, string(body))
	var answer struct {
		Data []struct {
			Exemplars []exemplar `json:"exemplars"`
		} `json:"data"`
	}
	require.NoError(t, json.Unmarshal(body, &answer))
	for _, series := range answer.Data {
		found = append(found, series.Exemplars...)
	}
	return found
}

// keptTrace is a stored trace, as far as the test reads it.
type keptTrace struct {
	Summary struct {
		Policy string `json:"policy"`
	} `json:"summary"`
	Spans []struct {
		ID string `json:"span_id"`
	} `json:"spans"`
}

// TestExemplarsResolve: every exemplar of the metrics is a span of a trace that is stored, though the policies keep a tenth; the
// objectives' pages list such traces, and marks survive a kill.
func TestExemplarsResolve(t *testing.T) {
	g := startGateway(t, nil, "testdata/exemplars.yaml")
	made, client := newTraffic(16), g.client(t)
	sendOrders := func() {
		for range 10 {
			td, _ := made.orders("checkout", 50)
			send(t, client, td)
		}
	}
	sendOrders()
	for _, selector := range []string{
		`slowburn_sli_bad_events_total{objective="orders"}`, `slowburn_sli_bad_events_total{objective="orders-fast"}`, `traces_span_metrics_duration_seconds`,
	} {
		var found []exemplar
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			found = g.exemplars(t, selector)
			assert.GreaterOrEqual(c, len(found), 3, selector)
		}, patience, 100*time.Millisecond)
		for _, e := range found {
			var trace keptTrace
			require.EventuallyWithT(t, func(c *assert.CollectT) { // the trace store commits in batches
				status, body := g.request(t, http.MethodGet, "/api/traces/v1/traces/"+e.Labels.TraceID)
				if assert.Equal(c, http.StatusOK, status, e.Labels.TraceID) {
					require.NoError(t, json.Unmarshal(body, &trace))
				}
			}, patience, 100*time.Millisecond)
			require.Contains(t, []string{"objective", "tenth"}, trace.Summary.Policy)
			require.Len(t, trace.Spans, 1)
			require.Equal(t, e.Labels.SpanID, trace.Spans[0].ID)
		}
	}
	for _, objective := range []string{"orders", "orders-fast"} {
		var listed struct {
			Traces []struct {
				Service string `json:"service"`
			} `json:"traces"`
		}
		status, body := g.request(t, http.MethodGet, "/api/slo/v1/objectives/"+objective+"/traces")
		require.Equal(t, http.StatusOK, status, string(body))
		require.NoError(t, json.Unmarshal(body, &listed))
		require.Len(t, listed.Traces, 3, string(body))
		require.Equal(t, "checkout", listed.Traces[0].Service)
	}
}

// TestMarksSurviveAKill: traces that were marked before a kill are kept after it.
func TestMarksSurviveAKill(t *testing.T) {
	g := startGateway(t, nil, "testdata/exemplars.yaml", "testdata/exemplars-wait.yaml")
	td, bad := newTraffic(17).orders("checkout", 50)
	require.Positive(t, bad)
	send(t, g.client(t), td)
	g.kill(t)
	g.start(t)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		status, body := g.request(t, http.MethodGet, "/api/traces/v1/search?policy=objective&limit=200")
		require.Equal(t, http.StatusOK, status, string(body))
		var page struct {
			Traces []struct{} `json:"traces"`
		}
		require.NoError(t, json.Unmarshal(body, &page))
		assert.NotEmpty(c, page.Traces)
	}, patience, 100*time.Millisecond)
}
