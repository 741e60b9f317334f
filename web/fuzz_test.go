package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/web/internal/webtest"
)

// FuzzDeepLinks: whatever the path, a browser is redirected to this host's dashboard and nowhere else.
func FuzzDeepLinks(f *testing.F) {
	for _, seed := range []string{"/traces/1?x=y", "//evil.example", "/\\evil.example", "/%2F/evil.example", "/a/../../b", "/javascript:x", "/a?b#c", "/a;b", "/%0d%0aSet-Cookie:x"} {
		f.Add(seed)
	}
	h := handler(f, webtest.Everything(), webtest.Pages, "")
	f.Fuzz(func(t *testing.T, target string) {
		asked, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(asked.Path, "/") || asked.Host != "" {
			return
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, &http.Request{Method: http.MethodGet, URL: asked, Header: http.Header{"Accept": {navigation}}})
		if w.Code != http.StatusFound {
			return
		}
		from := url.URL{Scheme: "http", Host: "gateway.example", Path: asked.Path, RawPath: asked.RawPath}
		to, err := from.Parse(w.Header().Get("Location"))
		require.NoError(t, err)
		assert.Equal(t, "http", to.Scheme)
		assert.Equal(t, "gateway.example", to.Host)
		assert.True(t, strings.HasPrefix(to.Fragment, "/"), to.String())
	})
}

// FuzzRequests: no path and no parameters make a handler panic.
func FuzzRequests(f *testing.F) {
	for _, seed := range []string{
		"/api/slo/v1/objectives/quiet/history?start=0001-01-01T00:00:00Z&end=9999-12-31T23:59:59Z&step=60",
		"/api/traces/v1/search?min_duration=1h&limit=7&error=1&cursor=a", "/api/traces/v1/traces/00",
		`/jaeger/api/traces?tags={"error":"true"}&tag=a:b&start=-9223372036854775808`, "/jaeger/api/services/%25%2F/operations",
	} {
		f.Add(seed)
	}
	h := handler(f, webtest.Everything(), webtest.Pages, "")
	f.Fuzz(func(t *testing.T, target string) {
		asked, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, &http.Request{Method: http.MethodGet, URL: asked, Header: http.Header{}})
		assert.NotEqual(t, http.StatusInternalServerError, w.Code, w.Body.String())
	})
}
