package promapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/common/route"
	promconfig "github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/tsdbutil"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/gate"
)

// both holds this package's API and Prometheus' own over one database.
type both struct{ ours, theirs http.Handler }

// adapter gives Prometheus' API the database in the form that it needs.
type adapter struct{ Database }

func (a adapter) BlockMetas() ([]tsdb.BlockMeta, error) { return a.Database.BlockMetas(), nil }
func (a adapter) Stats(label string, limit int) (*tsdb.Stats, error) {
	return a.Database.Stats(label, limit), nil
}
func (a adapter) WALReplayStatus() (tsdb.WALReplayStatus, error) {
	return a.Database.WALReplayStatus(), nil
}
func (adapter) CleanTombstones() error                                         { return nil }
func (adapter) Delete(context.Context, int64, int64, ...*labels.Matcher) error { return nil }
func (adapter) Snapshot(string, bool) error                                    { return nil }

type database struct{ *tsdb.DB }

func (d database) Stats(label string, limit int) *tsdb.Stats { return d.Head().Stats(label, limit) }
func (d database) WALReplayStatus() tsdb.WALReplayStatus {
	return tsdb.WALReplayStatus{Min: 1, Max: 3, Current: 2}
}

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// open fills a database: floats, native histograms, exemplars, and a name outside ASCII.
func open(t *testing.T) both {
	dir := t.TempDir()
	registry := prometheus.NewRegistry()
	o := tsdb.DefaultOptions()
	o.EnableExemplarStorage, o.MaxExemplars = true, 100
	db, err := tsdb.Open(dir, promslog.NewNopLogger(), registry, o, tsdb.NewDBStats())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	app := db.Appender(t.Context())
	for i := range 10 {
		at := start.Add(time.Duration(i) * time.Minute).UnixMilli()
		for j, code := range []string{"200", "500", "<&>"} {
			series := labels.FromStrings("__name__", "requests_total", "code", code, "job", "shop")
			ref, err := app.Append(0, series, at, float64(i*(j+1))*1e7+0.25)
			require.NoError(t, err)
			if i == 3 {
				_, err = app.AppendExemplar(ref, series, exemplar.Exemplar{
					Labels: labels.FromStrings("trace_id", "0af7"), Value: 1.5, Ts: at, HasTs: true,
				})
				require.NoError(t, err)
			}
		}
		_, err = app.AppendHistogram(0, labels.FromStrings("__name__", "duration_seconds"), at, nil, tsdbutil.GenerateTestFloatHistogram(int64(i)))
		require.NoError(t, err)
		_, err = app.Append(0, labels.FromStrings("__name__", "größe.bytes", "job", "shop"), at, -1e-9)
		require.NoError(t, err)
	}
	require.NoError(t, app.Commit())

	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 1000, Timeout: time.Minute, EnableAtModifier: true, EnableNegativeOffset: true,
		Parser: parser.NewParser(parser.Options{}),
	})
	set := Settings{
		Engines: []Engine{{engine, 1000}}, Gate: gate.New(gate.Settings{Slots: gate.NewSlots(2), Waiting: 2, Timeout: time.Second, Memory: 64 << 20}),
		Limits:  Limits{Length: 16 << 10, Response: 1 << 20, Time: time.Minute, SubqueryStep: time.Minute},
		Refused: func() {}, Ended: func(error, time.Duration) {}, Queryable: db, Exemplars: db, Database: database{db}, Metrics: registry,
		Build:   Build{Version: "3.1.4", GoVersion: "go1"},
		Runtime: func() Runtime { return Runtime{StartTime: start, ServerTime: start, StorageRetention: "5w"} },
	}
	mux := http.NewServeMux()
	for path, h := range New(set).Paths() {
		mux.Handle("/api/v1/"+path, h)
	}
	return both{ours: mux, theirs: peer(set, adapter{set.Database})}
}

