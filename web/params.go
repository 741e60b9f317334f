package web

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
)

// pathParam is a part of the path, unescaped. chi routes by the escaped path where that says more (a%2Fb), and by the
// plain one otherwise: a part of the latter must not be unescaped once more.
func pathParam(r *http.Request, name string) string {
	part := chi.URLParam(r, name)
	if r.URL.RawPath == "" {
		return part
	}
	if plain, err := url.PathUnescape(part); err == nil {
		return plain
	}
	return part // cannot be: the URL was parsed
}

// params reads query parameters, and remembers what was wrong with the first that was.
type params struct {
	values url.Values
	err    error
}

// withoutParams takes from a request's query the parameters that were read already: credentials (web::auth::request_params)
// are no parameters of what is asked for.
func withoutParams(names []string, next http.Handler) http.Handler {
	if len(names) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		values := r.URL.Query()
		for _, name := range names {
			values.Del(name)
		}
		stripped := *r.URL
		stripped.RawQuery = values.Encode()
		r = r.WithContext(r.Context())
		r.URL = &stripped
		next.ServeHTTP(w, r)
	})
}

// only refuses parameters of other names than these: a misspelt filter that is passed over finds what was not asked for.
func (p *params) only(names ...string) {
	for _, name := range slices.Sorted(maps.Keys(p.values)) {
		if p.err == nil && !slices.Contains(names, name) {
			p.err = fmt.Errorf("there is no parameter %q: there are %s", name, strings.Join(names, ", "))
		}
	}
}

func (p *params) fail(name, value, must string) {
	if p.err == nil {
		p.err = fmt.Errorf("%s=%s: it must be %s", name, value, must)
	}
}

// time reads an RFC 3339 time.
func (p *params) time(name string, absent time.Time) time.Time {
	v := p.values.Get(name)
	if v == "" {
		return absent
	}
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		p.fail(name, v, "a time such as 2026-01-31T12:00:00Z")
	}
	return t
}

// duration reads a duration as Go writes it.
func (p *params) duration(name string) time.Duration {
	v := p.values.Get(name)
	if v == "" {
		return 0
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		p.fail(name, v, "a duration such as 100ms or 1.5s")
	}
	return d
}

// integer reads a whole number between bounds.
func (p *params) integer(name string, absent, least, most int) int {
	v := p.values.Get(name)
	if v == "" {
		return absent
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		p.fail(name, v, fmt.Sprintf("a whole number from %d to %d", least, most))
	}
	return n
}

// boolean reads true or false, nil where it is absent.
func (p *params) boolean(name string) *bool {
	v := p.values.Get(name)
	if v == "" {
		return nil
	}
	b, err := strconv.ParseBool(v)
	if err != nil {
		p.fail(name, v, "true or false")
	}
	return &b
}
