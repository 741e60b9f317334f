package web

import (
	"context"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/goleak"
	"go.uber.org/zap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pages is a built dashboard.
var pages = fstest.MapFS{
	".keep":                  {Data: []byte{}},
	"index.html":             {Data: []byte(`<!doctype html><script type="module" src="./assets/index-abc123.js"></script>`)},
	"theme.js":               {Data: []byte("document.documentElement.dataset.theme = 'dark'")},
	"favicon.svg":            {Data: []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)},
	"assets/index-abc123.js": {Data: []byte("console.log('slowburn')")},
	"assets/index-def.css":   {Data: []byte("body { margin: 0 }")},
	"assets/odd.bin":         {Data: []byte{1, 2, 3}},
}

// running are components by their IDs: extensions, and what was announced by pipelines.
type running struct {
	extensions map[string]component.Component
	pipelines  map[string]any
}

// everything runs all that the pages can ask.
func everything() running {
	return running{
		extensions: map[string]component.Component{"slo": newFakeEngine(), "tsdb": &fakePrometheus{}},
		pipelines:  map[string]any{"otlp": healthy("listening"), "tail_sampling": &fakeSampler{}, "trace_store": newFakeStore()},
	}
}

func (r running) components() *components {
	extensions := map[component.ID]component.Component{}
	for id, c := range r.extensions {
		extensions[parseID(id)] = c
	}
	all := &components{extensions: func() map[component.ID]component.Component { return extensions }}
	for id, c := range r.pipelines {
		all.add(parseID(id), c)
	}
	return all
}

func parseID(text string) component.ID {
	var id component.ID
	if err := id.UnmarshalText([]byte(text)); err != nil {
		panic(err)
	}
	return id
}

// handler is what the extension serves, but for the Collector's own layers.
func (r running) handler(t testing.TB, files fs.FS, base string) http.Handler {
	t.Helper()
	h, err := newHandler(r.components(), files, base, zap.NewNop())
	require.NoError(t, err)
	return securityHeaders(h)
}

// ask sends a request with pairs of header names and values.
func ask(t testing.TB, h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func get(t testing.TB, h http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return ask(t, h, http.MethodGet, target, headers...)
}

// decode reads a JSON body.
func decode[T any](t testing.TB, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &v), w.Body.String())
	return v
}

// requireProblem checks that an answer is a whole problem document.
func requireProblem(t testing.TB, w *httptest.ResponseRecorder, status int, detail string) {
	t.Helper()
	require.Equal(t, status, w.Code, w.Body.String())
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	p := decode[problem](t, w)
	require.Equal(t, problem{"about:blank", http.StatusText(status), status, p.Detail}, p)
	require.Contains(t, p.Detail, detail)
	require.Regexp(t, `[.]$`, p.Detail, "a sentence")
}

// plainHost is a Collector with extensions.
type plainHost map[component.ID]component.Component

func (h plainHost) GetExtensions() map[component.ID]component.Component { return h }

type nothing struct{}

func (nothing) Start(context.Context, component.Host) error { return nil }
func (nothing) Shutdown(context.Context) error              { return nil }
