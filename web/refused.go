package web

import (
	"fmt"
	"html"
	"net/http"
	"strings"

	"github.com/slowburn/slowburn/web/internal/health"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/rest"
)

// signIn is the page for people whose browser cannot send the credentials that web::auth requires.
const signIn = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Not signed in - slowburn</title>
<h1>slowburn needs to know who you are</h1>
<p>The request is not authenticated: %s.</p>
<p>The dashboard is guarded by <code>web::auth</code>. A browser cannot send a bearer token by itself: put a proxy in front
that signs people in (OpenID Connect or a password) and hands on their requests with the credentials.</p>
<p>Programs send the credentials themselves: <code>curl -H "Authorization: Bearer $TOKEN" ...</code>. The probes
<code>/healthz</code> and <code>/readyz</code> need none.</p></html>
`

// refuse answers requests that do not reach the routes: they are not authenticated, or their body cannot be read. It answers
// probes too, as orchestrators have no credentials: whether the gateway is ready, without its components.
func refuse(all *known.Components, base string) func(w http.ResponseWriter, r *http.Request, message string, status int) {
	probes := map[string]http.HandlerFunc{"/healthz": health.Live, "/readyz": health.Ready(all, false)}
	return func(w http.ResponseWriter, r *http.Request, message string, status int) {
		if status != http.StatusUnauthorized {
			rest.WriteProblem(w, status, "The request cannot be read: %s.", message)
			return
		}
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		if probe, ok := probes[belowOrRoot(base, r.URL.Path)]; ok && reads {
			probe(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="slowburn"`)
		if reads && strings.Contains(r.Header.Get("Accept"), "text/html") {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, signIn, html.EscapeString(message)) // fails only where the client has gone
			return
		}
		rest.WriteProblem(w, status, "The request is not authenticated (%s): send the credentials that web::auth asks for.", message)
	}
}

// belowOrRoot is the path that a request asks for, whether it was sent below base or, as probes are, to the root.
func belowOrRoot(base, path string) string {
	if rest, ok := strings.CutPrefix(path, base); ok && strings.HasPrefix(rest, "/") {
		return rest
	}
	return path
}