// peer is Prometheus' own handler.
func peer(set Settings, db apiv1.TSDBAdminStats) http.Handler {
	api := apiv1.NewAPI(
		set.Engines[0], set.Queryable.(*tsdb.DB), nil, nil, set.Exemplars, nil, nil, nil,
		func() promconfig.Config { return promconfig.DefaultConfig }, map[string]string{}, apiv1.GlobalURLOptions{},
		func(h http.HandlerFunc) http.HandlerFunc { return h }, db, "", false, false, 0, promslog.NewNopLogger(), nil,
		0, 1, 0, false, nil,
		func() (apiv1.RuntimeInfo, error) {
			r := set.Runtime()
			return apiv1.RuntimeInfo{StartTime: r.StartTime, ServerTime: r.ServerTime, StorageRetention: r.StorageRetention}, nil
		},
		&apiv1.PrometheusVersion{Version: set.Build.Version, GoVersion: set.Build.GoVersion},
		nil, nil, set.Metrics, prometheus.NewRegistry(), nil, false, nil, false, false, false,
		false, 5*time.Minute, false, false, nil, nil, apiv1.OpenAPIOptions{IncludePaths: []string{"none"}}, nil,
	)
	router := route.New().WithPrefix("/api/v1")
	api.Register(router)
	return router
}

// expressions covers every kind of expression that the parser knows, and some that it does not.
var expressions = []string{
	"requests_total", `requests_total{code=~"5.."}`, `{"größe.bytes"}`, "duration_seconds", "1", `"text"`, "-requests_total", "(1+2)*3",
	"sum by (code) (rate(requests_total[5m]))", "topk without (job) (2, requests_total)", "quantile(0.5, requests_total)",
	"requests_total / on (code) group_left (job) requests_total", "requests_total > bool 3", "requests_total unless requests_total",
	"max_over_time(requests_total[5m:1m] offset 1m)", "requests_total @ end()", "requests_total @ 1772366400", "rate(requests_total[5m] @ start())",
	"histogram_quantile(0.9, duration_seconds)", "absent(nothing)", "label_replace(requests_total, \"a\", \"$1\", \"code\", \"(.).*\")",
	"vector(NaN)", "1/0", "sum(count_values(\"v\", requests_total))", "rate(größe)", "sum(", "requests_total[5m]", "", "sum(x) by", "time()",
	"rate(duration_seconds[5m]) + requests_total", "requests_total offset -1m", "nothing", "clamp_max(requests_total, 5)",
}

