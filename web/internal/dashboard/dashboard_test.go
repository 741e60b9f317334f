package dashboard

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/web/internal/webtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	forEver    = "public, max-age=31536000, immutable"
	askAgain   = "no-cache"
	navigation = "text/html,application/xhtml+xml,*/*;q=0.8"
)

func made(t *testing.T, files fs.FS) Dashboard {
	t.Helper()
	d, err := New(files)
	require.NoError(t, err)
	return d
}

func TestPages(t *testing.T) {
	h := made(t, webtest.Pages)
	for _, c := range []struct{ target, mediaType, caching, body string }{
		{"/", "text/html; charset=utf-8", askAgain, "<!doctype html>"},
		{"/index.html", "text/html; charset=utf-8", askAgain, "<!doctype html>"},
		{"/theme.js", "text/javascript; charset=utf-8", askAgain, "dataset.theme"},
		{"/favicon.svg", "image/svg+xml", askAgain, "<svg"},
		{"/assets/index-abc123.js", "text/javascript; charset=utf-8", forEver, "console.log"},
		{"/assets/index-def.css", "text/css; charset=utf-8", forEver, "body"},
		{"/assets/odd.bin", "application/octet-stream", forEver, "\x01\x02\x03"},
	} {
		w := webtest.Get(t, h, c.target)
		require.Equal(t, http.StatusOK, w.Code, c.target)
		assert.Equal(t, c.mediaType, w.Header().Get("Content-Type"), c.target)
		assert.Equal(t, c.caching, w.Header().Get("Cache-Control"), c.target)
		assert.Contains(t, w.Body.String(), c.body, c.target)

		again := webtest.Get(t, h, c.target, "If-None-Match", w.Header().Get("ETag"))
		assert.Equal(t, http.StatusNotModified, again.Code, c.target)
		assert.Empty(t, again.Body.String(), c.target)
		assert.Equal(t, c.caching, again.Header().Get("Cache-Control"), c.target)
	}
}

// A file has the same contents under one name, whether it is served compressed or not.
func TestCompressedFiles(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(webtest.Pages["assets/index-def.css"].Data)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	h := made(t, fstest.MapFS{"assets/index-def.css.gz": {Data: b.Bytes()}})
	got, want := webtest.Get(t, h, "/assets/index-def.css"), webtest.Get(t, made(t, webtest.Pages), "/assets/index-def.css")
	assert.Equal(t, want.Body.String(), got.Body.String())
	assert.Equal(t, want.Header(), got.Header())
	webtest.RequireProblem(t, webtest.Get(t, h, "/assets/index-def.css.gz"), http.StatusNotFound, "There is no file")

	_, err = New(fstest.MapFS{"assets/index-def.css.gz": {Data: b.Bytes()[:b.Len()-1]}})
	require.ErrorContains(t, err, "assets/index-def.css.gz: unexpected EOF")
}

func TestMissingFiles(t *testing.T) {
	h := made(t, webtest.Pages)
	for _, target := range []string{"/assets/index-old.js", "/assets", "/assets/", "/assets/../theme.js", "/.keep", "/nope.png", "/traces"} {
		webtest.RequireProblem(t, webtest.Get(t, h, target), http.StatusNotFound, "There is no file")
	}
	webtest.RequireProblem(t, webtest.Get(t, h, "/assets/index-old.js", "Accept", navigation), http.StatusNotFound, "There is no file")
}

// TestDeepLinks redirects paths to the dashboard's screens, which are addressed by the fragment.
func TestDeepLinks(t *testing.T) {
	h := made(t, webtest.Pages)
	for target, want := range map[string]string{
		"/traces":                   "/#/traces",
		"/traces?service=a%20b&x=1": "/#/traces?service=a+b&x=1",
		"/traces/00ab":              "/#/traces/00ab",
		"/objectives/a%2Fb":         "/#/objectives/a%2Fb",
		"/objectives/checkout.v2/":  "/#/objectives/checkout.v2/",
		"//evil.example/x":          "/#/evil.example/x",
		"/%2e%2e/x":                 "/#/%2e%2e/x",
	} {
		w := webtest.Get(t, h, target, "Accept", navigation)
		require.Equal(t, http.StatusFound, w.Code, target)
		for _, prefix := range []string{"http://gw.example", "http://gw.example/a/proxy/path"} { // the proxy cuts its prefix off
			from, err := url.Parse(prefix + target)
			require.NoError(t, err)
			to, err := from.Parse(w.Header().Get("Location"))
			require.NoError(t, err)
			if !strings.Contains(target, "%2e") { // a client resolves dots before it sends the request
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
		h := made(t, files)
		w := webtest.Get(t, h, "/")
		assert.Equal(t, http.StatusOK, w.Code, name)
		assert.Equal(t, askAgain, w.Header().Get("Cache-Control"), name)
		assert.Contains(t, w.Body.String(), "built without its dashboard", name)
		webtest.RequireProblem(t, webtest.Get(t, h, "/theme.js"), http.StatusNotFound, "There is no file")
	}
}

type brokenFiles struct{}

func (brokenFiles) Open(string) (fs.File, error) { return nil, errors.New("damaged") }

func TestUnreadableFiles(t *testing.T) {
	_, err := New(brokenFiles{})
	assert.ErrorContains(t, err, "damaged")
}
