package web

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/processor/tailsampling"
	"github.com/slowburn/slowburn/processor/tracestore"
	"github.com/slowburn/slowburn/slo/engine"
)

const history = "/api/slo/v1/objectives/quiet/history"

// TestProblems asks for what cannot be answered.
func TestProblems(t *testing.T) {
	without := func(name string) running {
		r := everything()
		delete(r.extensions, name)
		delete(r.pipelines, name)
		return r
	}
	storeFails := func(err error) running {
		r := everything()
		r.pipelines["trace_store"].(*fakeStore).err = err
		return r
	}
	engineFails := func(err error) running {
		r := everything()
		r.extensions["slo"].(*fakeEngine).err = err
		return r
	}
	sampling := func(s *fakeSampler) running {
		r := everything()
		r.pipelines["tail_sampling"] = s
		return r
	}
	all, broken := everything(), errors.New("the disk is gone")
	for _, c := range []struct {
		world  running
		target string
		status int
		detail string
	}{
		{without("slo"), "/api/slo/v1/objectives", 404, "No slo extension is running: define one"},
		{without("slo"), "/api/slo/v1/objectives/a", 404, "No slo extension"},
		{without("slo"), history, 404, "No slo extension"},
		{without("slo"), "/api/alerts/v1/alerts", 404, "No slo extension"},
		{without("slo"), "/api/alerts/v1/deliveries", 404, "No slo extension"},
		{without("trace_store"), "/api/traces/v1/services", 404, "No trace_store exporter is running: define one"},
		{without("trace_store"), "/api/traces/v1/search", 404, "No trace_store"},
		{without("trace_store"), "/api/traces/v1/traces/" + exampleHex, 404, "No trace_store"},
		{without("tail_sampling"), "/api/sampling/v1/status", 404, "No tail_sampling processor is running: name one"},

		{without("tail_sampling"), "/api/sampling/v1/decisions/" + exampleHex, 404, "No tail_sampling processor"},
		{all, "/api/sampling/v1/decisions/xyz", 400, `"xyz" is no trace ID`},
		{all, "/api/sampling/v1/decisions/" + goneID.String(), 404, "it never came here, or its decision was so long ago"},
		{all, "/api/sampling/v1/decisions/" + pendingID.String(), 404, "is not decided yet: its first span came at 2026-01-31T12:00:00Z, and so far it has 3 spans of 900 bytes"},
		{all, "/api/sampling/v1/decisions/" + earlyID.String(), 404, "being read back"},
		{all, "/api/sampling/v1/decisions/" + fadedID.String(), 404, `was dropped by the policy "noise" at 2026-01-31T12:00:00Z, and no more is remembered`},
		{sampling(&fakeSampler{noShadow: true}), "/api/sampling/v1/shadow", 404, "There is no shadow: add policies under tail_sampling::shadow"},

		{all, "/api/slo/v1/objectives/nope", 404, `There is no objective "nope"`},
		{all, "/api/slo/v1/objectives/nope/history", 404, "there is no objective of this name"},
		{all, "/api/traces/v1/traces/" + goneID.String(), 404, "was not kept"},
		{all, "/api/nope", 404, "There is nothing at /api/nope"},
		{all, "/jaeger/nope", 404, "There is nothing at /jaeger/nope"},

		{all, "/metrics", 404, "http://127.0.0.1:8888/metrics by default"},

		{all, history + "?start=yesterday", 400, "start=yesterday: it must be a time"},
		{all, history + "?end=1700000000", 400, "end=1700000000: it must be a time"},
		{all, history + "?step=5", 400, "step=5: it must be a whole number from 60"},
		{all, history + "?step=1m", 400, "step=1m: it must be a whole number"},
		{all, "/api/traces/v1/traces/xyz", 400, `"xyz" is no trace ID: it must be 32`},
		{all, "/api/traces/v1/traces/abcd", 400, `"abcd" is no trace ID`},
		{all, "/api/traces/v1/search?min_duration=100", 400, "min_duration=100: it must be a duration such as"},
		{all, "/api/traces/v1/search?max_duration=-1s", 400, "max_duration=-1s: it must be a duration"},
		{all, "/api/traces/v1/search?min_duration=2s&max_duration=1s", 400, "min_duration=2s is longer than max_duration=1s"},
		{all, "/api/traces/v1/search?error=maybe", 400, "error=maybe: it must be true or false"},
		{all, "/api/traces/v1/search?limit=0", 400, "limit=0: it must be a whole number from 1 to 200"},
		{all, "/api/traces/v1/search?limit=201", 400, "limit=201"},
		{all, "/api/traces/v1/search?start=2026-01-31T12:00:00Z&end=2026-01-31T11:00:00Z", 400, "end=2026-01-31T11:00:00Z is before start"},

		{engineFails(engine.ErrNotRunning), "/api/alerts/v1/alerts", 503, "is not running"},
		{engineFails(broken), "/api/alerts/v1/deliveries", 500, "the disk is gone"},
		{engineFails(fmt.Errorf("%w: too many points", engine.ErrBadRange)), history, 400, "too many points"},
		{storeFails(broken), "/api/traces/v1/services", 503, "The trace store cannot be read: the disk is gone. /readyz"},
		{storeFails(broken), "/api/traces/v1/search", 503, "the disk is gone"},
		{storeFails(broken), "/api/traces/v1/traces/" + exampleHex, 503, "the disk is gone"},
		{storeFails(tracestore.ErrCursor), "/api/traces/v1/search?cursor=x", 400, "the cursor is not one"},
	} {
		t.Run(fmt.Sprint(c.status, c.target), func(t *testing.T) {
			requireProblem(t, get(t, c.world.handler(t, pages, ""), c.target), c.status, c.detail)
		})
	}
}

