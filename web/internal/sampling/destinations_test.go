package sampling

import (
	"net/http"
	"testing"
	"time"

	"github.com/slowburn/slowburn/web/api"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/processor/tailsampling"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

// delivers is a second processor: it has another destination, and an earlier refusal of the same trace.
type delivers struct {
	webtest.Sampler
	asked []string
}

func (*delivers) Destinations() tailsampling.Destinations {
	return tailsampling.Destinations{
		Destinations: []tailsampling.Destination{{Destination: "otlp_http/archive", Pipeline: "traces/2"}},
		Refused: []tailsampling.RefusedTrace{
			{TraceID: webtest.ExampleHex, Destination: "otlp_http/archive", At: webtest.Noon.Add(time.Minute)},
			{TraceID: webtest.ExampleHex, Destination: "otlp_http/archive", At: webtest.Noon.Add(-time.Minute)},
		},
		RefusedTotal: 40, BudgetBytes: 1000, UsedBytes: 100, WhenFull: "refuse",
	}
}

func (d *delivers) RetryRefused(id *[16]byte, destination string) int {
	if id == nil {
		d.asked = append(d.asked, "all "+destination)
		return 40
	}
	d.asked = append(d.asked, destination)
	return 2
}

// TestSeveralProcessors: one processor's refusals do not hide another's, and each resends its own.
func TestSeveralProcessors(t *testing.T) {
	world := webtest.Everything()
	second := &delivers{}
	world.Pipelines["tail_sampling/2"] = second
	h := world.Serve(Routes)

	all := webtest.Decode[api.Destinations](t, webtest.Get(t, h, "/api/sampling/v1/destinations"))
	var destinations, refused []string
	for _, d := range all.Destinations {
		destinations = append(destinations, d.Destination)
	}
	for _, r := range all.Refused {
		refused = append(refused, r.Destination)
	}
	assert.Equal(t, []string{"otlp_grpc/backend", "traces", "otlp_http/archive"}, destinations)
	assert.Equal(t, []string{"otlp_http/archive", "otlp_grpc/backend", "otlp_http/archive"}, refused, "the latest first")
	assert.Equal(t, []any{int64(41), int64(1<<30 + 1000), int64(10000), "give_up"},
		[]any{all.RefusedTotal, all.BudgetBytes, all.UsedBytes, all.WhenFull})

	retry := "/api/sampling/v1/refused/" + webtest.ExampleHex + "/retry"
	assert.JSONEq(t, `{"traces":3}`, webtest.Ask(t, h, http.MethodPost, retry).Body.String())
	assert.JSONEq(t, `{"traces":2}`, webtest.Ask(t, h, http.MethodPost, retry+"?destination=otlp_http/archive").Body.String())
	all41 := webtest.Ask(t, h, http.MethodPost, "/api/sampling/v1/refused/retry")
	assert.JSONEq(t, `{"traces":41}`, all41.Body.String())
	assert.Equal(t, []string{"", "otlp_http/archive", "all "}, second.asked)
}

// quiet is a processor that has started and has no data.
type quiet struct{ webtest.Sampler }

func (*quiet) Destinations() tailsampling.Destinations { return tailsampling.Destinations{} }

func (*quiet) RetryRefused(*[16]byte, string) int { return 0 }

// TestNoDestinations: empty lists are written as [], not null.
func TestNoDestinations(t *testing.T) {
	world := webtest.Running{Pipelines: map[string]any{"tail_sampling": &quiet{}}}
	assert.JSONEq(t, `{"destinations":[],"refused":[],"refused_total":0,"budget_bytes":0,"used_bytes":0,"when_full":""}`,
		webtest.Get(t, world.Serve(Routes), "/api/sampling/v1/destinations").Body.String())
	webtest.RequireProblem(t, webtest.Ask(t, world.Serve(Routes), http.MethodPost,
		"/api/sampling/v1/refused/"+webtest.ExampleHex+"/retry?destination=a"), http.StatusNotFound,
		`There is no destination "a": there are none.`)
	assert.JSONEq(t, `{"traces":0}`, webtest.Ask(t, world.Serve(Routes), http.MethodPost, "/api/sampling/v1/refused/retry").Body.String())
}

func TestRetryRefused(t *testing.T) {
	h := webtest.Everything().Serve(Routes)
	ask := func(target string) (int, string) {
		w := webtest.Ask(t, h, http.MethodPost, "/api/sampling/v1/refused/"+target)
		if w.Code != http.StatusOK {
			webtest.RequireProblem(t, w, w.Code, "")
		}
		return w.Code, w.Body.String()
	}
	for target, want := range map[string]struct {
		status int
		body   string
	}{
		"retry":                                 {200, `{"traces":1}`},
		"retry?destination=otlp_grpc%2Fbackend": {200, `{"traces":1}`},
		"retry?destination=traces":              {200, `{"traces":0}`},
		"retry?destination=otlp":                {404, `There is no destination \"otlp\": there are otlp_grpc/backend, traces.`},
		"retry?pipeline=traces":                 {400, `there is no parameter \"pipeline\": there are destination.`},
		webtest.ExampleHex + "/retry":           {200, `{"traces":1}`},
		webtest.ExampleHex + "/retry?destination=otlp_grpc%2Fbackend":    {200, `{"traces":1}`},
		webtest.ExampleHex + "/retry?destination=traces":                 {404, "The destination traces does not refuse the trace " + webtest.ExampleHex},
		webtest.ExampleHex + "/retry?destination=otlp":                   {404, `There is no destination \"otlp\": there are otlp_grpc/backend, traces.`},
		webtest.GoneID.String() + "/retry":                               {404, "No destination refuses the trace " + webtest.GoneID.String()},
		"xyz/retry":                                                      {400, `\"xyz\" is no trace ID: it must be 32 hexadecimal digits.`},
		webtest.ExampleHex + "/retry?pipeline=traces":                    {400, `there is no parameter \"pipeline\": there are destination.`},
		"00000000000000000000000000000000/retry?destination=otlp_grpc/x": {404, "There is no destination"},
	} {
		status, body := ask(target)
		require.Equal(t, want.status, status, target)
		assert.Contains(t, body, want.body, target)
	}
}
