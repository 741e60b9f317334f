package doors

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/slowburn/slowburn/web/api"

	"go.uber.org/zap"

	"github.com/slowburn/slowburn/web/internal/rest"
)

// maxShown is how many bytes of a client's text are logged and returned.
const maxShown = 256

// Reason is why a request was refused.
type Reason string

// Reasons.
const (
	ReasonHost        Reason = "host"
	ReasonForeignPage Reason = "foreign_page"
	ReasonNoOperator  Reason = "no_operator"
	ReasonConnections Reason = "connections"
	ReasonRequests    Reason = "requests"
)

// Settings configure a Doors.
type Settings struct {
	Hosts       *Hosts
	External    []string // slo::external_url, of each slo extension
	Base        string   // web::base_path
	Origins     []string // of web::cors, with at most one * each
	Auth        string   // the authenticator's ID; empty where there is none
	Operators   []string // subjects
	MaxRequests int64    // in flight
	Logger      *zap.Logger
	Refused     func(context.Context, Reason) // counts a refused request
}

// Doors accepts and refuses requests.
type Doors struct {
	hosts     *Hosts
	external  []string // origins of External
	base      string
	origins   []string
	auth      string
	operators []string
	most      int64
	refused   func(context.Context, Reason)
	audit     audit
	inFlight  atomic.Int64
}

// New returns a Doors.
func New(s Settings) *Doors {
	d := &Doors{
		hosts: s.Hosts, base: s.Base, origins: s.Origins, auth: s.Auth, operators: s.Operators, most: s.MaxRequests, refused: s.Refused,
	}
	for _, link := range s.External {
		d.external = append(d.external, originOf(link))
	}
	d.audit.logger = s.Logger
	return d
}

// unknownName is the page for people who open the dashboard under an unknown name.
const unknownName = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Unknown name - slowburn</title>
<h1>slowburn does not know this name</h1>
<p>%s</p>
<pre>extensions:
  web:
    hosts: [%s]</pre>
<p>It answers to names that it was given only, so that no page of another site can reach it under a name of its own.</p></html>
`

// Outer refuses unknown hosts and foreign pages. It must run before authentication.
func (d *Doors) Outer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := d.path(r)
		probe := path == "/healthz" || path == "/readyz"
		if !probe && !d.hosts.Known(r.Host) {
			d.refuse(r, ReasonHost, http.StatusMisdirectedRequest)
			refuseHost(w, r)
			return
		}
		if how := d.foreignPage(r); how != "" && guarded(path) {
			d.refuse(r, ReasonForeignPage, http.StatusForbidden)
			rest.WriteProblem(w, http.StatusForbidden, "The request comes from a page of another site (%s): send it from the dashboard's own address, "+
				"type the address in, or use a program that is no browser; web::cors names pages that may read.", how)
			return
		}
		defer d.inFlight.Add(-1)
		if d.inFlight.Add(1) > d.most && !probe {
			d.refused(r.Context(), ReasonRequests)
			w.Header().Set("Retry-After", "1")
			rest.WriteProblem(w, http.StatusServiceUnavailable, "web::max_connections (%d) requests are in flight: ask again later.", d.most)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// refuse counts a request that is refused before authentication, and logs it if it would have changed something.
func (d *Doors) refuse(r *http.Request, reason Reason, status int) {
	d.refused(r.Context(), reason)
	if d.changes(r) {
		d.audit.log(r, api.Caller{Address: cut(r.RemoteAddr, maxShown)}, status)
	}
}

func refuseHost(w http.ResponseWriter, r *http.Request) {
	name := cut(hostname(r.Host), maxName)
	text := fmt.Sprintf("The dashboard is not known by the name %q: add it to web::hosts, or use an IP address.", name)
	if r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html") {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusMisdirectedRequest)
		_, _ = fmt.Fprintf(w, unknownName, html.EscapeString(text), html.EscapeString(name)) // fails only where the client has gone
		return
	}
	rest.WriteProblem(w, http.StatusMisdirectedRequest, "%s", text)
}

// Inner determines the caller, and refuses changes by callers who are no operators. It must run after authentication.
func (d *Doors) Inner(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := d.caller(r)
		r = withCaller(r, c)
		if !d.changes(r) {
			next.ServeHTTP(w, r)
			return
		}
		if !c.Operator {
			d.refused(r.Context(), ReasonNoOperator)
			d.audit.log(r, c, http.StatusForbidden)
			rest.WriteProblem(w, http.StatusForbidden, "%s", c.Why)
			return
		}
		d.audit.taken(w, r, c, next)
	})
}

// changes reports whether a request may change something: any method but those that read, except below /api/v1/, where
// Prometheus' API accepts queries by POST.
func (d *Doors) changes(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return false
	}
	return !strings.HasPrefix(d.routed(r), "/api/v1/")
}

// routed returns the path that the router uses, below the base.
func (d *Doors) routed(r *http.Request) string {
	if r.URL.RawPath != "" {
		return strings.TrimPrefix(r.URL.RawPath, d.base)
	}
	return strings.TrimPrefix(r.URL.Path, d.base)
}

// path returns the path of a request without the base. Probes are sent without it.
func (d *Doors) path(r *http.Request) string {
	if rest, ok := strings.CutPrefix(r.URL.Path, d.base); ok && strings.HasPrefix(rest, "/") {
		return rest
	}
	return r.URL.Path
}

// cut returns a text of at most limit bytes, with a mark if it was longer.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
