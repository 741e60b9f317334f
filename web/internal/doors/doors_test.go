package doors_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slowburn/slowburn/web/api"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/web/internal/doors"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

const reload = "/api/sampling/v1/policies/reload"

// house is the handler behind the doors, with a record of its requests.
type house struct {
	*doors.Doors
	logs    *observer.ObservedLogs
	refused map[doors.Reason]int
}

func newHouse(change func(*doors.Settings)) house {
	core, logs := observer.New(zap.InfoLevel)
	h := house{logs: logs, refused: map[doors.Reason]int{}}
	s := doors.Settings{
		Hosts: doors.NewHosts("slowburn.example"), MaxRequests: 9, Logger: zap.New(core),
		Refused: func(_ context.Context, r doors.Reason) { h.refused[r]++ },
	}
	if change != nil {
		change(&s)
	}
	h.Doors = doors.New(s)
	return h
}

// request returns a request from loopback to the dashboard's own name, with pairs of header names and values.
func request(method, target string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	r.Host, r.RemoteAddr = "slowburn.example", "127.0.0.1:40000"
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

func answer(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var inside = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("inside")) })

func TestOuterHosts(t *testing.T) {
	for _, base := range []string{"", "/team"} {
		h := newHouse(func(s *doors.Settings) { s.Base = base })
		ask := func(path string, headers ...string) *httptest.ResponseRecorder {
			r := request(http.MethodGet, path, headers...)
			r.Host = `Evil."x".example:80`
			return answer(h.Outer(inside), r)
		}
		for _, path := range []string{"/", base + "/", base + "/api/slo/v1/objectives", base + "/healthz/x", "//healthz", base + "/api/healthz"} {
			webtest.RequireProblem(t, ask(path), http.StatusMisdirectedRequest, `"evil.\"x\".example": add it to web::hosts`)
		}
		for _, path := range []string{"/healthz", "/readyz", base + "/healthz", base + "/readyz"} {
			assert.Equal(t, http.StatusOK, ask(path).Code, path)
		}
		page := ask("/", "Accept", "text/html,*/*")
		assert.Equal(t, http.StatusMisdirectedRequest, page.Code)
		assert.Contains(t, page.Body.String(), "hosts: [evil.&#34;x&#34;.example]")
		assert.Equal(t, "text/html; charset=utf-8", page.Header().Get("Content-Type"))
		assert.Equal(t, http.StatusOK, answer(h.Outer(inside), request(http.MethodGet, "/")).Code)
		assert.Equal(t, map[doors.Reason]int{doors.ReasonHost: 7}, h.refused)
	}
}

// TestForeignPages: the origin and destination that a browser states in a request's headers.
func TestForeignPages(t *testing.T) {
	const own = "http://slowburn.example"
	for _, c := range []struct {
		method, path string
		headers      []string
		taken        bool
	}{
		{"GET", "/api/v1/query", nil, true},
		{"POST", reload, nil, true},
		{"GET", "/api/v1/query", []string{"Sec-Fetch-Site", "same-origin"}, true},
		{"GET", "/api/v1/query", []string{"Sec-Fetch-Site", "none"}, true},
		{"POST", reload, []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://behind.proxy.example"}, true},
		{"GET", "/api/v1/query", []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"GET", "/api/v1/query", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, false},
		{"GET", "/api/v1/query", []string{"Sec-Fetch-Site", "same-site"}, false}, // for example another port of this machine
		{"GET", "/api/v1/query", []string{"Sec-Fetch-Site", "to-come"}, false},
		{"GET", "/api", []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"GET", "/metrics", []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"GET", "/jaeger/api/services", []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"POST", reload, []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"GET", "/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, true},
		{"GET", "/traces/00ab", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, true},
		{"GET", "/apiary", []string{"Sec-Fetch-Site", "cross-site"}, true},
		{"GET", "/readyz", []string{"Sec-Fetch-Site", "cross-site"}, true},
		{"POST", reload, []string{"Origin", own}, true},
		{"POST", reload, []string{"Origin", "https://dashboard.example"}, true}, // external_url
		{"POST", reload, []string{"Origin", "http://dashboard.example"}, false},
		{"POST", reload, []string{"Origin", own + ":8081"}, false},
		{"POST", reload, []string{"Origin", "http://evil.example"}, false},
		{"POST", reload, []string{"Origin", "null"}, false},
		{"GET", "/api/v1/query", []string{"Origin", "http://evil.example"}, false},
		{"POST", "/api/v1/query", []string{"Origin", "http://evil.example"}, false},
		{"GET", "/api/v1/query", []string{"Origin", "https://portal.example", "Sec-Fetch-Site", "cross-site"}, true}, // web::cors
		{"GET", "/api/v1/query", []string{"Origin", "https://a.tools.example"}, true},
		{"OPTIONS", "/api/v1/query", []string{"Origin", "https://portal.example", "Sec-Fetch-Site", "cross-site"}, true},
		{"POST", reload, []string{"Origin", "https://portal.example", "Sec-Fetch-Site", "cross-site"}, false},
		{"POST", reload, []string{"Origin", "https://portal.example"}, false},
		{"GET", "/api/v1/query", []string{"Origin", "https://.tools.exampl"}, false},
	} {
		h := newHouse(func(s *doors.Settings) {
			s.External, s.Origins = []string{"https://dashboard.example/slowburn"}, []string{"https://Portal.example", "https://*.tools.example"}
		})
		w := answer(h.Outer(inside), request(c.method, c.path, c.headers...))
		if c.taken {
			assert.Equal(t, http.StatusOK, w.Code, "%v", c)
			continue
		}
		webtest.RequireProblem(t, w, http.StatusForbidden, "a page of another site")
		assert.Equal(t, map[doors.Reason]int{doors.ReasonForeignPage: 1}, h.refused)
		assert.Equal(t, c.method == "POST" && c.path == reload, h.logs.Len() == 1, "a change that was refused is logged: %v", c)
	}
}

func TestOuterRequestsInFlight(t *testing.T) {
	h := newHouse(func(s *doors.Settings) { s.MaxRequests = 1 })
	arrived, leave := make(chan struct{}), make(chan struct{})
	waiting := h.Outer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-leave
	}))
	left := make(chan struct{})
	go func() {
		answer(waiting, request(http.MethodGet, "/"))
		close(left)
	}()
	<-arrived
	w := answer(h.Outer(inside), request(http.MethodGet, "/"))
	webtest.RequireProblem(t, w, http.StatusServiceUnavailable, "web::max_connections")
	assert.Equal(t, "1", w.Header().Get("Retry-After"))
	assert.Equal(t, http.StatusOK, answer(h.Outer(inside), request(http.MethodGet, "/readyz")).Code, "probes are answered all the same")
	close(leave)
	<-left
	assert.Equal(t, http.StatusOK, answer(h.Outer(inside), request(http.MethodGet, "/")).Code)
}

