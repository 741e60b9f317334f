package doors

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/slowburn/slowburn/web/api"

	"go.opentelemetry.io/collector/client"

	"github.com/slowburn/slowburn/web/internal/rest"
)

type callerKey struct{}

// ServeCaller answers with the Caller that Inner found.
func ServeCaller(w http.ResponseWriter, r *http.Request) {
	c, ok := r.Context().Value(callerKey{}).(api.Caller)
	if !ok {
		c.Why = "The gateway does not know who asks."
	}
	rest.WriteJSON(w, c)
}

func withCaller(r *http.Request, c api.Caller) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, c))
}

// forwarding are the headers of requests that a proxy forwarded.
var forwarding = []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"}

// caller returns the sender of a request.
func (d *Doors) caller(r *http.Request) api.Caller {
	c := api.Caller{Address: cut(r.RemoteAddr, maxShown)}
	if d.auth != "" {
		c.Subject = cmp.Or(subject(client.FromContext(r.Context()).Auth), d.auth)
		if c.Operator = slices.Contains(d.operators, c.Subject); !c.Operator {
			c.Why = fmt.Sprintf("Changes are taken from operators only, and %q is none: add it to web::operators.", cut(c.Subject, maxShown))
		}
		return c
	}
	switch by := forwardedBy(r); {
	case !fromLoopback(r):
		c.Why = fmt.Sprintf("Without web::auth changes are taken from the gateway's own machine only, and this request comes from %s: "+
			"run slowburn drain, retry or the like there (kubectl exec, docker exec), or set web::auth and web::operators.", c.Address)
	case by != "":
		c.Why = fmt.Sprintf("Without web::auth changes are taken from the gateway's own machine only, and this request came through a proxy (%s): "+
			"run slowburn drain, retry or the like on the machine, or set web::auth and web::operators.", by)
	default:
		c.Operator = true
	}
	return c
}

// subjects are the attributes in which authenticators return the subject: "subject" of oidc, "username" of basicauth.
var subjects = []string{"subject", "username"}

// subject returns the subject of an authenticator; "" if it has none, as bearertokenauth.
func subject(data client.AuthData) string {
	if data == nil {
		return ""
	}
	for _, name := range subjects {
		if s, ok := data.GetAttribute(name).(string); ok && s != "" {
			return s
		}
	}
	return ""
}

// fromLoopback reports whether the connection comes from this machine: over loopback, or over a Unix socket, which the
// permissions of its file guard.
func fromLoopback(r *http.Request) bool {
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && strings.HasPrefix(local.Network(), "unix") {
		return true
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && from.Addr().Unmap().IsLoopback()
}

// forwardedBy returns the name of a header that only a proxy adds; "" if there is none.
func forwardedBy(r *http.Request) string {
	for _, name := range forwarding {
		if len(r.Header.Values(name)) > 0 {
			return name
		}
	}
	return ""
}
