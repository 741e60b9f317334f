package tsdb

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// TestGrafana does what Grafana's Prometheus data source does, with the official client.
func TestGrafana(t *testing.T) {
	e := start(t, testConfig(t))
	x := startExporter(t, e)
	api, _ := serve(t, e)
	at := now()
	md, sm := resource(gateway)
	points := newSum(sm, "slowburn.sli.events", cumulative)
	addPoint(points, at, 7, "objective", "a")
	addPoint(points, at, 9, "objective", "b")
	exemplar := points.At(0).Exemplars().AppendEmpty()
	exemplar.SetTimestamp(pcommon.NewTimestampFromTime(at))
	exemplar.SetTraceID(pcommon.TraceID{1})
	exemplar.SetIntValue(1)
	newExponential(sm, "d", at, 1, 2)
	require.NoError(t, x.ConsumeMetrics(t.Context(), md))
	ctx, from := t.Context(), at.Add(-time.Hour)

	v, _, err := api.Query(ctx, `sum(slowburn_sli_events_total)`, at)
	require.NoError(t, err)
	assert.EqualValues(t, 16, v.(model.Vector)[0].Value)
	v, _, err = api.QueryRange(ctx, `slowburn_sli_events_total`, promv1.Range{Start: from, End: at, Step: time.Minute})
	require.NoError(t, err)
	assert.Len(t, v, 2)
	series, _, err := api.Series(ctx, []string{`{objective=~".+"}`}, from, at)
	require.NoError(t, err)
	assert.Len(t, series, 2)
	names, _, err := api.LabelNames(ctx, nil, from, at)
	require.NoError(t, err)
	assert.Equal(t, model.LabelNames{"__name__", "instance", "job", "objective", "service_name"}, names)
	values, _, err := api.LabelValues(ctx, "objective", []string{`slowburn_sli_events_total`}, from, at)
	require.NoError(t, err)
	assert.Equal(t, model.LabelValues{"a", "b"}, values)
	metadata, err := api.Metadata(ctx, "", "")
	require.NoError(t, err)
	assert.Equal(t, []promv1.Metadata{{Type: promv1.MetricTypeCounter, Help: "About slowburn.sli.events"}}, metadata["slowburn_sli_events_total"])
	assert.Equal(t, []promv1.Metadata{{Type: promv1.MetricTypeHistogram, Unit: "seconds"}}, metadata["d_seconds"])
	metadata, err = api.Metadata(ctx, "", "1")
	require.NoError(t, err)
	assert.Len(t, metadata, 1)
	exemplars, err := api.QueryExemplars(ctx, `slowburn_sli_events_total`, from, at)
	require.NoError(t, err)
	require.Len(t, exemplars, 1)
	assert.Equal(t, model.LabelValue("01000000000000000000000000000000"), exemplars[0].Exemplars[0].Labels["trace_id"])
	build, err := api.Buildinfo(ctx)
	require.NoError(t, err)
	assert.Equal(t, prometheusVersion, build.Version)
	rules, err := api.Rules(ctx, nil)
	require.NoError(t, err)
	assert.Empty(t, rules.Groups)
	alerts, err := api.Alerts(ctx)
	require.NoError(t, err)
	assert.Empty(t, alerts.Alerts)
	targets, err := api.Targets(ctx)
	require.NoError(t, err)
	assert.Empty(t, targets.Active)
	managers, err := api.AlertManagers(ctx)
	require.NoError(t, err)
	assert.Empty(t, managers.Active)
	status, err := api.TSDB(ctx)
	require.NoError(t, err)
	assert.Equal(t, 3, status.HeadStats.NumSeries)
	info, err := api.Runtimeinfo(ctx)
	require.NoError(t, err)
	assert.Equal(t, "5w", info.StorageRetention)
	_, err = api.Flags(ctx)
	require.NoError(t, err)
	_, err = api.WalReplay(ctx)
	require.NoError(t, err)
}

// TestVersion keeps the version that Grafana sees equal to the one that is linked.
func TestVersion(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	major, rest, _ := strings.Cut(prometheusVersion, ".")
	minor, patch, _ := strings.Cut(rest, ".")
	require.Equal(t, "3", major, "Prometheus 3.x.y is the module v0.3xx.y")
	assert.Contains(t, string(mod), "github.com/prometheus/prometheus v0.3"+minor+"."+patch+"\n")
}

