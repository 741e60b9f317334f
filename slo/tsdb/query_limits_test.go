package tsdb

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/internal/gate"
)

// ask sends a request to the API of an extension.
func ask(ctx context.Context, e *Extension, path string, parameters ...string) *httptest.ResponseRecorder {
	form := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		form.Add(parameters[i], parameters[i+1])
	}
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/api/v1/"+path, strings.NewReader(form.Encode()))
	if strings.Contains(path, "/") {
		r = httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/"+path+"?"+form.Encode(), nil)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	e.PrometheusAPI().ServeHTTP(w, r)
	return w
}

// TestCostlyExpressions: expressions over the limit are refused before they are evaluated.
func TestCostlyExpressions(t *testing.T) {
	config := testConfig(t)
	config.Query.Memory = 64 << 20
	e := start(t, config)
	deep := strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000)
	for _, c := range []struct {
		path, expr string
		code       int
		want       string
	}{
		{"query", "count_over_time(vector(1)[49000000s:1s])", http.StatusUnprocessableEntity, "49000001 steps, and 200000 are allowed"},
		{"query", "max_over_time((a+(b+(c+(d+(e+f)))))[190000s:1s])", http.StatusUnprocessableEntity, "tsdb::query::memory"},
		{"query", "count_over_time(vector(1)[100y:1ms])", http.StatusUnprocessableEntity, "steps"},
		{"query", "vector(1)[1y:1s]", http.StatusUnprocessableEntity, "take a larger step"},
		{"query", deep, http.StatusBadRequest, "parentheses nest deeper than 64"},
		{"query_range", deep, http.StatusBadRequest, "parentheses nest deeper than 64"},
		{"query_exemplars", deep, http.StatusBadRequest, "parentheses nest deeper than 64"},
		{"format_query", deep, http.StatusBadRequest, "parentheses nest deeper than 64"},
		{"parse_query", deep, http.StatusBadRequest, "parentheses nest deeper than 64"},
		{"query", "1" + strings.Repeat("+1", 5000), http.StatusBadRequest, "operators"},
		{"query", strings.Repeat("-", 10_000) + "1", http.StatusBadRequest, "operators"},
		{"query", strings.Repeat("a", 20_000), http.StatusBadRequest, "tsdb::query::max_length"},
		{"query", `a{b=~"` + strings.Repeat(".{1000}", 1000) + `"}`, http.StatusBadRequest, "instructions"},
		{"query_range", "quantile_over_time(0.5, vector(1)[90000s:1s])", http.StatusUnprocessableEntity, "points of subqueries"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w := ask(t.Context(), e, c.path, "query", c.expr, "start", "0", "end", "100000", "step", "10")
		runtime.ReadMemStats(&after)
		assert.Equal(t, c.code, w.Code, "%.50s: %s", c.expr, w.Body)
		assert.Contains(t, w.Body.String(), c.want, "%.50s", c.expr)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4<<20), "%.50s", c.expr)
	}
	for _, path := range []string{"labels", "series", "label/a/values"} {
		w := ask(t.Context(), e, path, "match[]", "{a=~`"+strings.Repeat(".{1000}", 1000)+"`}")
		assert.Equal(t, http.StatusBadRequest, w.Code, w.Body)
		assert.Contains(t, w.Body.String(), "instructions", path)
	}
	w := ask(t.Context(), e, "query_range", "query", "a", "start", "1", "end", "2", "step", "0.0001")
	assert.Equal(t, http.StatusBadRequest, w.Code)
	assert.Contains(t, w.Body.String(), "write 1ms or more")
	w = ask(t.Context(), e, "query", "query", "count_over_time(vector(1)[1h:])")
	assert.Equal(t, http.StatusOK, w.Code, "a subquery has a step where none is written: %s", w.Body)
}

// TestMemoryOfAQuery: the largest queries stay within their reservation.
func TestMemoryOfAQuery(t *testing.T) {
	config := testConfig(t)
	config.Query.Memory = 32 << 20
	e := start(t, config)
	samples := int(config.Query.samples())
	for _, c := range []struct{ path, expr string }{
		{"query", fmt.Sprintf("count_over_time(vector(1)[%ds:1s])", samples*3/10)},
		{"query", fmt.Sprintf("vector(1)[%ds:1s]", samples*1/3)},
		{"query_range", strings.Repeat("vector(1) or ", 20) + "vector(1)"},
		{"query_range", strings.Repeat("(vector(1) or ", 20) + "vector(1)" + strings.Repeat(")", 20)},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w := ask(t.Context(), e, c.path, "query", c.expr, "start", "0", "end", "10000", "step", "1")
		runtime.ReadMemStats(&after)
		require.Equal(t, http.StatusOK, w.Code, w.Body)
		// All bytes ever allocated; many of them are freed before the others are allocated.
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(config.Query.Memory), "%.40s", c.expr)
	}
	require.Zero(t, e.backend.(*embedded).gate.State().Reserved)
}

// TestQueueOfQueries checks that queries of people queue, and are refused when the queue is full, and that the evaluation of objectives
// does not wait.
func TestQueueOfQueries(t *testing.T) {
	config := testConfig(t)
	config.Query.Concurrent, config.Query.Queue, config.Query.QueueTimeout = 1, 0, time.Minute
	e, telemetry := measured(t, config)
	g := e.backend.(*embedded).gate
	turn, err := g.Enter(t.Context())
	require.NoError(t, err)
	w := ask(t.Context(), e, "query", "query", "vector(1)")
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.Equal(t, "2", w.Header().Get("Retry-After"))
	assert.JSONEq(t, `{"status":"error","errorType":"unavailable","error":"1 requests run and 0 wait: ask again in 2s"}`, w.Body.String())
	assert.InDelta(t, 1, number(t, e, "vector(1)", now()), 0)
	assert.Equal(t, http.StatusOK, ask(t.Context(), e, "status/buildinfo").Code)
	turn.Leave()
	assert.Equal(t, http.StatusOK, ask(t.Context(), e, "query", "query", "vector(1)").Code)
	assert.Equal(t, map[string]int64{"refused": 1, "success": 2}, counts(t, telemetry, "otelcol_extension_tsdb_queries", "outcome"))
	assert.Equal(t, gate.State{Refused: 1}, g.State())
}

