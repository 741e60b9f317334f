//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/demo/shop"
)

// rareMetrics have no series in a healthy demo, with the event that gives them some.
var rareMetrics = map[string]string{
	"otelcol_exporter_trace_store_evicted_traces": "the store gets full",
	"otelcol_processor_reconstruct_orphan_spans":  "a parent is missing",
	"otelcol_connector_sli_failed_flushes":        "the metrics pipeline refuses",
	"otelcol_connector_sli_overflow_spans":        "a limit of sli is reached",
	"otelcol_extension_slo_deliveries":            "an alert is delivered",
	"otelcol_extension_slo_failed_queries":        "the database does not answer",
	"otelcol_extension_tsdb_rejected_samples":     "a sample is rejected",
	"slowburn_slo_alerts":                         "an alert is pending or fires",
}

// foreignMetrics are the Collector's own metrics in alerts and dashboards, which no metadata.yaml of ours declares.
var foreignMetrics = []string{
	"otelcol_process_uptime", "otelcol_process_cpu_seconds", "otelcol_process_memory_rss",
	"otelcol_process_runtime_heap_alloc_bytes", "otelcol_receiver_accepted_spans", "otelcol_receiver_refused_spans",
}

// TestDashboardsShowDemo evaluates every expression of the dashboards in a gateway that stores its own metrics, while the demo's
// customers shop: each must be valid, and have a value unless it reads one of rareMetrics.
func TestDashboardsShowDemo(t *testing.T) {
	t.Parallel()
	g := startGateway(t, []string{"E2E_SELF=" + freePort(t)}, "../../deploy/monitoring/self.yaml", "testdata/self.yaml")
	shopUntilTheEnd(t, g.grpc)

	expressions := dashboardExpressions(t)
	for _, name := range foreignMetrics {
		expressions[name] = name
	}
	require.Greater(t, len(expressions), 80)
	empty := expressions
	require.Eventually(t, func() bool {
		left := map[string]string{}
		for where, expr := range empty {
			if !g.answers(t, where, expr) && !isRare(expr) {
				left[where] = expr
			}
		}
		empty = left
		return len(empty) == 0
	}, patience, time.Second, "%v have no value", &empty)
}

// isRare reports whether an expression reads one of rareMetrics.
func isRare(expr string) bool {
	for name := range rareMetrics {
		if strings.Contains(expr, name) {
			return true
		}
	}
	return false
}

// answers reports whether the expression has a value. An invalid expression fails the test.
func (g *gateway) answers(t *testing.T, where, expr string) bool {
	var answer struct {
		Status, Error string
		Data          struct{ Result []any }
	}
	status, body := g.request(t, "GET", "/api/v1/query?query="+url.QueryEscape(expr))
	require.NoError(t, json.Unmarshal(body, &answer), "%d %s", status, body)
	assert.Equal(t, "success", answer.Status, "%s: %s: %s", where, answer.Error, expr)
	return len(answer.Data.Result) > 0
}

// shopUntilTheEnd sends customers to the shop until the test ends, with a fault that most panels show.
func shopUntilTheEnd(t *testing.T, endpoint string) {
	s, err := shop.New(t.Context(), endpoint)
	require.NoError(t, err)
	for _, name := range []string{"errors", "skewed-clock"} {
		fault, err := shop.ParseFault(name)
		require.NoError(t, err)
		s.Faults.Set(fault, true)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var customers sync.WaitGroup
	for range 5 {
		customers.Go(func() {
			for ctx.Err() == nil {
				_, _ = s.Visit(context.WithoutCancel(ctx)) // errors are expected: faults are on
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		customers.Wait()
		closing, done := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer done()
		require.NoError(t, s.Close(closing))
	})
}

// dashboardExpressions returns the expressions of deploy/monitoring/dashboards, with Grafana's variables replaced, by their places.
func dashboardExpressions(t *testing.T) map[string]string {
	files, err := filepath.Glob("../../deploy/monitoring/dashboards/*.json")
	require.NoError(t, err)
	variables := strings.NewReplacer("$__rate_interval", "30s", "$job", ".*", "$instance", ".*", "$service", ".*", "$objective", ".*")
	all := map[string]string{}
	for _, file := range files {
		var board struct {
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &board))
		for _, p := range board.Panels {
			for _, target := range p.Targets {
				all[filepath.Base(file)+": "+p.Title+": "+target.Expr] = variables.Replace(target.Expr)
			}
		}
	}
	return all
}
