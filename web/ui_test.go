package web

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/web/internal/webtest"
)

const navigation = "text/html,application/xhtml+xml,*/*;q=0.8"

// TestBuiltDashboardSuitsItsPolicy checks the output of `make ui`, if present, against the Content-Security-Policy: nothing
// inline, nothing from other hosts, nothing that depends on its mount path.
func TestBuiltDashboardSuitsItsPolicy(t *testing.T) {
	files, err := built()
	require.NoError(t, err)
	page, err := fs.ReadFile(files, "index.html")
	if err != nil {
		t.Skip("the dashboard is not built: run make ui")
	}
	served := handler(t, webtest.Everything(), files, "")
	html := string(page)
	assert.NotRegexp(t, `<script(?:\s[^>]*)?>[^<]`, html, "an inline script")
	assert.NotRegexp(t, `(?i)<style|\sstyle=|\son[a-z]+=|<base\s`, html)
	links := regexp.MustCompile(`\s(?:src|href)="([^"]*)"`).FindAllStringSubmatch(html, -1)
	require.NotEmpty(t, links)
	for _, link := range links {
		name, relative := strings.CutPrefix(link[1], "./")
		assert.True(t, relative, "%s must be relative", link[1])
		assert.Equal(t, http.StatusOK, webtest.Get(t, served, "/"+name).Code, name)
	}
	require.NoError(t, fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			return err
		}
		name = strings.TrimSuffix(name, ".gz")
		w := webtest.Get(t, served, "/"+name)
		require.Equal(t, http.StatusOK, w.Code, name)
		if strings.HasSuffix(name, ".css") {
			assert.NotRegexp(t, `@import|url\(\s*["']?(?:data:|https?:|/)`, w.Body.String(), name)
		}
		assert.NotEqual(t, "application/octet-stream", w.Header().Get("Content-Type"), "add the type of %s to contentTypes", name)
		return nil
	}))
}

func TestBasePath(t *testing.T) {
	const base = "/team/slow-burn"
	world := webtest.Everything()
	h, root := handler(t, world, webtest.Pages, base), served(t, world)
	for _, target := range []string{
		"/", "/theme.js", "/assets/index-abc123.js", "/healthz", "/readyz", "/api/slo/v1/objectives", "/api/v1/query", "/jaeger/api/services",
		"/api/slo/v1/objectives/checkout%2Favailability%20%28v2%29", "/jaeger/api/services/a%2Fb%20&%2050%2525/operations",
	} {
		want, got := webtest.Get(t, root, target), webtest.Get(t, h, base+target)
		assert.Equal(t, http.StatusOK, want.Code, "%s: %s", target, want.Body)
		assert.Equal(t, want.Code, got.Code, target)
		assert.Equal(t, want.Body.String(), got.Body.String(), target)
	}
	for _, target := range []string{"/", base} {
		w := webtest.Get(t, h, target)
		assert.Equal(t, http.StatusFound, w.Code, target)
		assert.Equal(t, base+"/", w.Header().Get("Location"), target)
	}
	for _, target := range []string{"/healthz", "/readyz"} {
		assert.Equal(t, http.StatusOK, webtest.Get(t, h, target).Code, "orchestrators ask for %s", target)
	}
	for _, target := range []string{"/api/slo/v1/objectives", base + "x/", "/team/", "/team/%73low-burn/healthz"} {
		webtest.RequireProblem(t, webtest.Get(t, h, target), http.StatusNotFound, "everything is below "+base+"/")
	}
	deep := webtest.Get(t, h, base+"/traces/00ab", "Accept", navigation)
	assert.Equal(t, "./../#/traces/00ab", deep.Header().Get("Location"))
}

// TestCompression: long answers are compressed on request, with the same contents.
func TestCompression(t *testing.T) {
	h := served(t, webtest.Everything())
	const target = "/api/traces/v1/traces/" + webtest.ExampleHex
	plain := webtest.Get(t, h, target)
	assert.Empty(t, plain.Header().Get("Content-Encoding"))
	assert.Equal(t, "Accept-Encoding", plain.Header().Get("Vary"))
	assert.Empty(t, webtest.Get(t, h, target, "Accept-Encoding", "gzip;q=0, br").Header().Get("Content-Encoding"))

	packed := webtest.Get(t, h, target, "Accept-Encoding", "gzip, deflate, br, zstd")
	require.Equal(t, "gzip", packed.Header().Get("Content-Encoding"))
	assert.Equal(t, "application/json", packed.Header().Get("Content-Type"))
	unpack, err := gzip.NewReader(packed.Body)
	require.NoError(t, err)
	body, err := io.ReadAll(unpack)
	require.NoError(t, err)
	assert.JSONEq(t, plain.Body.String(), string(body))
	assert.Equal(t, "gzip", webtest.Get(t, h, "/api/openapi.yaml", "Accept-Encoding", "gzip").Header().Get("Content-Encoding"))
}
