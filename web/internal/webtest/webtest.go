// Package webtest has what the tests of the dashboard and its API share: components that answer with examples, a trace that is
// hard to write as JSON, and requests.
package webtest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"github.com/slowburn/slowburn/web/api"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"

	"github.com/slowburn/slowburn/web/internal/known"
)

// Pages is a built dashboard.
var Pages = fstest.MapFS{
	".keep":                  {Data: []byte{}},
	"index.html":             {Data: []byte(`<!doctype html><script type="module" src="./assets/index-abc123.js"></script>`)},
	"theme.js":               {Data: []byte("document.documentElement.dataset.theme = 'dark'")},
	"favicon.svg":            {Data: []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)},
	"assets/index-abc123.js": {Data: []byte("console.log('slowburn')")},
	"assets/index-def.css":   {Data: []byte("body { margin: 0 }")},
	"assets/odd.bin":         {Data: []byte{1, 2, 3}},
}

// Running are components by their IDs: extensions, and what was announced by pipelines.
type Running struct {
	Extensions map[string]component.Component
	Pipelines  map[string]any
}

// Everything runs all that the pages can ask.
func Everything() Running {
	return Running{
		Extensions: map[string]component.Component{"slo": NewEngine(), "tsdb": &Prometheus{}},
		Pipelines:  map[string]any{"otlp": &Receiver{*Healthy("listening")}, "tail_sampling": &Sampler{}, "trace_store": NewStore()},
	}
}

// Components is what can be asked.
func (r Running) Components() *known.Components {
	extensions := map[component.ID]component.Component{}
	for id, c := range r.Extensions {
		extensions[ParseID(id)] = c
	}
	all := &known.Components{Extensions: func() map[component.ID]component.Component { return extensions }}
	for id, c := range r.Pipelines {
		all.Add(ParseID(id), c)
	}
	return all
}

// ParseID reads a component's ID.
func ParseID(text string) component.ID {
	var id component.ID
	if err := id.UnmarshalText([]byte(text)); err != nil {
		panic(err)
	}
	return id
}

// Serve is what the routes serve, where the components are running.
func (r Running) Serve(routes func(chi.Router, *known.Components)) http.Handler {
	router := chi.NewRouter()
	routes(router, r.Components())
	return router
}

// Ask sends a request with pairs of header names and values.
func Ask(t testing.TB, h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Get sends a request with GET.
func Get(t testing.TB, h http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return Ask(t, h, http.MethodGet, target, headers...)
}

// Decode reads a JSON body.
func Decode[T any](t testing.TB, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &v), w.Body.String())
	return v
}

// RequireProblem checks that an answer is a whole problem document.
func RequireProblem(t testing.TB, w *httptest.ResponseRecorder, status int, detail string) {
	t.Helper()
	require.Equal(t, status, w.Code, w.Body.String())
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	p := Decode[api.Problem](t, w)
	require.Equal(t, api.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: p.Detail}, p)
	require.Contains(t, p.Detail, detail)
	require.Regexp(t, `[.]$`, p.Detail, "a sentence")
}

// Component is a component that does nothing.
type Component struct{}

// Start implements component.Component.
func (Component) Start(context.Context, component.Host) error { return nil }

// Shutdown implements component.Component.
func (Component) Shutdown(context.Context) error { return nil }
