package rest

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

// PathParam returns a parameter of the path, unescaped. chi routes by the escaped path if that differs (a%2Fb), and by the
// plain one otherwise, whose parts must not be unescaped again.
func PathParam(r *http.Request, name string) string {
	part := chi.URLParam(r, name)
	if r.URL.RawPath == "" {
		return part
	}
	if plain, err := url.PathUnescape(part); err == nil {
		return plain
	}
	return part // unreachable: the URL was parsed
}

// Params reads query parameters. Err is the error of the first invalid one.
type Params struct {
	Values url.Values
	Err    error
}

// Only refuses parameters with other names: to ignore a misspelt filter would give wrong results.
func (p *Params) Only(names ...string) {
	for _, name := range slices.Sorted(maps.Keys(p.Values)) {
		if p.Err == nil && !slices.Contains(names, name) {
			p.Err = fmt.Errorf("there is no parameter %q: there are %s", name, strings.Join(names, ", "))
		}
	}
}

// Fail sets Err for a parameter with an invalid value, unless it is set.
func (p *Params) Fail(name, value, must string) {
	if p.Err == nil {
		p.Err = fmt.Errorf("%s=%s: it must be %s", name, value, must)
	}
}

// Time reads an RFC 3339 time.
func (p *Params) Time(name string, absent time.Time) time.Time {
	v := p.Values.Get(name)
	if v == "" {
		return absent
	}
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		p.Fail(name, v, "a time such as 2026-01-31T12:00:00Z")
	}
	return t
}

// Duration reads a duration as Go writes it.
func (p *Params) Duration(name string) time.Duration {
	v := p.Values.Get(name)
	if v == "" {
		return 0
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		p.Fail(name, v, "a duration such as 100ms or 1.5s")
	}
	return d
}

// Integer reads a whole number between bounds.
func (p *Params) Integer(name string, absent, least, greatest int) int {
	v := p.Values.Get(name)
	if v == "" {
		return absent
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > greatest {
		p.Fail(name, v, fmt.Sprintf("a whole number from %d to %d", least, greatest))
	}
	return n
}

// Boolean reads true or false, and returns nil if the parameter is absent.
func (p *Params) Boolean(name string) *bool {
	v := p.Values.Get(name)
	if v == "" {
		return nil
	}
	b, err := strconv.ParseBool(v)
	if err != nil {
		p.Fail(name, v, "true or false")
	}
	return &b
}
