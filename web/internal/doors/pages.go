package doors

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// guarded reports whether a path answers with data or changes something: it is none of the pages.
func guarded(path string) bool {
	for _, top := range []string{"/api", "/jaeger", "/metrics"} {
		if path == top || strings.HasPrefix(path, top+"/") {
			return true
		}
	}
	return false
}

// foreignPage returns the sign that a browser sent a request for a page of another origin; "" if there is none. Browsers send
// Sec-Fetch-Site to https and to loopback; to other plain addresses they send only Origin, and not with every request. Programs
// send neither.
func (d *Doors) foreignPage(r *http.Request) string {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	switch {
	case site == "same-origin" || site == "none":
		return ""
	case d.invited(r.Method, origin):
		return ""
	case site != "":
		return "Sec-Fetch-Site: " + cut(site, maxShown)
	case origin != "" && !d.own(r, origin):
		return "Origin: " + cut(origin, maxShown)
	}
	return ""
}

// own reports whether an origin is the dashboard's: the request's own, or that of external_url, which differs behind a proxy that
// replaces Host.
func (d *Doors) own(r *http.Request, origin string) bool {
	o, err := url.Parse(origin)
	if err != nil || o.Host == "" { // "null" among them: a sandboxed page, or a file
		return false
	}
	named := func(external string) bool { return strings.EqualFold(o.Scheme+"://"+o.Host, external) }
	return strings.EqualFold(o.Host, r.Host) || slices.ContainsFunc(d.external, named)
}

// invited reports whether web::cors lets pages of an origin read. They may never change anything.
func (d *Doors) invited(method, origin string) bool {
	if origin == "" || method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions {
		return false
	}
	for _, pattern := range d.origins {
		before, after, wild := strings.Cut(strings.ToLower(pattern), "*")
		lower := strings.ToLower(origin)
		if !wild && lower == before || wild && len(lower) >= len(before)+len(after) && strings.HasPrefix(lower, before) && strings.HasSuffix(lower, after) {
			return true
		}
	}
	return false
}

// originOf returns the scheme, host and port of a URL.
func originOf(link string) string {
	u, err := url.Parse(link)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
