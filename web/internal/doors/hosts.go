package doors

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// Hosts are the names by which the dashboard may be asked for.
type Hosts struct {
	exact  map[string]bool
	suffix []string // of *.example.com: .example.com
	any    bool
}

// NewHosts returns the hosts of patterns that ValidHost takes. localhost and the names below it are always known: they lead to
// loopback, whatever a DNS server says.
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

// hostPattern is a name of letters, digits, hyphens and (of containers) underscores, below *. where it stands for many.
var hostPattern = regexp.MustCompile(`^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)

// maxName is how long a DNS name can be.
const maxName = 253

// ValidHost returns what is wrong with an entry of web::hosts. An empty one, which is what an unset variable leaves, names nobody.
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

// Known reports whether a request with this Host header may be answered: an IP address, for a page that has one for its address
// is no other site's; no Host at all; or a known name. A port and a trailing dot do not count.
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
	return err == nil && !strings.Contains(address.Zone(), ".") // a zone can be any text, also the name of another site
}

// hostname is the canonical name of a Host header, without its port, or the address without its brackets.
func hostname(host string) string {
	if name, port, err := net.SplitHostPort(host); err == nil && strings.Trim(port, "0123456789") == "" {
		host = name
	} else if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	return canonical(host)
}

// canonical is a name in lower case, without the dot that may end it.
func canonical(name string) string { return strings.TrimSuffix(strings.ToLower(name), ".") }

// HostOf is the host in a URL; "" where there is none.
func HostOf(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
