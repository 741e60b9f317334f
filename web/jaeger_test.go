package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/tracestore"
)

// jaeger is an answer as Grafana's Jaeger data source reads it.
type jaeger[T any] struct {
	Data   []T           `json:"data"`
	Total  int           `json:"total"`
	Errors []jaegerError `json:"errors"`
}

func askJaeger[T any](t *testing.T, world running, target string) jaeger[T] {
	t.Helper()
	w := get(t, world.handler(t, pages, ""), "/jaeger/api"+target)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	answer := decode[jaeger[T]](t, w)
	require.NotNil(t, answer.Data, "[] rather than null")
	require.Len(t, answer.Data, answer.Total)
	require.Nil(t, answer.Errors)
	return answer
}

func TestJaegerNames(t *testing.T) {
	world := everything()
	assert.Equal(t, []string{"a/b & 50%25", "checkout", "quiet"}, askJaeger[string](t, world, "/services").Data)
	for service, want := range map[string][]string{
		"checkout": {"POST /checkout", "pay"}, "a/b & 50%25": {"op"}, "quiet": {}, "nobody": {},
	} {
		assert.Equal(t, want, askJaeger[string](t, world, "/services/"+url.PathEscape(service)+"/operations").Data, service)
		var operations []jaegerOperation
		for _, name := range want {
			operations = append(operations, jaegerOperation{Name: name})
		}
		assert.ElementsMatch(t, operations, askJaeger[jaegerOperation](t, world, "/operations?service="+url.QueryEscape(service)).Data)
	}
}

// TestJaegerTrace reads a trace as Grafana does: IDs, processes and references must fit together.
func TestJaegerTrace(t *testing.T) {
	traces := askJaeger[jaegerTraceView](t, everything(), "/traces/"+exampleHex).Data
	require.Len(t, traces, 1)
	trace := traces[0]
	assert.Equal(t, exampleHex, trace.TraceID)
	require.Len(t, trace.Spans, 4, "what never arrived is not made up")
	require.Len(t, trace.Processes, 2)
	byName := map[string]jaegerSpan{}
	for _, s := range trace.Spans {
		byName[s.Operation] = s
		assert.Equal(t, exampleHex, s.TraceID)
		assert.Contains(t, trace.Processes, s.Process)
		assert.NotNil(t, s.References)
		assert.NotNil(t, s.Logs)
	}

	root := byName["GET /cart"]
	assert.Empty(t, root.References)
	assert.Equal(t, "shop", trace.Processes[root.Process].Service)
	assert.Subset(t, root.Tags, []jaegerTag{
		{"http.route", "string", "/cart </script>"}, {"small", "int64", 42.0}, {"large", "string", "9223372036854775807"},
		{"ratio", "float64", 0.5}, {"nan", "string", "NaN"}, {"infinite", "string", "-Inf"}, {"cached", "bool", true}, {"empty", "string", ""},
		{"raw", "binary", "/wA="}, {"list", "string", `[-9223372036854775808,"x"]`},
		{"span.kind", "string", "server"}, {"otel.scope.name", "string", "http"}, {"otel.scope.version", "string", "1.2"},
	})

	server := byName["POST /checkout"]
	assert.Equal(t, uint64(at(5_000))/1000, server.Start, "raw microseconds")
	assert.Equal(t, uint64(60_000), server.Duration)
	assert.Equal(t, []jaegerReference{{"CHILD_OF", exampleHex, "0000000000000002"}}, server.References)
	assert.Subset(t, server.Tags, []jaegerTag{
		{"error", "bool", true}, {"otel.status_code", "string", "ERROR"}, {"otel.status_description", "string", "no stock"},
	})
	assert.Equal(t, []jaegerLog{{uint64(at(5_050)) / 1000, []jaegerTag{
		{"event", "string", "exception"}, {"exception.type", "string", "OutOfStock"}}}}, server.Logs)
	assert.Equal(t, "checkout", trace.Processes[server.Process].Service)

	client := byName["call"]
	assert.Equal(t, jaegerReference{"CHILD_OF", exampleHex, "0000000000000001"}, client.References[0])
	assert.Equal(t, jaegerReference{"FOLLOWS_FROM", keptID.String(), "0000000000000009"}, client.References[1])
}

func TestJaegerSearch(t *testing.T) {
	world := everything()
	store := world.pipelines["trace_store"].(*fakeStore)
	micros := noon.UnixMicro()
	for target, want := range map[string]tracestore.Query{
		"": {Limit: 20},
		fmt.Sprintf("?service=a&operation=b&start=%d&end=%d&limit=1500&minDuration=1.2ms&maxDuration=3s&lookback=custom", micros-1, micros): {
			Service: "a", Operation: "b", Limit: 200, MinDuration: 1200 * time.Microsecond, MaxDuration: 3 * time.Second,
			Start: noon.Add(-time.Microsecond), End: noon},
		"?operation=All&tags=" + url.QueryEscape(`{"error":"true"}`): {Limit: 20, Error: true},
		"?tag=error:true":                {Limit: 20, Error: true},
		"?tags=" + url.QueryEscape("{}"): {Limit: 20},
	} {
		found := askJaeger[jaegerTraceView](t, world, "/traces"+target)
		assert.Equal(t, exampleHex, found.Data[0].TraceID)
		assert.True(t, want.Start.Equal(store.asked.Start) && want.End.Equal(store.asked.End), target)
		store.asked.Start, store.asked.End = want.Start, want.End
		assert.Equal(t, want, store.asked, target)
	}
	assert.Empty(t, askJaeger[jaegerTraceView](t, world, "/traces?service=nobody").Data)
	named := askJaeger[jaegerTraceView](t, world, "/traces?traceID="+exampleHex+"&traceID="+goneID.String())
	assert.Len(t, named.Data, 1, "those that are here")

	delete(store.traces, exampleID) // as if it expired between the search and the look
	assert.Empty(t, askJaeger[jaegerTraceView](t, world, "/traces").Data)
}

// TestJaegerErrors are in Jaeger's form, which Grafana shows.
func TestJaegerErrors(t *testing.T) {
	broken := everything()
	broken.pipelines["trace_store"].(*fakeStore).err = errors.New("the disk is gone")
	all, none := everything(), running{}
	tooMany := "/traces?traceID=1"
	for range tracestore.MaxLimit {
		tooMany += "&traceID=1"
	}
	for _, c := range []struct {
		world  running
		target string
		status int
		text   string
	}{
		{none, "/services", 404, "No trace_store exporter is running"},
		{none, "/traces", 404, "No trace_store"},
		{all, "/dependencies", 404, "There is nothing at /jaeger/api/dependencies"},
		{all, "/traces/" + goneID.String(), 404, "is not here"},
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
		{broken, "/traces?traceID=" + exampleHex, 503, "the disk is gone"},
		{broken, "/traces/" + exampleHex, 503, "the disk is gone"},
	} {
		w := get(t, c.world.handler(t, pages, ""), "/jaeger/api"+c.target)
		require.Equal(t, c.status, w.Code, c.target)
		answer := decode[jaeger[any]](t, w)
		assert.Nil(t, answer.Data, c.target)
		require.Len(t, answer.Errors, 1, c.target)
		assert.Equal(t, c.status, answer.Errors[0].Code, c.target)
		assert.Contains(t, answer.Errors[0].Msg, c.text)
	}
	w := ask(t, all.handler(t, pages, ""), http.MethodPost, "/jaeger/api/services")
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
	assert.Equal(t, http.StatusMethodNotAllowed, decode[jaeger[any]](t, w).Errors[0].Code)
}
