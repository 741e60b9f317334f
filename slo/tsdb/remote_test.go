package tsdb

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
)

// remoteOf starts an extension that queries the endpoint.
func remoteOf(t testing.TB, endpoint string, change ...func(*Config, *confighttp.ClientConfig)) *Extension {
	t.Helper()
	config := testConfig(t)
	config.Directory = "" // not needed
	client := confighttp.NewDefaultClientConfig()
	client.Endpoint = endpoint
	for _, c := range change {
		c(config, &client)
	}
	config.Remote = configoptional.Some(client)
	return start(t, config)
}

// TestPeers compares the two Queriers: an embedded database, and the same one queried as a remote.
func TestPeers(t *testing.T) {
	e := start(t, testConfig(t))
	x := startExporter(t, e)
	at := now()
	md, sm := resource(gateway)
	points := newSum(sm, "c", cumulative)
	newExponential(sm, "d", at.Add(-10*time.Second))
	for i := range 5 {
		addPoint(points, at.Add(time.Duration(i-4)*10*time.Second), int64(i*i), "k", "v")
	}
	addExponential(sm.Metrics().At(1).ExponentialHistogram().DataPoints(), at, 0, 2, 0, 1)
	require.NoError(t, x.ConsumeMetrics(t.Context(), md))
	_, server := serve(t, e)
	remote := remoteOf(t, server.URL)

	for _, expr := range []string{
		`c_total[5m]`, `c_total`, `rate(c_total[1m])`, `d_seconds[5m]`, `d_seconds`, `histogram_quantile(0.9, d_seconds)`,
		`1 + 1`, `absent(nothing)`, `nothing`, `nothing[5m]`, `c_total offset -10s`, `c_total @ end()`, `1 / 0`, `-1 / 0`,
	} {
		want, err := e.Query(t.Context(), expr, at)
		require.NoError(t, err, expr)
		got, err := remote.Query(t.Context(), expr, at)
		require.NoError(t, err, expr)
		assert.Equal(t, want, got, expr)
	}
	for _, expr := range []string{`c_total`, `rate(c_total[20s])`, `d_seconds`, `1`, `nothing`} {
		r := promv1.Range{Start: at.Add(-time.Minute), End: at, Step: 10 * time.Second}
		want, err := e.QueryRange(t.Context(), expr, r)
		require.NoError(t, err, expr)
		require.IsType(t, model.Matrix{}, want)
		got, err := remote.QueryRange(t.Context(), expr, r)
		require.NoError(t, err, expr)
		assert.Equal(t, want, got, expr)
	}
	for _, q := range []Querier{e, remote} {
		_, err := q.Query(t.Context(), `sum(`, at)
		require.ErrorContains(t, err, "parse error")
		_, err = q.QueryRange(t.Context(), `c_total`, promv1.Range{Start: at, End: at.Add(-time.Hour), Step: time.Second})
		require.Error(t, err)
		_, err = q.QueryRange(t.Context(), `c_total`, promv1.Range{Start: at, End: at})
		require.Error(t, err)
	}

	// The remote's API is passed through: a client cannot tell them apart.
	direct, _ := serve(t, e)
	proxied, _ := serve(t, remote)
	for _, api := range []promv1.API{direct, proxied} {
		v, _, err := api.Query(t.Context(), `c_total`, at)
		require.NoError(t, err)
		assert.Len(t, v, 1)
		names, _, err := api.LabelValues(t.Context(), "__name__", nil, at.Add(-time.Hour), at)
		require.NoError(t, err)
		assert.Equal(t, model.LabelValues{"c_total", "d_seconds"}, names)
		metadata, err := api.Metadata(t.Context(), "c_total", "")
		require.NoError(t, err)
		assert.Equal(t, "About c", metadata["c_total"][0].Help)
	}
	assert.True(t, remote.Probe(t.Context()).OK)
}

// fakePrometheus answers every request with its handler, and records the last one.
type fakePrometheus struct {
	*httptest.Server
	mu   sync.Mutex // a handler whose client has disconnected may overlap the next
	last *http.Request
	body string
}

func newFake(t testing.TB, answer http.HandlerFunc) *fakePrometheus {
	f := &fakePrometheus{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		f.mu.Lock()
		f.last, f.body = r, string(body)
		f.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func vectorOne(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Set-Cookie", "session=remote")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"1"]}]}}`)
}

// TestRemoteRequests: the remote gets the prefix and our headers, and none of the client's.
func TestRemoteRequests(t *testing.T) {
	fake := newFake(t, vectorOne)
	e := remoteOf(t, fake.URL+"/prometheus/", func(_ *Config, c *confighttp.ClientConfig) {
		c.Headers.Set("X-Scope-OrgID", configopaque.String("ours"))
	})
	_, err := e.Query(t.Context(), "up", now())
	require.NoError(t, err)
	assert.Equal(t, "/prometheus/api/v1/query", fake.last.URL.Path)
	assert.Equal(t, "ours", fake.last.Header.Get("X-Scope-OrgID"))

	_, server := serve(t, e)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/api/v1/query", strings.NewReader("query=up"))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, value := range map[string]string{
		"Authorization": "Bearer theirs", "Cookie": "session=theirs", "X-Scope-OrgID": "theirs", "X-Forwarded-For": "10.0.0.1",
		"Origin": "http://elsewhere",
	} {
		r.Header.Set(name, value)
	}
	response, err := server.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusOK, response.StatusCode)
	assert.Empty(t, response.Header.Get("Set-Cookie"))
	assert.Empty(t, response.Header.Get("Access-Control-Allow-Origin"))

	assert.Equal(t, "/prometheus/api/v1/query", fake.last.URL.Path)
	assert.Equal(t, "query=up", fake.body)
	assert.Equal(t, []string{"ours"}, fake.last.Header.Values("X-Scope-OrgID"))
	for _, name := range []string{"Authorization", "Cookie", "X-Forwarded-For", "Origin"} {
		assert.Empty(t, fake.last.Header.Values(name), name)
	}
}

