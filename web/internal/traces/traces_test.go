package traces

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/tracestore"
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func served(world webtest.Running) http.Handler { return world.Serve(Routes) }

func exampleView(t *testing.T) (api.Trace, *webtest.Store) {
	t.Helper()
	world := webtest.Everything()
	w := webtest.Get(t, served(world), "/api/traces/v1/traces/"+webtest.ExampleHex)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	return webtest.Decode[api.Trace](t, w), world.Pipelines["trace_store"].(*webtest.Store)
}

// byName finds a span of the view.
func byName(t *testing.T, v *api.Trace, name string) api.Span {
	t.Helper()
	for _, s := range v.Spans {
		if s.Name == name {
			return s
		}
	}
	require.Fail(t, "no span", name)
	return api.Span{}
}

func unixNano(n uint64) string { return strconv.FormatUint(n, 10) }

// The trace that is written span by span has the contract's structure, field for field.
func TestTraceIsTheContracts(t *testing.T) {
	w := webtest.Get(t, served(webtest.Everything()), "/api/traces/v1/traces/"+webtest.ExampleHex)
	again, err := json.Marshal(webtest.Decode[api.Trace](t, w))
	require.NoError(t, err)
	require.JSONEq(t, string(again), w.Body.String())
}

func TestTraceView(t *testing.T) {
	view, store := exampleView(t)
	assert.Equal(t, webtest.ExampleHex, view.TraceID)
	assert.Equal(t, api.TraceSummaryOf(webtest.ExampleSummary()), view.Summary)
	assert.Equal(t, api.Kept{Policy: "errors", Threshold: "8", AdjustedCount: 2, LateSpans: 1}, view.Kept)
	assert.Equal(t, 1, view.Orphans)
	assert.Len(t, view.Resources, 2)
	assert.Len(t, view.Clock.Clocks, 2)
	assert.Equal(t, "bounded", view.Clock.Status)
	assert.Equal(t, []pcommon.TraceID{webtest.KeptID, webtest.GoneID}, store.Linked, "each linked trace is asked for once")

	for i, s := range view.Spans {
		assert.Equal(t, s.Synthetic, s.Resource < 0, s.Name)
		if i > 0 {
			assert.LessOrEqual(t, s.Depth, view.Spans[i-1].Depth+1, "preorder")
		}
	}

	server := byName(t, &view, "POST /checkout")
	assert.Equal(t, "server", server.Kind)
	assert.Equal(t, "error", server.Status)
	assert.Equal(t, "no stock", server.StatusMessage)
	assert.Equal(t, "60000000", server.Duration)
	assert.Equal(t, unixNano(uint64(webtest.At(5_000))), server.Start, "raw times survive")
	assert.Equal(t, unixNano(uint64(webtest.At(20))), server.CorrectedStart, "in the middle of its client's 80 ms")
	require.NotNil(t, server.Uncertainty)
	assert.Equal(t, "11000000", *server.Uncertainty, "either side of it in the client's, and a tick of a clock that counts milliseconds")
	assert.Equal(t, []api.Event{{
		Name: "exception", Time: unixNano(uint64(webtest.At(5_050))), Attributes: map[string]any{"exception.type": "OutOfStock"},
	}}, server.Events)

	client := byName(t, &view, "call")
	assert.Equal(t, api.Scope{Name: "http", Version: "1.2"}, client.Scope)
	var kept []bool
	for _, link := range client.Links {
		kept = append(kept, link.Kept)
	}
	assert.Equal(t, []bool{true, false, true, true}, kept, "stored, gone, stored, and this trace itself")

	odd := byName(t, &view, "pay")
	assert.Equal(t, "unspecified", odd.Kind, "what OTLP does not know")
	assert.Equal(t, "unset", odd.Status)
	assert.Contains(t, odd.Flags, "orphan")
	assert.True(t, byName(t, &view, "missing span").Synthetic)
}

// TestAttributesAsJSON: a browser reads the values that were sent, even those beyond JSON's numbers.
func TestAttributesAsJSON(t *testing.T) {
	view, _ := exampleView(t)
	assert.Equal(t, map[string]any{
		"http.route": "/cart </script>", "small": 42.0, "large": "9223372036854775807", "ratio": 0.5, "nan": "NaN", "infinite": "-Inf",
		"cached": true, "empty": nil, "raw": "/wA=", "list": []any{"-9223372036854775808", "x"}, "map": map[string]any{"deep": "+Inf"},
		"tailsampling.policy": "errors", // the sampler marks the scope with it; other attributes of the scope are not the span's
	}, byName(t, &view, "GET /cart").Attributes)
}

func TestHexThreshold(t *testing.T) {
	for th, want := range map[uint64]string{0: "0", 1: "00000000000001", 1 << 55: "8", 1<<56 - 1: "ffffffffffffff", 0x0c << 48: "0c"} {
		assert.Equal(t, want, hexThreshold(th))
	}
}

// The threshold is that of the first span with one; a trace without upstream sampling has none.
func TestThreshold(t *testing.T) {
	for want, states := range map[string][]string{"0": {"", "foo=1"}, "8": {"", "ot=th:8", "ot=th:c"}} {
		tr := &trace.Trace{Spans: []trace.Span{{Origin: trace.Origin{Synthetic: true}}}}
		for _, state := range states {
			tr.Spans = append(tr.Spans, trace.Span{Data: trace.Data{TraceState: []byte(state)}})
		}
		assert.Equal(t, want, threshold(tr))
	}
	assert.Equal(t, "0", threshold(&trace.Trace{}))
}

