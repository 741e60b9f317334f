package jaeger

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/processor/tracestore"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func served(world webtest.Running) http.Handler {
	return world.Serve(func(r chi.Router, all *known.Components) {
		r.Route("/jaeger/api", func(r chi.Router) { Routes(r, all) })
	})
}

// received is an answer as Grafana's Jaeger data source reads it.
type received[T any] struct {
	Data   []T         `json:"data"`
	Total  int         `json:"total"`
	Errors []errorView `json:"errors"`
}

func askJaeger[T any](t *testing.T, world webtest.Running, target string) received[T] {
	t.Helper()
	w := webtest.Get(t, served(world), "/jaeger/api"+target)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	answer := webtest.Decode[received[T]](t, w)
	require.NotNil(t, answer.Data, "[] rather than null")
	require.Len(t, answer.Data, answer.Total)
	require.Nil(t, answer.Errors)
	return answer
}

func TestJaegerNames(t *testing.T) {
	world := webtest.Everything()
	assert.Equal(t, []string{"a/b & 50%25", "checkout", "quiet"}, askJaeger[string](t, world, "/services").Data)
	for service, want := range map[string][]string{
		"checkout": {"POST /checkout", "pay"}, "a/b & 50%25": {"op"}, "quiet": {}, "nobody": {},
	} {
		assert.Equal(t, want, askJaeger[string](t, world, "/services/"+url.PathEscape(service)+"/operations").Data, service)
		var operations []operationView
		for _, name := range want {
			operations = append(operations, operationView{Name: name})
		}
		assert.ElementsMatch(t, operations, askJaeger[operationView](t, world, "/operations?service="+url.QueryEscape(service)).Data)
	}
}

// TestJaegerTrace reads a trace as Grafana does: IDs, processes and references must fit together.
func TestJaegerTrace(t *testing.T) {
	traces := askJaeger[traceView](t, webtest.Everything(), "/traces/"+webtest.ExampleHex).Data
	require.Len(t, traces, 1)
	trace := traces[0]
	assert.Equal(t, webtest.ExampleHex, trace.TraceID)
	require.Len(t, trace.Spans, 4, "what never arrived is not made up")
	require.Len(t, trace.Processes, 2)
	byName := map[string]spanView{}
	for _, s := range trace.Spans {
		byName[s.Operation] = s
		assert.Equal(t, webtest.ExampleHex, s.TraceID)
		assert.Contains(t, trace.Processes, s.Process)
		assert.NotNil(t, s.References)
		assert.NotNil(t, s.Logs)
	}

	root := byName["GET /cart"]
	assert.Empty(t, root.References)
	assert.Equal(t, "shop", trace.Processes[root.Process].Service)
	assert.Subset(t, root.Tags, []tagView{
		{"http.route", "string", "/cart </script>"}, {"small", "int64", 42.0}, {"large", "string", "9223372036854775807"},
		{"ratio", "float64", 0.5}, {"nan", "string", "NaN"}, {"infinite", "string", "-Inf"}, {"cached", "bool", true}, {"empty", "string", ""},
		{"raw", "binary", "/wA="}, {"list", "string", `[-9223372036854775808,"x"]`},
		{"span.kind", "string", "server"}, {"otel.scope.name", "string", "http"}, {"otel.scope.version", "string", "1.2"},
		{"tailsampling.policy", "string", "errors"},
	})

	server := byName["POST /checkout"]
	assert.Equal(t, uint64(webtest.At(5_000))/1000, server.Start, "raw microseconds")
	assert.Equal(t, uint64(60_000), server.Duration)
	assert.Equal(t, []referenceView{{"CHILD_OF", webtest.ExampleHex, "0000000000000002"}}, server.References)
	assert.Subset(t, server.Tags, []tagView{
		{"error", "bool", true}, {"otel.status_code", "string", "ERROR"}, {"otel.status_description", "string", "no stock"},
	})
	assert.Equal(t, []logView{{uint64(webtest.At(5_050)) / 1000, []tagView{
		{"event", "string", "exception"}, {"exception.type", "string", "OutOfStock"}}}}, server.Logs)
	assert.Equal(t, "checkout", trace.Processes[server.Process].Service)

	client := byName["call"]
	assert.Equal(t, referenceView{"CHILD_OF", webtest.ExampleHex, "0000000000000001"}, client.References[0])
	assert.Equal(t, referenceView{"FOLLOWS_FROM", webtest.KeptID.String(), "0000000000000009"}, client.References[1])
}