// TestRemoteRefusesWrites: no client can delete or write there with our credentials.
func TestRemoteRefusesWrites(t *testing.T) {
	fake := newFake(t, vectorOne)
	_, server := serve(t, remoteOf(t, fake.URL))
	for _, path := range []string{"admin/tsdb/delete_series", "write", "status/config", "../../-/quit", "query/../admin/tsdb/snapshot"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
			r, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/api/v1/"+path, nil)
			require.NoError(t, err)
			response, err := http.DefaultTransport.RoundTrip(r)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			assert.NotEqual(t, http.StatusOK, response.StatusCode, path)
		}
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	assert.Nil(t, fake.last, "nothing of this reached the remote")
}

// TestRemoteFails: the messages when the remote fails.
func TestRemoteFails(t *testing.T) {
	gone := newFake(t, vectorOne)
	gone.Close()
	for name, test := range map[string]struct {
		endpoint string
		code     int
		want     string
		timeout  time.Duration
	}{
		"gone": {gone.URL, http.StatusBadGateway, "connection refused", time.Minute},
		"locked": {newFake(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(http.StatusUnauthorized)
		}).URL, http.StatusBadGateway, "look at remote::auth", time.Minute},
		"moved": {newFake(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.invalid/", http.StatusFound)
		}).URL, http.StatusBadGateway, "elsewhere.invalid", time.Minute},
		"slow": {newFake(t, func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
		}).URL, http.StatusGatewayTimeout, "deadline exceeded", 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			e := remoteOf(t, test.endpoint, func(c *Config, _ *confighttp.ClientConfig) { c.QueryTimeout = test.timeout })
			_, err := e.Query(t.Context(), "up", now())
			require.ErrorContains(t, err, test.endpoint)

			_, server := serve(t, e)
			response, err := server.Client().Get(server.URL + "/api/v1/query?query=up")
			require.NoError(t, err)
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			assert.Equal(t, test.code, response.StatusCode)
			assert.Empty(t, response.Header.Get("WWW-Authenticate"))
			assert.Contains(t, string(body), test.want)

			ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
			defer cancel()
			health := e.Probe(ctx)
			assert.False(t, health.OK)
			assert.False(t, health.Blocking)
			assert.Contains(t, health.Message, "does not answer")
		})
	}
}

// TestRemoteOutcomes: the outcome of a remote query is counted like that of an embedded one.
func TestRemoteOutcomes(t *testing.T) {
	for errorType, want := range map[string]string{
		"timeout": "timeout", "canceled": "canceled", "execution": "error", "bad_data": "error",
	} {
		fake := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = io.WriteString(w, `{"status":"error","errorType":"`+errorType+`","error":"no"}`)
		})
		config := testConfig(t)
		client := confighttp.NewDefaultClientConfig()
		client.Endpoint = fake.URL
		config.Remote = configoptional.Some(client)
		e, telemetry := measured(t, config)
		_, err := e.Query(t.Context(), "up", now())
		require.Error(t, err)
		assert.Equal(t, map[string]int64{want: 1}, counts(t, telemetry, "otelcol_extension_tsdb_queries", "outcome"), errorType)
	}
}

// TestRemoteLimits: the remote gets no expression over the limit, and no more requests at once than configured.
func TestRemoteLimits(t *testing.T) {
	asked := 0
	fake := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = w.Write([]byte(`{"status":"success"}`))
	})
	defer fake.Close()
	e := remoteOf(t, fake.URL, func(config *Config, _ *confighttp.ClientConfig) {
		config.Query.Concurrent, config.Query.Queue = 1, 0
	})
	deep := strings.Repeat("(", 1000)
	for _, path := range []string{"query", "query_range", "format_query", "parse_query", "query_exemplars"} {
		w := ask(t.Context(), e, path, "query", deep)
		assert.Equal(t, http.StatusBadRequest, w.Code, path)
		assert.Contains(t, w.Body.String(), "nest deeper than 64", path)
	}
	for _, path := range []string{"series", "labels", "label/a/values"} {
		w := ask(t.Context(), e, path, "match[]", "a{", "match[]", deep)
		assert.Contains(t, w.Body.String(), "nest deeper than 64", path)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/query", strings.NewReader("x"))
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	e.PrometheusAPI().ServeHTTP(w, r)
	assert.Equal(t, http.StatusBadRequest, w.Code)
	assert.Zero(t, asked)

	turn, err := e.backend.(*remote).gate.Enter(t.Context())
	require.NoError(t, err)
	w = ask(t.Context(), e, "query", "query", "up")
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.Equal(t, "2", w.Header().Get("Retry-After"))
	gone, leave := context.WithCancel(t.Context())
	leave()
	assert.Equal(t, http.StatusGatewayTimeout, ask(gone, e, "query", "query", "up").Code)
	turn.Leave()
	assert.Zero(t, asked)
	assert.Equal(t, http.StatusOK, ask(t.Context(), e, "query", "query", "up").Code)
	assert.Equal(t, "query=up", fake.body)
}
