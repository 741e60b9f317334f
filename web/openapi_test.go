package web

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

// foreign reports the paths outside the contract: other APIs, which describe themselves, pages, and paths that serve nothing.
func foreign(route string) bool {
	return strings.HasPrefix(route, "/jaeger/") || slices.Contains([]string{"/api/v1/*", "/api/*", "/*", "/metrics"}, route)
}

// TestEveryRouteIsDescribed walks the router: openapi.yaml has exactly its routes.
func TestEveryRouteIsDescribed(t *testing.T) {
	var routed []string
	router := newRouter(webtest.Everything().Components(), unlimited(t), http.NotFoundHandler(), http.NotFoundHandler(), zap.NewNop())
	require.NoError(t, chi.Walk(router, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		if !foreign(route) {
			routed = append(routed, method+" "+route)
		}
		return nil
	}))
	var described []string
	for path, item := range openDocument(t).at(t, "paths") {
		for method := range item.(map[string]any) {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	assert.ElementsMatch(t, described, routed)
}

// TestParametersAreAsDescribed: a parameter outside the description is refused, with the names of the described ones.
func TestParametersAreAsDescribed(t *testing.T) {
	d := openDocument(t)
	h := served(t, webtest.Everything())
	for path, target := range map[string]string{"/api/traces/v1/search": "/api/traces/v1/search", "/api/slo/v1/objectives/{name}/history": "/api/slo/v1/objectives/quiet/history",
		"/api/slo/v1/objectives/{name}/breakdown": "/api/slo/v1/objectives/quiet/breakdown",
		"/api/slo/v1/objectives":                  "/api/slo/v1/objectives", "/api/slo/v1/overview": "/api/slo/v1/overview"} {
		var names []string
		for _, p := range d.at(t, "paths", path, "get")["parameters"].([]any) {
			if p := d.resolve(t, p.(map[string]any)); p["in"] == "query" {
				names = append(names, p["name"].(string))
			}
		}
		webtest.RequireProblem(t, webtest.Get(t, h, target+"?serivce=x"), http.StatusBadRequest,
			`there is no parameter "serivce": there are `+strings.Join(names, ", "))
	}
}

// TestOperationIDs checks that clients can be generated.
func TestOperationIDs(t *testing.T) {
	d := openDocument(t)
	seen := map[string]string{}
	for path := range d.at(t, "paths") {
		operation := d.at(t, "paths", path, d.methodOf(t, path))
		id := operation["operationId"].(string)
		assert.Empty(t, seen[id], "%s is the operation of %s too", id, path)
		seen[id] = path
		assert.NotEmpty(t, operation["summary"], path)
		for i := range strings.Count(path, "{") {
			require.Greater(t, len(operation["parameters"].([]any)), i, "%s has an undescribed parameter", path)
		}
	}
}

// methodOf is the method of a path, in lower case: each has one.
func (d document) methodOf(t testing.TB, path string) string {
	methods := slices.Collect(maps.Keys(d.at(t, "paths", path)))
	require.Len(t, methods, 1, path)
	return methods[0]
}

// TestAnswersAreAsDescribed requests every path of openapi.yaml and validates the answer by its schema.
func TestAnswersAreAsDescribed(t *testing.T) {
	const full, quiet = "checkout/availability (v2)", "quiet"
	targets := map[string][]string{
		"/api/slo/v1/objectives":                  {"/api/slo/v1/objectives", "/api/slo/v1/objectives?limit=1&sort=name&q=quiet", "/api/slo/v1/objectives?limit=0"},
		"/api/slo/v1/overview":                    {"/api/slo/v1/overview", "/api/slo/v1/overview?limit=1", "/api/slo/v1/overview?urgency=low", "/api/slo/v1/overview?sort=size"},
		"/healthz":                                {"/healthz"},
		"/readyz":                                 {"/readyz"},
		"/api/openapi.yaml":                       {"/api/openapi.yaml"},
		"/api/access/v1/me":                       {"/api/access/v1/me"},
		"/api/slo/v1/objectives/{name}":           {"/api/slo/v1/objectives/" + url.PathEscape(full), "/api/slo/v1/objectives/" + quiet},
		"/api/slo/v1/objectives/{name}/history":   {"/api/slo/v1/objectives/quiet/history"},
		"/api/slo/v1/objectives/{name}/breakdown": {"/api/slo/v1/objectives/quiet/breakdown", "/api/slo/v1/objectives/quiet/breakdown?by=service,reason"},
		"/api/slo/v1/objectives/{name}/traces":    {"/api/slo/v1/objectives/quiet/traces", "/api/slo/v1/objectives/nobody/traces"},
		"/api/traces/v1/endpoints":                {"/api/traces/v1/endpoints"},
		"/api/traces/v1/services":                 {"/api/traces/v1/services"},
		"/api/traces/v1/search":                   {"/api/traces/v1/search", "/api/traces/v1/search?service=nobody"},
		"/api/traces/v1/traces/{trace_id}":        {"/api/traces/v1/traces/" + webtest.ExampleHex},
		"/api/sampling/v1/status":                 {"/api/sampling/v1/status"},
		"/api/sampling/v1/cost":                   {"/api/sampling/v1/cost"},
		"/api/sampling/v1/policies":               {"/api/sampling/v1/policies"},
		"/api/sampling/v1/policies/reload":        {"/api/sampling/v1/policies/reload"},
		"/api/sampling/v1/shadow":                 {"/api/sampling/v1/shadow"},
		"/api/sampling/v1/shadow/promote":         {"/api/sampling/v1/shadow/promote"},
		"/api/sampling/v1/decisions/{trace_id}":   {"/api/sampling/v1/decisions/" + webtest.KeptID.String(), "/api/sampling/v1/decisions/" + webtest.GoneID.String()},
		"/api/sampling/v1/destinations":           {"/api/sampling/v1/destinations"},
		"/api/sampling/v1/refused/retry": {
			"/api/sampling/v1/refused/retry", "/api/sampling/v1/refused/retry?destination=otlp_grpc%2Fbackend",
			"/api/sampling/v1/refused/retry?destination=nobody",
		},
		"/api/sampling/v1/drain":        {"/api/sampling/v1/drain"},
		"/api/sampling/v1/drain/resume": {"/api/sampling/v1/drain/resume"},
		"/api/sampling/v1/refused/{trace_id}/retry": {
			"/api/sampling/v1/refused/" + webtest.ExampleHex + "/retry?destination=otlp_grpc%2Fbackend",
			"/api/sampling/v1/refused/" + webtest.GoneID.String() + "/retry", "/api/sampling/v1/refused/x/retry",
		},
		"/api/alerts/v1/alerts":     {"/api/alerts/v1/alerts"},
		"/api/alerts/v1/deliveries": {"/api/alerts/v1/deliveries"},
	}
	d := openDocument(t)
	require.ElementsMatch(t, slices.Collect(maps.Keys(d.at(t, "paths"))), slices.Collect(maps.Keys(targets)))
	for name, world := range map[string]webtest.Running{"everything": webtest.Everything(), "nothing": {}} {
		h := served(t, world)
		for path, list := range targets {
			for _, target := range list {
				t.Run(name+target, func(t *testing.T) { d.requireAnswer(t, h, path, target) })
			}
		}
	}
}

// requireAnswer checks an answer's status, media type and body.
func (d document) requireAnswer(t *testing.T, h http.Handler, path, target string) {
	method := d.methodOf(t, path)
	w := webtest.Ask(t, h, strings.ToUpper(method), target)
	responses := d.at(t, "paths", path, method, "responses")
	status := fmt.Sprint(w.Code)
	if _, ok := responses[status]; !ok {
		status = "default"
	}
	content := d.at(t, "paths", path, method, "responses", status, "content")
	mediaType, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
	described, ok := content[mediaType].(map[string]any)
	require.True(t, ok, "%s answers %s with %s: %s", path, status, mediaType, w.Body)
	if !strings.HasSuffix(mediaType, "json") {
		return
	}
	body, err := jsonschema.UnmarshalJSON(w.Body)
	require.NoError(t, err)
	assert.NoError(t, d.schema(t, described["schema"].(map[string]any)).Validate(body))
}

// TestEngineAnswersAsDescribed queries the extension `slo` itself, before its first evaluation.
func TestEngineAnswersAsDescribed(t *testing.T) {
	factory := engine.NewFactory()
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"objectives": []any{
		map[string]any{"name": "a", "target": 99.9, "window": "30d", "availability": map[string]any{"service": "checkout"}},
	}}).Unmarshal(cfg))
	slo, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, slo.Shutdown(t.Context())) })

	world := webtest.Everything()
	world.Extensions["slo"] = slo
	h := served(t, world)
	d := openDocument(t)
	d.requireAnswer(t, h, "/api/slo/v1/objectives", "/api/slo/v1/objectives")
	d.requireAnswer(t, h, "/api/slo/v1/objectives/{name}", "/api/slo/v1/objectives/a")
	webtest.RequireProblem(t, webtest.Get(t, h, "/api/alerts/v1/alerts"), http.StatusServiceUnavailable, "not running")
}

func TestOpenAPIIsServed(t *testing.T) {
	w := webtest.Get(t, served(t, webtest.Everything()), "/api/openapi.yaml")
	assert.Equal(t, string(api.OpenAPI), w.Body.String())
}