func TestJaegerSearch(t *testing.T) {
	world := webtest.Everything()
	store := world.Pipelines["trace_store"].(*webtest.Store)
	micros := webtest.Noon.UnixMicro()
	for target, want := range map[string]tracestore.Query{
		"": {Limit: 20},
		fmt.Sprintf("?service=a&operation=b&start=%d&end=%d&limit=1500&minDuration=1.2ms&maxDuration=3s&lookback=custom", micros-1, micros): {
			Service: "a", Operation: "b", Limit: 200, MinDuration: 1200 * time.Microsecond, MaxDuration: 3 * time.Second,
			Start: webtest.Noon.Add(-time.Microsecond), End: webtest.Noon},
		"?operation=All&tags=" + url.QueryEscape(`{"error":"true"}`): {Limit: 20, Error: true},
		"?tag=error:true":                {Limit: 20, Error: true},
		"?tags=" + url.QueryEscape("{}"): {Limit: 20},
	} {
		found := askJaeger[traceView](t, world, "/traces"+target)
		assert.Equal(t, webtest.ExampleHex, found.Data[0].TraceID)
		assert.True(t, want.Start.Equal(store.Asked.Start) && want.End.Equal(store.Asked.End), target)
		store.Asked.Start, store.Asked.End = want.Start, want.End
		assert.Equal(t, want, store.Asked, target)
	}
	assert.Empty(t, askJaeger[traceView](t, world, "/traces?service=nobody").Data)
	named := askJaeger[traceView](t, world, "/traces?traceID="+webtest.ExampleHex+"&traceID="+webtest.GoneID.String())
	assert.Len(t, named.Data, 1, "those that are here")

	delete(store.Traces, webtest.ExampleID) // as if it expired between the search and the read
	assert.Empty(t, askJaeger[traceView](t, world, "/traces").Data)
}

// TestJaegerErrors: errors are in Jaeger's form, which Grafana shows.
func TestJaegerErrors(t *testing.T) {
	broken := webtest.Everything()
	broken.Pipelines["trace_store"].(*webtest.Store).Err = errors.New("the disk is gone")
	all, none := webtest.Everything(), webtest.Running{}
	tooMany := "/traces?traceID=1"
	for range tracestore.MaxLimit {
		tooMany += "&traceID=1"
	}
	for _, c := range []struct {
		world  webtest.Running
		target string
		status int
		text   string
	}{
		{none, "/services", 404, "No trace_store exporter is running"},
		{none, "/traces", 404, "No trace_store"},
		{all, "/dependencies", 404, "There is nothing at /jaeger/api/dependencies"},
		{all, "/traces/" + webtest.GoneID.String(), 404, "is not here"},
		{all, "/traces/" + strings.Repeat("x", 4096), 400, "bytes more)"},
		{all, "/traces/xyz", 400, `"xyz" is no trace ID`},
		{all, "/traces?traceID=xyz", 400, `"xyz" is no trace ID`},
		{all, tooMany, 400, "201 trace IDs are too many"},
		{all, "/traces?start=noon", 400, "start=noon: it must be a time in Unix microseconds"},
		{all, "/traces?minDuration=5", 400, "minDuration=5: it must be a duration"},
		{all, "/traces?limit=none", 400, "limit=none"},
		{all, "/traces?tags=error", 400, "tags must be a JSON object"},
		{all, "/traces?tag=error", 400, "tag=error: it must be key:value"},
		{all, "/traces?tag=http.route:/cart", 400, "tag http.route=/cart cannot be searched"},
		{broken, "/services", 503, "the disk is gone"},
		{broken, "/services/a/operations", 503, "the disk is gone"},
		{broken, "/operations?service=a", 503, "the disk is gone"},
		{broken, "/traces", 503, "the disk is gone"},
		{broken, "/traces?traceID=" + webtest.ExampleHex, 503, "the disk is gone"},
		{broken, "/traces/" + webtest.ExampleHex, 503, "the disk is gone"},
	} {
		w := webtest.Get(t, served(c.world), "/jaeger/api"+c.target)
		require.Equal(t, c.status, w.Code, c.target)
		answer := webtest.Decode[received[any]](t, w)
		assert.Nil(t, answer.Data, c.target)
		require.Len(t, answer.Errors, 1, c.target)
		assert.Equal(t, c.status, answer.Errors[0].Code, c.target)
		assert.Contains(t, answer.Errors[0].Msg, c.text)
	}
	w := webtest.Ask(t, served(all), http.MethodPost, "/jaeger/api/services")
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
	assert.Equal(t, http.StatusMethodNotAllowed, webtest.Decode[received[any]](t, w).Errors[0].Code)
}