// TestMethods sends what the paths do not take. Only Prometheus' API is more than GET.
func TestMethods(t *testing.T) {
	h := everything().handler(t, pages, "")
	for _, target := range []string{"/", "/healthz", "/readyz", "/api/slo/v1/objectives", "/api/traces/v1/search", "/api/alerts/v1/alerts"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "BREW"} {
			w := ask(t, h, method, target)
			requireProblem(t, w, http.StatusMethodNotAllowed, method+" cannot be used on "+target+": use GET")
			assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
		}
		asked, answered := get(t, h, target), ask(t, h, http.MethodHead, target)
		assert.Equal(t, asked.Code, answered.Code, "HEAD %s", target)
		assert.Equal(t, asked.Header().Get("Content-Type"), answered.Header().Get("Content-Type"))
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		w := ask(t, h, method, "/api/v1/query?query=up")
		assert.JSONEq(t, `{"status":"success","data":"`+method+` /api/v1/query"}`, w.Body.String())
	}
}

// TestActions are those that change something: with POST, from anything but a page of another site.
func TestActions(t *testing.T) {
	for _, action := range actions {
		serve := func(err error, method string, headers ...string) *httptest.ResponseRecorder {
			world := everything()
			world.pipelines["tail_sampling"] = &fakeSampler{err: err}
			return ask(t, world.handler(t, pages, ""), method, action, headers...)
		}
		requireProblem(t, serve(fmt.Errorf("%w, because policies[0] is wrong", tailsampling.ErrInvalid), http.MethodPost),
			http.StatusUnprocessableEntity, "because policies[0] is wrong")
		requireProblem(t, serve(tailsampling.ErrNoShadow, http.MethodPost), http.StatusConflict, "there is no shadow")
		requireProblem(t, serve(tailsampling.ErrNoSource, http.MethodPost), http.StatusConflict, "restart it")
		requireProblem(t, serve(errors.New("the span log is being read back"), http.MethodPost), http.StatusServiceUnavailable, "read back")
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete} {
			w := serve(nil, method)
			require.Equal(t, http.StatusMethodNotAllowed, w.Code, method)
			assert.Equal(t, "POST", w.Header().Get("Allow"))
		}
		assert.Equal(t, http.StatusOK, serve(nil, http.MethodPost, "Origin", "http://example.com", "Host", "example.com").Code)
		requireProblem(t, serve(nil, http.MethodPost, "Sec-Fetch-Site", "cross-site"), http.StatusForbidden, "a page of another site")
		requireProblem(t, serve(nil, http.MethodPost, "Origin", "http://evil.test"), http.StatusForbidden, "a page of another site")
		requireProblem(t, ask(t, running{}.handler(t, pages, ""), http.MethodPost, action), http.StatusNotFound, "No tail_sampling processor")
	}
}

// TestNoPrometheus answers as Prometheus does, for Grafana shows what it finds there.
func TestNoPrometheus(t *testing.T) {
	w := get(t, running{}.handler(t, pages, ""), "/api/v1/query?query=up")
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.Equal(t, prometheusError{"error", "not_found",
		"no tsdb extension is running: define one under extensions and name it in service::extensions"}, decode[prometheusError](t, w))
}

// TestWhatJSONCannotHold turns an answer that cannot be encoded into a problem, not into half an answer.
func TestWhatJSONCannotHold(t *testing.T) {
	world := everything()
	statuses := slices.Clone(world.extensions["slo"].(*fakeEngine).statuses.Objectives)
	statuses[0].Target = math.NaN()
	world.extensions["slo"].(*fakeEngine).statuses.Objectives = statuses
	requireProblem(t, get(t, world.handler(t, pages, ""), "/api/slo/v1/objectives"), http.StatusInternalServerError, "NaN")
}

// TestPanics answers with a problem document, and logs where the panic was.
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
	requireProblem(t, w, http.StatusInternalServerError, "which the gateway's log has")
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
