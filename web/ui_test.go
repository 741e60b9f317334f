package web

import (
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
)

const (
	forEver    = "public, max-age=31536000, immutable"
	askAgain   = "no-cache"
	navigation = "text/html,application/xhtml+xml,*/*;q=0.8"
)

func TestPages(t *testing.T) {
	h := everything().handler(t, pages, "")
	for _, c := range []struct{ target, mediaType, caching, body string }{
		{"/", "text/html; charset=utf-8", askAgain, "<!doctype html>"},
		{"/index.html", "text/html; charset=utf-8", askAgain, "<!doctype html>"},
		{"/theme.js", "text/javascript; charset=utf-8", askAgain, "dataset.theme"},
		{"/favicon.svg", "image/svg+xml", askAgain, "<svg"},
		{"/assets/index-abc123.js", "text/javascript; charset=utf-8", forEver, "console.log"},
		{"/assets/index-def.css", "text/css; charset=utf-8", forEver, "body"},
		{"/assets/odd.bin", "application/octet-stream", forEver, "\x01\x02\x03"},
	} {
		w := get(t, h, c.target)
		require.Equal(t, http.StatusOK, w.Code, c.target)
		assert.Equal(t, c.mediaType, w.Header().Get("Content-Type"), c.target)
		assert.Equal(t, c.caching, w.Header().Get("Cache-Control"), c.target)
		assert.Contains(t, w.Body.String(), c.body, c.target)

		again := get(t, h, c.target, "If-None-Match", w.Header().Get("ETag"))
		assert.Equal(t, http.StatusNotModified, again.Code, c.target)
		assert.Empty(t, again.Body.String(), c.target)
		assert.Equal(t, c.caching, again.Header().Get("Cache-Control"), c.target)
	}
}

func TestMissingFiles(t *testing.T) {
	h := everything().handler(t, pages, "")
	for _, target := range []string{"/assets/index-old.js", "/assets", "/assets/", "/assets/../theme.js", "/.keep", "/nope.png", "/traces"} {
		requireProblem(t, get(t, h, target), http.StatusNotFound, "There is no file")
	}
	requireProblem(t, get(t, h, "/assets/index-old.js", "Accept", navigation), http.StatusNotFound, "There is no file")
}

// TestDeepLinks leads paths that people type to the dashboard's screens, which live in the fragment.
func TestDeepLinks(t *testing.T) {
	h := everything().handler(t, pages, "")
	for target, want := range map[string]string{
		"/traces":                   "/#/traces",
		"/traces?service=a%20b&x=1": "/#/traces?service=a+b&x=1",
		"/traces/00ab":              "/#/traces/00ab",
		"/objectives/a%2Fb":         "/#/objectives/a%2Fb",
		"/objectives/checkout.v2/":  "/#/objectives/checkout.v2/",
		"//evil.example/x":          "/#/evil.example/x",
		"/%2e%2e/x":                 "/#/%2e%2e/x",
	} {
		w := get(t, h, target, "Accept", navigation)
		require.Equal(t, http.StatusFound, w.Code, target)
		for _, prefix := range []string{"http://gw.example", "http://gw.example/a/proxy/path"} { // which cuts its prefix off
			from, err := url.Parse(prefix + target)
			require.NoError(t, err)
			to, err := from.Parse(w.Header().Get("Location"))
			require.NoError(t, err)
			if !strings.Contains(target, "%2e") { // a client takes dots for what they mean before it asks
				assert.Equal(t, prefix+want, to.String())
			}
			assert.Equal(t, "gw.example", to.Host)
		}
	}
}

func TestNotBuilt(t *testing.T) {
	for name, files := range map[string]fs.FS{
		"only the marker": fstest.MapFS{".keep": {}},
		"no folder":       fstest.MapFS{},
	} {
		h := everything().handler(t, files, "")
		w := get(t, h, "/")
		assert.Equal(t, http.StatusOK, w.Code, name)
		assert.Equal(t, askAgain, w.Header().Get("Cache-Control"), name)
		assert.Contains(t, w.Body.String(), "built without its dashboard", name)
		requireProblem(t, get(t, h, "/theme.js"), http.StatusNotFound, "There is no file")
	}
}

type brokenFiles struct{}

func (brokenFiles) Open(string) (fs.File, error) { return nil, errors.New("damaged") }