// TestAnswersOfPrometheus: this package and Prometheus' handler answer each request with the same status and JSON.
func TestAnswersOfPrometheus(t *testing.T) {
	b := open(t)
	var requests []string
	for _, e := range expressions {
		q := "query=" + url.QueryEscape(e)
		requests = append(requests,
			"query?time=2026-03-01T12:08:00Z&"+q, "query?time=1772366880.1234&limit=1&"+q,
			"query_range?start=1772366400&end=1772366940&step=60&"+q, "query_range?start=1772366400&end=1772366940&step=1m30s&limit=2&"+q,
			"query_exemplars?"+q, "query_exemplars?start=1772366400&end=1772366940&"+q, "format_query?"+q, "parse_query?"+q)
	}
	for _, q := range []string{
		"", "match[]=requests_total", "match[]=requests_total&match[]=duration_seconds", "match[]={job=\"shop\"}&limit=2", "match[]={", "limit=x",
		"match[]={job=\"\"}", "limit=-1", "start=x", "end=y", "start=1&end=2", "match[]=requests_total&start=1772366400&end=1772366401", "match[]=nothing",
		"limit=1", "limit=9223372036854775807", "match[]=requests_total&match[]=requests_total&limit=1", "start=-292273086-05-16T16:47:06Z",
		"match[]={job=\"shop\"}&match[]={job=~\".+\"}",
	} {
		requests = append(requests, "labels?"+q, "label/job/values?"+q, "label/code/values?"+q, "series?"+q)
	}
	up := "query=requests_total&time=1772366700"
	requests = append(requests,
		"label/U__gr_f6__dfe/values", "label/a.b/values", "label/%FF/values",
		"query?"+up+"&time=x", "query?"+up+"&timeout=x", "query?"+up+"&timeout=1d", "query?"+up+"&timeout=1e30", "query?"+up+"&lookback_delta=x",
		"query?"+up+"&lookback_delta=1s", "query?"+up+"&limit=no", "query?"+up+"&limit=-3", "query?query=requests_total&time=99999999999",
		"query_range?"+up, "query_range?"+up+"&start=1", "query_range?"+up+"&start=5&end=1&step=1", "query_range?"+up+"&start=1&end=5&step=0",
		"query_range?"+up+"&start=1&end=5&step=x", "query_range?"+up+"&start=1&end=99999&step=1", "query_range?"+up+"&start=1&end=5&step=-1",
		"query_exemplars?"+up+"&start=5&end=1", "query_exemplars?"+up+"&start=x",
		"status/tsdb", "status/tsdb?limit=1", "status/tsdb?limit=0", "status/tsdb?limit=10001", "status/tsdb?limit=x", "status/tsdb/blocks",
		"status/walreplay", "status/flags", "status/buildinfo", "status/runtimeinfo")
	answered := 0
	for _, request := range requests {
		ours, theirs := get(t, b.ours, request), get(t, b.theirs, request)
		if theirs.Code == http.StatusOK {
			answered++
		}
		require.Equal(t, theirs.Code, ours.Code, "%s\n%s\n%s", request, theirs.Body, ours.Body)
		require.Equal(t, theirs.Header().Get("Content-Type"), ours.Header().Get("Content-Type"), request)
		if theirs.Code != http.StatusNoContent {
			require.JSONEq(t, theirs.Body.String(), ours.Body.String(), request)
		}
	}
	assert.Greater(t, answered, 200, "of %d requests", len(requests))
}

// TestStatistics: times differ between executions, names and counts do not.
func TestStatistics(t *testing.T) {
	b := open(t)
	for _, wanted := range []string{"true", "all", "other"} {
		request := "query?query=sum(requests_total)&time=1772366700&stats=" + wanted
		ours, theirs := get(t, b.ours, request), get(t, b.theirs, request)
		require.Equal(t, shape(t, theirs), shape(t, ours))
	}
}

// TestErrors: each reason why a query ends has its own status, the same in both.
func TestErrors(t *testing.T) {
	b := open(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, h := range []http.Handler{b.ours, b.theirs} {
		for request, want := range map[string]struct {
			ctx  context.Context
			code int
			kind string
		}{
			"query?query=requests_total&time=1772366700&timeout=0.000000001":                      {t.Context(), http.StatusServiceUnavailable, "timeout"},
			"query?query=requests_total&time=1772366700":                                          {gone, statusClosed, "canceled"},
			"query?query=requests_total[30m]%2B1&time=1772366700":                                 {t.Context(), http.StatusBadRequest, "bad_data"},
			"query_range?query=rate(requests_total[9m])&start=1772366400&end=1772366940&step=0.1": {t.Context(), http.StatusUnprocessableEntity, "execution"},
		} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/"+request, nil).WithContext(want.ctx))
			assert.Equal(t, want.code, w.Code, "%s: %s", request, w.Body)
			assert.Contains(t, w.Body.String(), `"errorType":"`+want.kind+`"`, request)
		}
	}
}

func get(t *testing.T, h http.Handler, request string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	path, query, _ := strings.Cut(request, "?")
	method := http.MethodGet
	r := httptest.NewRequestWithContext(t.Context(), method, "/api/v1/"+path, nil)
	r.URL.RawQuery = query
	h.ServeHTTP(w, r)
	return w
}

// shape returns an answer without its durations.
func shape(t *testing.T, w *httptest.ResponseRecorder) any {
	var v map[string]any
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &v), w.Body.String())
	stats := v["data"].(map[string]any)["stats"].(map[string]any)
	for name := range stats["timings"].(map[string]any) {
		stats["timings"].(map[string]any)[name] = true
	}
	return v
}
