package web

import (
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/web/internal/webtest"
)

// TestProblems requests paths and objects that do not exist.
func TestProblems(t *testing.T) {
	for target, detail := range map[string]string{
		"/api/nope": "There is nothing at /api/nope", "/jaeger/nope": "There is nothing at /jaeger/nope",
		"/metrics": "http://127.0.0.1:8888/metrics by default",
	} {
		webtest.RequireProblem(t, webtest.Get(t, served(t, webtest.Everything()), target), http.StatusNotFound, detail)
	}
}

// TestMethods sends methods that the paths do not accept. Only Prometheus' API accepts more than GET.
func TestMethods(t *testing.T) {
	h := served(t, webtest.Everything())
	for _, target := range []string{"/", "/healthz", "/readyz", "/api/slo/v1/objectives", "/api/traces/v1/search", "/api/alerts/v1/alerts"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "BREW"} {
			w := webtest.Ask(t, h, method, target)
			webtest.RequireProblem(t, w, http.StatusMethodNotAllowed, method+" cannot be used on "+target+": use GET")
			assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
		}
		asked, answered := webtest.Get(t, h, target), webtest.Ask(t, h, http.MethodHead, target)
		assert.Equal(t, asked.Code, answered.Code, "HEAD %s", target)
		assert.Equal(t, asked.Header().Get("Content-Type"), answered.Header().Get("Content-Type"))
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		w := webtest.Ask(t, h, method, "/api/v1/query?query=up")
		assert.JSONEq(t, `{"status":"success","data":"`+method+` /api/v1/query"}`, w.Body.String())
	}
}

// TestActions: paths that change something accept POST only.
func TestActions(t *testing.T) {
	h := served(t, webtest.Everything())
	for _, action := range []string{"policies/reload", "shadow/promote", "refused/" + webtest.ExampleHex + "/retry"} {
		action = "/api/sampling/v1/" + action
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete} {
			w := webtest.Ask(t, h, method, action)
			require.Equal(t, http.StatusMethodNotAllowed, w.Code, method)
			assert.Equal(t, "POST", w.Header().Get("Allow"))
		}
		webtest.RequireProblem(t, webtest.Ask(t, h, http.MethodPut, action), http.StatusMethodNotAllowed, "use POST")
		assert.Equal(t, http.StatusOK, webtest.Ask(t, h, http.MethodPost, action).Code)
	}
}

// TestNoPrometheus answers in Prometheus' form, as Grafana shows the error in it.
func TestNoPrometheus(t *testing.T) {
	w := webtest.Get(t, served(t, webtest.Running{}), "/api/v1/query?query=up")
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.Equal(t, prometheusError{"error", "not_found",
		"no tsdb extension is running: define one under extensions and name it in service::extensions"}, webtest.Decode[prometheusError](t, w))
}

// TestWhatJSONCannotHold: an answer that cannot be encoded becomes a problem document, not half an answer.
func TestWhatJSONCannotHold(t *testing.T) {
	world := webtest.Everything()
	statuses := slices.Clone(world.Extensions["slo"].(*webtest.Engine).List.Objectives)
	statuses[0].Target = math.NaN()
	world.Extensions["slo"].(*webtest.Engine).List.Objectives = statuses
	webtest.RequireProblem(t, webtest.Get(t, served(t, world), "/api/slo/v1/objectives"), http.StatusInternalServerError, "NaN")
}

// TestPanicLogIsCut: the log line of a panic that a request caused is bounded.
func TestPanicLogIsCut(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	deep := func(http.ResponseWriter, *http.Request) { panic(strings.Repeat("x", 1<<20)) }
	recoverer(zap.New(core))(http.HandlerFunc(deep)).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/"+strings.Repeat("y", 1<<16), nil))
	for name, value := range logs.All()[0].ContextMap() {
		assert.LessOrEqual(t, len(value.(string)), maxStack+len("…"), name)
	}
}

// TestPanics: a panic is answered by a problem document, and its place is logged.
func TestPanics(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	serve := func(f http.HandlerFunc) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		recoverer(zap.New(core))(f).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/x", nil))
		return w
	}

	w := serve(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"x"`)
		w.Header().Set("Content-Length", "5")
		panic("boom")
	})
	webtest.RequireProblem(t, w, http.StatusInternalServerError, "with the error in the gateway's log")
	assert.Empty(t, w.Header().Get("ETag"))
	assert.Empty(t, w.Header().Get("Content-Length"))
	require.Equal(t, 1, logs.Len())
	fields := logs.All()[0].ContextMap()
	assert.Equal(t, "boom", fields["panic"])
	assert.Equal(t, "/api/x", fields["path"])
	assert.Contains(t, fields["stack"], "TestPanics")

	assert.PanicsWithValue(t, http.ErrAbortHandler, func() {
		serve(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half an ans"))
			panic("boom")
		})
	}, "the connection must break")
	assert.Equal(t, 2, logs.Len())

	assert.PanicsWithValue(t, http.ErrAbortHandler, func() {
		serve(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	})
	assert.Equal(t, 2, logs.Len(), "a handler that gives up on purpose is nothing to log")
}
