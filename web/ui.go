package web

import (
	"bytes"
	"embed"
	"html"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// dist is what `make ui` builds from web/ui. Without Node it holds nothing but a marker, and a page says so.
//
//go:embed all:ui/dist
var dist embed.FS

const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>slowburn</title>
<h1>slowburn is running</h1><p>This binary was built without its dashboard: run <code>make build</code> on a machine with Node.
The API is here all the same, see <a href="api/openapi.yaml">api/openapi.yaml</a>.</p></html>`

// uiHandler serves the dashboard: hashed assets for ever, every other path the one page, which finds its way by itself.
func uiHandler(base string) (http.Handler, error) {
	files, err := fs.Sub(dist, "ui/dist")
	if err != nil {
		return nil, err
	}
	page, err := fs.ReadFile(files, "index.html")
	if err != nil {
		page = []byte(notBuilt)
	}
	page = bytes.Replace(page, []byte(`<base href="/"`), []byte(`<base href="`+html.EscapeString(base)+`/"`), 1)
	assets := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if info, err := fs.Stat(files, name); err == nil && !info.IsDir() && name != "index.html" {
			if strings.HasPrefix(name, "assets/") {
				w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			}
			assets.ServeHTTP(w, r)
			return
		}
		if path.Ext(name) != "" && name != "index.html" {
			writeProblem(w, http.StatusNotFound, "There is no file %s in the dashboard.", name)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, "index.html", time.Time{}, bytes.NewReader(page))
	}), nil
}