// authenticated is the result of an authenticator.
type authenticated map[string]any

func (a authenticated) GetAttribute(name string) any { return a[name] }

func (a authenticated) GetAttributeNames() []string { return nil }

// TestOperators: which callers may make changes.
func TestOperators(t *testing.T) {
	withAuth := func(operators ...string) func(*doors.Settings) {
		return func(s *doors.Settings) { s.Auth, s.Operators = "oidc/people", operators }
	}
	from := func(address string, headers ...string) *http.Request {
		r := request(http.MethodPost, reload, headers...)
		r.RemoteAddr = address
		return r
	}
	as := func(data client.AuthData) *http.Request {
		r := from("10.0.0.9:1")
		return r.WithContext(client.NewContext(r.Context(), client.Info{Auth: data}))
	}
	socket := from("@")
	socket = socket.WithContext(context.WithValue(socket.Context(), http.LocalAddrContextKey, &net.UnixAddr{Name: "web.sock", Net: "unix"}))
	for name, c := range map[string]struct {
		change  func(*doors.Settings)
		request *http.Request
		why     string // empty: it is accepted
	}{
		"loopback":                  {nil, from("127.0.0.1:1"), ""},
		"all of loopback":           {nil, from("127.9.9.9:1"), ""},
		"IPv6 loopback":             {nil, from("[::1]:1"), ""},
		"IPv4 in IPv6":              {nil, from("[::ffff:127.0.0.1]:1"), ""},
		"a Unix socket":             {nil, socket, ""},
		"elsewhere":                 {nil, from("10.0.0.9:1"), "from 10.0.0.9:1"},
		"elsewhere, and says not":   {nil, from("10.0.0.9:1", "X-Forwarded-For", "127.0.0.1"), "from 10.0.0.9:1"},
		"no address":                {nil, from(""), "from the gateway's own machine only"},
		"a proxy on the machine":    {nil, from("127.0.0.1:1", "X-Forwarded-For", "127.0.0.1"), "through a proxy (X-Forwarded-For)"},
		"a proxy with RFC 7239":     {nil, from("127.0.0.1:1", "Forwarded", "for=10.0.0.9"), "through a proxy (Forwarded)"},
		"subject of oidc":           {withAuth("ada", "eve"), as(authenticated{"subject": "eve"}), ""},
		"username of basicauth":     {withAuth("ada"), as(authenticated{"username": "ada"}), ""},
		"another subject":           {withAuth("ada"), as(authenticated{"subject": "mallory"}), `"mallory" is none: add it to web::operators`},
		"no operators":              {withAuth(), as(authenticated{"subject": "ada"}), `"ada" is none`},
		"a subject that is no text": {withAuth("ada"), as(authenticated{"subject": 1, "username": ""}), `"oidc/people" is none`},
		"nobody named":              {withAuth("ada"), as(nil), `"oidc/people" is none`},
		"whoever is authenticated":  {withAuth("oidc/people"), as(nil), ""},
		"loopback with auth":        {withAuth("ada"), from("127.0.0.1:1"), `"oidc/people" is none`},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(c.change)
			w := answer(h.Inner(inside), c.request)
			me := answer(h.Inner(http.HandlerFunc(doors.ServeCaller)), readOf(c.request))
			require.Equal(t, http.StatusOK, me.Code)
			caller := webtest.Decode[api.Caller](t, me)
			require.Equal(t, 1, h.logs.Len(), "a line, and none for reading")
			fields := h.logs.All()[0].ContextMap()
			assert.Equal(t, "POST "+reload, fields["action"])
			assert.Equal(t, c.request.RemoteAddr, fields["address"])
			assert.Equal(t, caller.Subject, fields["subject"])
			assert.Equal(t, c.why == "", caller.Operator)
			if c.why == "" {
				assert.Equal(t, "inside", w.Body.String())
				assert.Equal(t, "done", fields["result"])
				assert.Empty(t, caller.Why)
				return
			}
			webtest.RequireProblem(t, w, http.StatusForbidden, c.why)
			assert.Contains(t, caller.Why, c.why)
			assert.Equal(t, "refused", fields["result"])
			assert.Equal(t, map[doors.Reason]int{doors.ReasonNoOperator: 1}, h.refused)
		})
	}
}