// TestSearchQuery passes the query's parameters on.
func TestSearchQuery(t *testing.T) {
	world := webtest.Everything()
	h := served(world)
	store := world.Pipelines["trace_store"].(*webtest.Store)
	for target, want := range map[string]tracestore.Query{
		"": {Limit: 20},
		"?service=a&operation=b+c&policy=errors&limit=200&cursor=xyz&error=true": {
			Service: "a", Operation: "b c", Policy: "errors", Limit: 200, Cursor: "xyz", Error: true},
		"?error=true&match=trace":                          {Limit: 20, Error: true, AnySpan: true},
		"?service=a&match=span":                            {Limit: 20, Service: "a"},
		"?error=false&min_duration=1.5s&max_duration=1.5s": {Limit: 20, MinDuration: 1500 * time.Millisecond, MaxDuration: 1500 * time.Millisecond},
		"?start=2026-01-31T11:00:00.5Z&end=2026-01-31T13:00:00%2B01:00": {
			Limit: 20, Start: webtest.Noon.Add(-time.Hour + 500*time.Millisecond), End: webtest.Noon},
	} {
		w := webtest.Get(t, h, "/api/traces/v1/search"+target)
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		assert.True(t, want.Start.Equal(store.Asked.Start) && want.End.Equal(store.Asked.End), target)
		store.Asked.Start, store.Asked.End = want.Start, want.End
		assert.Equal(t, want, store.Asked, target)
	}
}

// TestServices: services and their operations are sorted, and one without operations has an empty list.
func TestServices(t *testing.T) {
	w := webtest.Get(t, served(webtest.Everything()), "/api/traces/v1/services")
	assert.JSONEq(t, `{"services":[{"name":"a/b & 50%25","operations":["op"]},
		{"name":"checkout","operations":["POST /checkout","pay"]},{"name":"quiet","operations":[]}]}`, w.Body.String())
	assert.JSONEq(t, `{"traces":[],"next_cursor":""}`,
		webtest.Get(t, served(webtest.Everything()), "/api/traces/v1/search?service=nobody").Body.String())
}

// TestSpanInJSON checks the order of a span's keys: structures that its view embeds must not change it.
func TestSpanInJSON(t *testing.T) {
	w := webtest.Get(t, served(webtest.Everything()), "/api/traces/v1/traces/"+webtest.ExampleHex)
	assert.Contains(t, w.Body.String(), `{"span_id":"0000000000000077","parent_id":"","name":"missing span","service":"",`+
		`"kind":"unspecified","status":"unset","status_message":"sampled","depth":0,"children":1,"synthetic":true,"start_unix_nano":"0",`+
		`"end_unix_nano":"0","corrected_start_unix_nano":"1769860800040000000","corrected_end_unix_nano":"1769860800050000000",`+
		`"uncertainty_ns":"0","duration_ns":"10000000","flags":[],"scope":{"name":"","version":""},"attributes":{},"resource":-1,`+
		`"events":[],"links":[]}`)
}

// TestProblems sends requests that cannot be answered.
func TestProblems(t *testing.T) {
	storeFails := func(err error) webtest.Running {
		r := webtest.Everything()
		r.Pipelines["trace_store"].(*webtest.Store).Err = err
		return r
	}
	all, none, broken := webtest.Everything(), webtest.Running{}, errors.New("the disk is gone")
	for _, c := range []struct {
		world  webtest.Running
		target string
		status int
		detail string
	}{
		{none, "/api/traces/v1/services", 404, "No trace_store exporter is running: define one"},
		{none, "/api/traces/v1/search", 404, "No trace_store"},
		{none, "/api/traces/v1/traces/" + webtest.ExampleHex, 404, "No trace_store"},
		{all, "/api/traces/v1/traces/" + webtest.GoneID.String(), 404, "was not kept"},
		{all, "/api/traces/v1/traces/xyz", 400, `"xyz" is no trace ID: it must be 32`},
		{all, "/api/traces/v1/traces/abcd", 400, `"abcd" is no trace ID`},
		{all, "/api/traces/v1/search?match=root", 400, "match=root: it must be span or trace"},
		{all, "/api/traces/v1/search?min_duration=100", 400, "min_duration=100: it must be a duration such as"},
		{all, "/api/traces/v1/search?max_duration=-1s", 400, "max_duration=-1s: it must be a duration"},
		{all, "/api/traces/v1/search?min_duration=2s&max_duration=1s", 400, "min_duration=2s is longer than max_duration=1s"},
		{all, "/api/traces/v1/search?error=maybe", 400, "error=maybe: it must be true or false"},
		{all, "/api/traces/v1/search?limit=0", 400, "limit=0: it must be a whole number from 1 to 200"},
		{all, "/api/traces/v1/search?limit=201", 400, "limit=201"},
		{all, "/api/traces/v1/search?start=2026-01-31T12:00:00Z&end=2026-01-31T11:00:00Z", 400, "end=2026-01-31T11:00:00Z is before start"},
		{storeFails(broken), "/api/traces/v1/services", 503, "The trace store cannot be read: the disk is gone. /readyz"},
		{storeFails(broken), "/api/traces/v1/search", 503, "the disk is gone"},
		{storeFails(broken), "/api/traces/v1/traces/" + webtest.ExampleHex, 503, "the disk is gone"},
		{storeFails(tracestore.ErrCursor), "/api/traces/v1/search?cursor=x", 400, "the cursor is not one"},
	} {
		t.Run(fmt.Sprint(c.status, c.target), func(t *testing.T) {
			webtest.RequireProblem(t, webtest.Get(t, c.world.Serve(Routes), c.target), c.status, c.detail)
		})
	}
}
