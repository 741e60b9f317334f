package doors

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// Hosts are the names under which the dashboard answers.
type Hosts struct {
	exact  map[string]bool
	suffix []string // of *.example.com: .example.com
	any    bool
}

// NewHosts returns the hosts of patterns that ValidHost accepts. localhost and the names below it are always known: browsers
// resolve them to loopback without DNS.
func NewHosts(patterns ...string) *Hosts {
	h := &Hosts{exact: map[string]bool{"localhost": true}, suffix: []string{".localhost"}}
	for _, p := range patterns {
		p = canonical(p)
		switch {
		case p == "*":
			h.any = true
		case strings.HasPrefix(p, "*."):
			h.suffix = append(h.suffix, p[1:])
		case p != "":
			h.exact[p] = true
		}
	}
	return h
}

// hostPattern matches a name of letters, digits, hyphens and underscores (which containers have), with an optional leading *.
var hostPattern = regexp.MustCompile(`^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)

// maxName is the maximum length of a DNS name.
const maxName = 253

// ValidHost returns an error if an entry of web::hosts is not valid. An empty one, which an unset variable leaves, matches nothing.
func ValidHost(pattern string) error {
	name := canonical(pattern)
	switch {
	case pattern == "" || pattern == "*" || hostPattern.MatchString(name) && len(name) <= maxName:
		return nil
	case strings.Contains(pattern, "://"):
		return fmt.Errorf("%q is a URL; write the name in it alone, such as slowburn.example.com", pattern)
	case strings.Contains(pattern, ":"):
		return fmt.Errorf("%q has a port; write the name alone, such as slowburn.example.com, which is good for every port", pattern)
	}
	return fmt.Errorf("%q is no host name; write one such as slowburn.example.com (an international one as xn--…), *.example.com for all below it, "+
		"or * for any", pattern)
}

// Known reports whether a request with this Host header may be answered: an IP address, which DNS rebinding cannot forge; no Host
// at all; or a known name. A port and a trailing dot are ignored.
func (h *Hosts) Known(host string) bool {
	name := hostname(host)
	if h.any || name == "" || h.exact[name] {
		return true
	}
	for _, s := range h.suffix {
		if strings.HasSuffix(name, s) && len(name) > len(s) {
			return true
		}
	}
	address, err := netip.ParseAddr(name)
	return err == nil && !strings.Contains(address.Zone(), ".") // a zone may be any text, such as another site's name
}

// hostname returns the canonical name of a Host header without its port, or the address without its brackets.
func hostname(host string) string {
	if name, port, err := net.SplitHostPort(host); err == nil && strings.Trim(port, "0123456789") == "" {
		host = name
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	return canonical(host)
}

// canonical returns a name in lower case, without a trailing dot.
func canonical(name string) string { return strings.TrimSuffix(strings.ToLower(name), ".") }

// HostOf returns the host of a URL; "" if there is none.
func HostOf(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