// everyPath holds all paths that Prometheus' own code serves, and some that it does not.
var everyPath = []string{
	"query", "query_range", "query_exemplars", "format_query", "parse_query", "labels", "label/job/values",
	"label/a%2Fb/values", "label//values", "series", "scrape_pools", "targets", "targets/metadata", "targets/relabel_steps",
	"alertmanagers", "metadata", "status/config", "status/runtimeinfo", "status/buildinfo", "status/flags", "status/tsdb",
	"status/tsdb/blocks", "status/self_metrics", "features", "status/walreplay", "notifications", "notifications/live",
	"read", "write", "otlp/v1/metrics", "search/metric_names", "search/label_names", "search/label_values", "alerts", "rules",
	"admin/tsdb/delete_series", "admin/tsdb/clean_tombstones", "admin/tsdb/snapshot", "openapi.yaml", "", "nothing", "query/",
}

var everyQuery = []string{
	"", "query=up", "query=up[5m]", "query=sum(", "query=up&time=x", "query=up&start=0&end=100&step=10", "query=up&start=0&end=1&step=0",
	"match[]=up", "match[]={", "limit=x", "limit=-1", "limit=1", "metric=up", "query=up&stats=all", "type=nothing", "query=up&timeout=1ns",
	"query=%FF", "query=up&lookback_delta=x",
}

// TestNoPanics requests every path from another origin, and expects Prometheus' JSON without a server error.
func TestNoPanics(t *testing.T) {
	e := start(t, testConfig(t))
	api := e.PrometheusAPI()
	for _, path := range everyPath {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
			for _, query := range everyQuery {
				r := httptest.NewRequest(method, "/api/v1/"+path+"?"+(&url.URL{RawQuery: query}).RawQuery, nil)
				r.Header.Set("Origin", "http://elsewhere")
				w := httptest.NewRecorder()
				require.NotPanics(t, func() { api.ServeHTTP(w, r) }, "%s %s?%s", method, path, query)
				assert.Empty(t, w.Header().Get("Access-Control-Allow-Origin"))
				if w.Code == http.StatusMovedPermanently || w.Code == http.StatusTemporaryRedirect || w.Code == http.StatusNoContent {
					continue
				}
				assert.True(t, w.Code < 500 || w.Code == http.StatusServiceUnavailable, "%s %s?%s: %d %s", method, path, query, w.Code, w.Body)
				var answer response
				require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer), "%s %s?%s: %s", method, path, query, w.Body)
				assert.Equal(t, w.Code == http.StatusOK, answer.Status == "success")
				assert.Equal(t, w.Code == http.StatusOK, answer.Error == "")
			}
		}
	}
}

// TestNotServed: the error for a path that is not served names the alternative.
func TestNotServed(t *testing.T) {
	api := start(t, testConfig(t)).PrometheusAPI()
	for path, want := range map[string]string{
		"/api/v1/write":                    "send metrics over OTLP",
		"/api/v1/otlp/v1/metrics":          "send metrics over OTLP",
		"/api/v1/admin/tsdb/delete_series": "not administered",
		"/api/v1/status/config":            "docs/metrics.md",
		"/graph":                           "docs/metrics.md",
	} {
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
		assert.Equal(t, http.StatusNotFound, w.Code)
		assert.Contains(t, w.Body.String(), want)
	}
}

// TestBeforeStartAndAfterShutdown: the handler may be mounted before the database is open.
func TestBeforeStartAndAfterShutdown(t *testing.T) {
	created, err := NewExtensionFactory().Create(t.Context(), extensiontest.NewNopSettings(componentType), testConfig(t))
	require.NoError(t, err)
	e := created.(*Extension)
	for range 2 {
		w := httptest.NewRecorder()
		e.PrometheusAPI().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/query?query=up", nil))
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
		assert.Contains(t, w.Body.String(), `"errorType":"unavailable"`)
		_, err = e.Query(t.Context(), "up", now())
		require.ErrorIs(t, err, errNotRunning)
		_, err = e.QueryRange(t.Context(), "up", promv1.Range{})
		require.ErrorIs(t, err, errNotRunning)
		assert.False(t, e.Probe(t.Context()).OK)
		require.NoError(t, e.Shutdown(t.Context()))
	}
}

// TestCompression: an answer has the encoding that a browser or Grafana accepts.
func TestCompression(t *testing.T) {
	_, server := serve(t, start(t, testConfig(t)))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/v1/query?query=vector(1)", nil)
	require.NoError(t, err)
	r.Header.Set("Accept-Encoding", "gzip")
	response, err := server.Client().Do(r)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, "gzip", response.Header.Get("Content-Encoding"))
}