// readOf returns the same caller's request with the method GET.
func readOf(r *http.Request) *http.Request {
	r = r.Clone(r.Context())
	r.Method = http.MethodGet
	return r
}

// TestChanges: every method but reading ones is a change, on every path except Prometheus' queries.
func TestChanges(t *testing.T) {
	for _, base := range []string{"", "/team"} {
		for target, change := range map[string]bool{
			"GET " + reload: false, "HEAD /": false, "OPTIONS /api/slo/v1/objectives": false, "POST /api/v1/query": false, "POST /api/v1/": false,
			"POST " + reload: true, "PUT /api/slo/v1/objectives": true, "DELETE /": true, "PATCH /jaeger/api/x": true, "BREW /": true, "POST /api/v1": true, "POST /api/v11/x": true,
			"POST /api/%761/query": true, "POST /x/api/v1/query": true,
		} {
			h := newHouse(func(s *doors.Settings) { s.Base = base })
			method, path, _ := strings.Cut(target, " ")
			r := request(method, base+path)
			r.RemoteAddr = "10.0.0.9:1"
			want := http.StatusOK
			if change {
				want = http.StatusForbidden
			}
			assert.Equal(t, want, answer(h.Inner(inside), r).Code, target)
		}
	}
}

// TestAudit: the outcome of a change is logged in a line of bounded length; a repeated outcome is not logged for a while.
func TestAudit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(nil)
		drain := func() {
			answer(h.Inner(inside), request(http.MethodPost, "/api/sampling/v1/drain"))
			time.Sleep(time.Second)
		}
		for range 15 {
			drain()
		}
		assert.Equal(t, 2, h.logs.Len(), "one line in ten seconds")
		failing := h.Inner(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusConflict) }))
		answer(failing, request(http.MethodPost, "/api/sampling/v1/drain"))
		drain()
		require.Equal(t, 4, h.logs.Len(), "another result is another line")
		assert.Equal(t, "failed", h.logs.All()[2].ContextMap()["result"])
		assert.Equal(t, "change requested: POST /api/sampling/v1/drain", h.logs.All()[2].Message)

		assert.Panics(t, func() {
			answer(h.Inner(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })), request(http.MethodPost, reload))
		})
		assert.EqualValues(t, http.StatusInternalServerError, h.logs.All()[4].ContextMap()["status"])

		r := request(http.MethodPost, "/"+strings.Repeat("x", 1<<16), "X-Forwarded-For", strings.Repeat("y", 1<<16))
		r.RemoteAddr = "10.0.0.9:1"
		answer(h.Inner(inside), r)
		long := h.logs.All()[5]
		assert.Equal(t, "change refused", long.Message)
		assert.Less(t, len(long.ContextMap()["action"].(string)), 300)
		assert.Less(t, len(long.ContextMap()["forwarded_for"].(string)), 300)
	})
}

func TestServeCallerWithoutDoors(t *testing.T) {
	c := webtest.Decode[api.Caller](t, answer(http.HandlerFunc(doors.ServeCaller), request(http.MethodGet, "/")))
	assert.False(t, c.Operator)
	assert.NotEmpty(t, c.Why)
}
