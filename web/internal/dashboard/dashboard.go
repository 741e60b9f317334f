// Package dashboard serves the built pages. New makes a Dashboard of their files, which does not change afterwards.
package dashboard

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/slowburn/slowburn/web/internal/rest"
)

const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>slowburn</title>
<h1>slowburn is running</h1><p>This binary was built without its dashboard: run <code>make build</code> on a machine with Node.
The API is here all the same, see <a href="api/openapi.yaml">api/openapi.yaml</a>.</p></html>`

// contentTypes are fixed because the operating system's table may have text/plain for scripts, which browsers refuse.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2",
	".json": "application/json", ".txt": "text/plain; charset=utf-8",
}

const page = "index.html"

// Dashboard serves the built pages: browsers cache hashed assets for ever, and revalidate all else.
type Dashboard map[string]asset

type asset struct {
	content   []byte
	mediaType string
	tag       string // weak, as it stands for the compressed content too
	caching   string
}

// New reads the built files. Files whose names end in .gz are compressed, and served under the name without the suffix.
func New(files fs.FS) (Dashboard, error) {
	d := Dashboard{page: newAsset(page, []byte(notBuilt))}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		name, compressed := strings.CutSuffix(name, ".gz")
		if compressed {
			if content, err = decompress(content); err != nil {
				return fmt.Errorf("%s.gz: %w", name, err)
			}
		}
		d[name] = newAsset(name, content)
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil // no folder, no dashboard
	}
	return d, err
}

func decompress(content []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func newAsset(name string, content []byte) asset {
	sum := sha256.Sum256(content)
	a := asset{content: content, mediaType: contentTypes[path.Ext(name)], tag: `W/"` + hex.EncodeToString(sum[:8]) + `"`, caching: "no-cache"}
	if a.mediaType == "" {
		a.mediaType = "application/octet-stream"
	}
	if strings.HasPrefix(name, "assets/") { // their names change with their content
		a.caching = "public, max-age=31536000, immutable"
	}
	return a
}

// ServeHTTP serves a file, or redirects from the path of a screen (traces/…) to the dashboard's own link (#/traces/…).
func (d Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = page
	}
	a, ok := d[name]
	switch {
	case ok:
		h := w.Header()
		h.Set("Content-Type", a.mediaType)
		h.Set("ETag", a.tag)
		h.Set("Cache-Control", a.caching)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.content))
	case !strings.HasPrefix(name, "assets/") && strings.Contains(r.Header.Get("Accept"), "text/html"):
		w.Header().Set("Location", screen(r))
		w.WriteHeader(http.StatusFound)
	default:
		rest.WriteProblem(w, http.StatusNotFound, "There is no file %s in the dashboard: reload the page if slowburn was updated.", name)
	}
}

// screen returns the link from the request's path to the dashboard's screen of that name. It is relative, so that it works
// behind any proxy and cannot lead to another host.
func screen(r *http.Request) string {
	escaped := strings.TrimLeft(r.URL.EscapedPath(), "/")
	up := strings.Repeat("../", strings.Count(r.URL.EscapedPath(), "/")-1)
	link := "./" + up + "#/" + escaped
	if query := r.URL.Query().Encode(); query != "" { // malformed parts are left out
		link += "?" + query
	}
	return link
}