func TestUnreadableFiles(t *testing.T) {
	_, err := newHandler(running{}.components(), brokenFiles{}, "", zap.NewNop())
	assert.ErrorContains(t, err, "damaged")
}

// TestBuiltDashboardSuitsItsPolicy holds what `make ui` made, if it has, against the Content-Security-Policy: nothing
// inline, nothing from elsewhere, nothing that depends on where it is mounted.
func TestBuiltDashboardSuitsItsPolicy(t *testing.T) {
	files, err := built()
	require.NoError(t, err)
	d, err := newDashboard(files)
	require.NoError(t, err)
	html := string(d[page].content)
	if html == notBuilt {
		t.Skip("the dashboard is not built: run make ui")
	}
	assert.NotRegexp(t, `<script(?:\s[^>]*)?>[^<]`, html, "an inline script")
	assert.NotRegexp(t, `(?i)<style|\sstyle=|\son[a-z]+=|<base\s`, html)
	links := regexp.MustCompile(`\s(?:src|href)="([^"]*)"`).FindAllStringSubmatch(html, -1)
	require.NotEmpty(t, links)
	for _, link := range links {
		name, relative := strings.CutPrefix(link[1], "./")
		assert.True(t, relative, "%s must be relative", link[1])
		assert.Contains(t, d, name)
	}
	for name, a := range d {
		if strings.HasSuffix(name, ".css") {
			assert.NotRegexp(t, `@import|url\(\s*["']?(?:data:|https?:|/)`, string(a.content), name)
		}
		assert.NotEqual(t, "application/octet-stream", a.mediaType, "add the type of %s to contentTypes", name)
	}
}

func TestBasePath(t *testing.T) {
	const base = "/team/slow-burn"
	world := everything()
	h, root := world.handler(t, pages, base), world.handler(t, pages, "")
	for _, target := range []string{
		"/", "/theme.js", "/assets/index-abc123.js", "/healthz", "/readyz", "/api/slo/v1/objectives", "/api/v1/query", "/jaeger/api/services",
		"/api/slo/v1/objectives/checkout%2Favailability%20%28v2%29", "/jaeger/api/services/a%2Fb%20&%2050%2525/operations",
	} {
		want, got := get(t, root, target), get(t, h, base+target)
		assert.Equal(t, http.StatusOK, want.Code, "%s: %s", target, want.Body)
		assert.Equal(t, want.Code, got.Code, target)
		assert.Equal(t, want.Body.String(), got.Body.String(), target)
	}
	for _, target := range []string{"/", base} {
		w := get(t, h, target)
		assert.Equal(t, http.StatusFound, w.Code, target)
		assert.Equal(t, base+"/", w.Header().Get("Location"), target)
	}
	for _, target := range []string{"/healthz", "/readyz"} {
		assert.Equal(t, http.StatusOK, get(t, h, target).Code, "orchestrators ask for %s", target)
	}
	for _, target := range []string{"/api/slo/v1/objectives", base + "x/", "/team/", "/team/%73low-burn/healthz"} {
		requireProblem(t, get(t, h, target), http.StatusNotFound, "all is below "+base+"/")
	}
	deep := get(t, h, base+"/traces/00ab", "Accept", navigation)
	assert.Equal(t, "./../#/traces/00ab", deep.Header().Get("Location"))
}

// TestCompression: long answers are compressed for those who want that, and the same inside.
func TestCompression(t *testing.T) {
	h := everything().handler(t, pages, "")
	const target = "/api/traces/v1/traces/" + exampleHex
	plain := get(t, h, target)
	assert.Empty(t, plain.Header().Get("Content-Encoding"))
	assert.Equal(t, "Accept-Encoding", plain.Header().Get("Vary"))
	assert.Empty(t, get(t, h, target, "Accept-Encoding", "gzip;q=0, br").Header().Get("Content-Encoding"))

	packed := get(t, h, target, "Accept-Encoding", "gzip, deflate, br, zstd")
	require.Equal(t, "gzip", packed.Header().Get("Content-Encoding"))
	assert.Equal(t, "application/json", packed.Header().Get("Content-Type"))
	unpack, err := gzip.NewReader(packed.Body)
	require.NoError(t, err)
	body, err := io.ReadAll(unpack)
	require.NoError(t, err)
	assert.JSONEq(t, plain.Body.String(), string(body))
	assert.Equal(t, "gzip", get(t, h, "/api/openapi.yaml", "Accept-Encoding", "gzip").Header().Get("Content-Encoding"))
}