// TestQueuedQueryEndsWithItsClient: a query in the queue ends when its client disconnects.
func TestQueuedQueryEndsWithItsClient(t *testing.T) {
	config := testConfig(t)
	config.Query.Concurrent = 1
	e := start(t, config)
	g := e.backend.(*embedded).gate
	turn, err := g.Enter(t.Context())
	require.NoError(t, err)
	defer turn.Leave()
	ctx, leave := context.WithCancel(t.Context())
	answered := make(chan int)
	go func() { answered <- ask(ctx, e, "query", "query", "vector(1)").Code }()
	require.Eventually(t, func() bool { return g.State().Waiting == 1 }, 10*time.Second, time.Millisecond)
	leave()
	assert.Equal(t, 499, <-answered)
	assert.Zero(t, g.State().Waiting)
}

// TestRunningQueryEndsWithItsClient: a running query ends when its client disconnects.
func TestRunningQueryEndsWithItsClient(t *testing.T) {
	e := start(t, testConfig(t))
	ctx, leave := context.WithCancel(t.Context())
	answered := make(chan int)
	expr := "quantile_over_time(0.5, vector(1)[1000s:1s])" + strings.Repeat(" + quantile_over_time(0.5, vector(1)[1000s:1s])", 1)
	go func() {
		for {
			if code := ask(ctx, e, "query_range", "query", expr, "start", "0", "end", "1000", "step", "1").Code; code != http.StatusOK {
				answered <- code
				return
			}
		}
	}()
	g := e.backend.(*embedded).gate
	require.Eventually(t, func() bool { return g.State().Running == 1 }, 10*time.Second, time.Millisecond)
	leave()
	assert.Equal(t, 499, <-answered)
	require.Eventually(t, func() bool { return g.State() == gate.State{} }, 10*time.Second, time.Millisecond)
}

// TestLongAnswers: an answer over the limit is an error that says so.
func TestLongAnswers(t *testing.T) {
	config := testConfig(t)
	config.Query.MaxResponseSize = 2000
	e := start(t, config)
	x := startExporter(t, e)
	md, sm := resource(gateway)
	points := newSum(sm, "c", cumulative)
	for i := range 100 {
		addPoint(points, now(), int64(i), "objective", fmt.Sprintf("objective %d", i))
	}
	require.NoError(t, x.ConsumeMetrics(t.Context(), md))
	for _, c := range [][]string{
		{"query", "query", "c_total"}, {"series", "match[]", "c_total"}, {"label/objective/values"},
		{"query", "query", "vector(1)[10m:1s]"},
	} {
		w := ask(t.Context(), e, c[0], c[1:]...)
		assert.Equal(t, http.StatusUnprocessableEntity, w.Code, c)
		assert.Contains(t, w.Body.String(), "tsdb::query::max_response_size", c)
	}
	assert.Equal(t, http.StatusOK, ask(t.Context(), e, "series", "match[]", "c_total", "limit", "3").Code)
}

// TestGrowth: a query reserves memory in steps as it needs it; one that exceeds the whole is refused with an error that says so.
func TestGrowth(t *testing.T) {
	config := testConfig(t)
	config.Query.Memory = 16 << 20 // 174,762 samples
	e, telemetry := measured(t, config)
	x := startExporter(t, e)
	at := now()
	md, sm := resource(gateway)
	points := newSum(sm, "c", cumulative)
	for i := range 50 {
		addPoint(points, at, int64(i), "objective", fmt.Sprintf("objective %d", i))
	}
	require.NoError(t, x.ConsumeMetrics(t.Context(), md))
	ranged := func(expr string) *httptest.ResponseRecorder {
		return ask(t.Context(), e, "query_range", "query", expr, "start", fmt.Sprint(at.Unix()), "end", fmt.Sprint(at.Unix()+250), "step", "0.2")
	}
	assert.Equal(t, http.StatusOK, ranged("sum(c_total)").Code)
	w := ranged("sum(c_total + on(objective) c_total)")
	assert.Equal(t, http.StatusUnprocessableEntity, w.Code)
	assert.Contains(t, w.Body.String(), "tsdb::query::memory")
	assert.Equal(t, map[string]int64{"error": 1, "success": 1}, counts(t, telemetry, "otelcol_extension_tsdb_queries", "outcome"))
	assert.Equal(t, gate.State{}, e.backend.(*embedded).gate.State())
}

// TestQueryMemory: the default is a sixteenth of the process's limit, and at most what a dashboard needs.
func TestQueryMemory(t *testing.T) {
	q := defaultQuery()
	assert.EqualValues(t, 256<<20, q.MemoryWithin(math.MaxInt64))
	assert.EqualValues(t, 64<<20, q.MemoryWithin(1<<30))
	assert.EqualValues(t, minQueryMemory, q.MemoryWithin(1<<20))
	q.Memory = 20 << 20
	assert.EqualValues(t, 20<<20, q.MemoryWithin(1<<30))
	assert.EqualValues(t, 20<<20, q.ResolvedMemory())
	assert.EqualValues(t, 20<<20/sampleBytes, q.samples())
	q.MaxSamples = 7
	assert.EqualValues(t, 7, q.samples())
}
