package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configmiddleware"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/extension/extensionauth"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

// start runs an extension on a free port until the test ends.
func start(t *testing.T, h component.Host, change ...func(*Config)) *webExtension {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.HTTP.NetAddr.Endpoint = "127.0.0.1:0"
	for _, c := range change {
		c(cfg)
	}
	require.NoError(t, cfg.Validate())
	e := newExtension(extensiontest.NewNopSettings(componentType), cfg, webtest.Pages)
	require.NoError(t, e.Start(t.Context(), h))
	t.Cleanup(func() { require.NoError(t, e.Shutdown(context.Background())) })
	return e
}

// client closes its connections when the test ends.
func client(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}
}

func send(t *testing.T, method, url string, body io.Reader, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := client(t).Do(r)
	require.NoError(t, err)
	defer func() { require.NoError(t, answer.Body.Close()) }()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer, string(text)
}

func TestFactory(t *testing.T) {
	f := NewFactory()
	require.NoError(t, componenttest.CheckConfigStruct(f.CreateDefaultConfig()))
	e, err := f.Create(t.Context(), extensiontest.NewNopSettings(f.Type()), f.CreateDefaultConfig())
	require.NoError(t, err)
	require.NoError(t, e.Shutdown(t.Context()), "before Start")
}

// TestServes goes through the Collector's server, and follows components that start and stop.
func TestServes(t *testing.T) {
	h := plainHost{}
	e := start(t, h, func(c *Config) { c.BasePath = "/slowburn" })
	h[component.NewID(componentType)] = e
	assert.Regexp(t, `^http://127\.0\.0\.1:\d+/slowburn/$`, e.url())

	answer, body := send(t, http.MethodGet, e.url()+"readyz", nil)
	assert.Equal(t, http.StatusServiceUnavailable, answer.StatusCode, body)

	otlp, id := webtest.Healthy("listening"), component.MustNewID("otlp")
	host.Announce(h, id, otlp)
	answer, body = send(t, http.MethodGet, e.url()+"readyz", nil)
	assert.Equal(t, http.StatusOK, answer.StatusCode, body)
	host.Retract(h, id, otlp)
	answer, _ = send(t, http.MethodGet, e.url()+"readyz", nil)
	assert.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
}

func TestOccupiedPort(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	cfg := createDefaultConfig().(*Config)
	cfg.HTTP.NetAddr.Endpoint = other.Addr().String()
	e := newExtension(extensiontest.NewNopSettings(componentType), cfg, webtest.Pages)
	err = e.Start(t.Context(), plainHost{})
	require.ErrorContains(t, err, "the dashboard cannot listen on web::endpoint "+other.Addr().String())
	require.ErrorContains(t, err, "address already in use")
	require.NoError(t, e.Shutdown(t.Context()))
}

// token authenticates a caller with the token.
type token struct {
	webtest.Component
	extensionauth.ServerAuthenticateFunc
}

func newToken(want string) token {
	return token{ServerAuthenticateFunc: func(ctx context.Context, headers map[string][]string) (context.Context, error) {
		if http.Header(headers).Get("Authorization") != "Bearer "+want {
			return ctx, errors.New("wrong token")
		}
		return ctx, nil
	}}
}

func withAuth(c *Config) {
	c.HTTP.Auth = configoptional.Some(confighttp.AuthConfig{Config: configauth.Config{AuthenticatorID: component.MustNewID("token")}})
}

// TestAuth: every path but the probes requires credentials, and a refusal is a problem document.
func TestAuth(t *testing.T) {
	e := start(t, plainHost{component.MustNewID("token"): newToken("secret")}, withAuth)
	for _, path := range []string{"", "metrics", "api/slo/v1/objectives", "api/v1/query", "jaeger/api/services", "assets/index-abc123.js"} {
		answer, body := send(t, http.MethodGet, e.url()+path, nil)
		assert.Equal(t, http.StatusUnauthorized, answer.StatusCode, path)
		assert.Equal(t, "application/problem+json", answer.Header.Get("Content-Type"), path)
		assert.Equal(t, contentSecurityPolicy, answer.Header.Get("Content-Security-Policy"), path)
		assert.NotEmpty(t, answer.Header.Get("WWW-Authenticate"), path)
		assert.Contains(t, body, "send the credentials that web::auth asks for")

		answer, _ = send(t, http.MethodGet, e.url()+path, nil, "Authorization", "Bearer secret")
		assert.NotEqual(t, http.StatusUnauthorized, answer.StatusCode, path)
	}
}

// TestProbesNeedNoCredentials, below the base path and at the root: an orchestrator has none. Callers with credentials see the list.
func TestProbesNeedNoCredentials(t *testing.T) {
	for name, base := range map[string]string{"at the root": "", "below a base path": "/slowburn"} {
		t.Run(name, func(t *testing.T) {
			h := plainHost{component.MustNewID("token"): newToken("secret")}
			e := start(t, h, withAuth, func(c *Config) { c.BasePath = base })
			h[component.NewID(componentType)] = e
			origin := strings.TrimSuffix(e.url(), base+"/")
			check := func(ready bool, status int) {
				for _, path := range []string{"/readyz", base + "/readyz"} {
					for _, credentials := range []string{"", "Bearer wrong"} {
						answer, body := send(t, http.MethodGet, origin+path, nil, "Authorization", credentials, "Accept", "text/html")
						assert.Equal(t, status, answer.StatusCode, path)
						assert.JSONEq(t, fmt.Sprintf(`{"ready":%t,"components":[]}`, ready), body, path)
						assert.Empty(t, answer.Header.Get("WWW-Authenticate"), path)
					}
					answer, body := send(t, http.MethodGet, origin+path, nil, "Authorization", "Bearer secret")
					assert.Equal(t, status, answer.StatusCode, path)
					assert.Contains(t, body, `"id":"otlp"`, path)
				}
			}
			check(false, http.StatusServiceUnavailable)
			host.Announce(h, component.MustNewID("otlp"), webtest.Healthy("listening"))
			check(true, http.StatusOK)

			for _, path := range []string{"/healthz", base + "/healthz"} {
				answer, body := send(t, http.MethodGet, origin+path, nil)
				assert.Equal(t, http.StatusOK, answer.StatusCode, path)
				assert.Equal(t, "ok\n", body, path)
			}
			for _, path := range []string{"/healthz/x", "/x/readyz", "/readyzx", "//readyz"} {
				answer, _ := send(t, http.MethodGet, origin+path, nil)
				assert.Equal(t, http.StatusUnauthorized, answer.StatusCode, path)
			}
			answer, _ := send(t, http.MethodPost, origin+"/readyz", nil)
			assert.Equal(t, http.StatusUnauthorized, answer.StatusCode, "only GET is a probe")
		})
	}
}

// TestCredentialsInTheQuery: credentials in the query do not count as unknown parameters of a search.
func TestCredentialsInTheQuery(t *testing.T) {
	h := plainHost{component.MustNewID("token"): newToken("secret")}
	e := start(t, h, withAuth, func(c *Config) { c.HTTP.Auth.Get().RequestParameters = []string{"Authorization"} })
	h[component.NewID(componentType)] = e
	store := webtest.NewStore()
	host.Announce(h, component.MustNewID("trace_store"), store)
	search := e.url() + "api/traces/v1/search?service=checkout&Authorization="
	answer, body := send(t, http.MethodGet, search+"Bearer+secret", nil)
	assert.Equal(t, http.StatusOK, answer.StatusCode, body)
	assert.Equal(t, "checkout", store.Asked.Service)
	answer, _ = send(t, http.MethodGet, search+"Bearer+wrong", nil)
	assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
}

// TestRefusedBrowser: a user who opens the dashboard reads why it is refused, and what to do.
func TestRefusedBrowser(t *testing.T) {
	e := start(t, plainHost{component.MustNewID("token"): newToken("secret")}, withAuth)
	answer, body := send(t, http.MethodGet, e.url(), nil, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
	assert.Equal(t, "text/html; charset=utf-8", answer.Header.Get("Content-Type"))
	assert.Equal(t, `Bearer realm="slowburn"`, answer.Header.Get("WWW-Authenticate"))
	assert.Equal(t, "no-store", answer.Header.Get("Cache-Control"))
	assert.Contains(t, body, "A browser cannot send a bearer token")
	assert.Contains(t, body, "put a proxy in front")

	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept", "text/html")
	refuse(webtest.Running{}.Components(), "")(w, r, "<script>", http.StatusUnauthorized)
	assert.Contains(t, w.Body.String(), "&lt;script&gt;", "what others wrote is no markup")
}

func TestDependencies(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	e := newExtension(extensiontest.NewNopSettings(componentType), cfg, webtest.Pages)
	assert.Empty(t, e.Dependencies())
	withAuth(cfg)
	cfg.HTTP.Middlewares = []configmiddleware.Config{{ID: component.MustNewID("limiter")}}
	assert.Equal(t, []component.ID{component.MustNewID("token"), component.MustNewID("limiter")}, e.Dependencies())
	require.Error(t, e.Start(t.Context(), plainHost{}), "the authenticator is not there")
	require.NoError(t, e.Shutdown(t.Context()))
}

// TestSecurityHeaders: every answer has them, whichever handler writes it; response_headers may change them.
func TestSecurityHeaders(t *testing.T) {
	world := webtest.Everything()
	h := plainHost{}
	for id, c := range world.Extensions {
		h[webtest.ParseID(id)] = c
	}
	e := start(t, h, func(c *Config) {
		c.HTTP.ResponseHeaders = configopaque.MapList{{Name: "X-Frame-Options", Value: "SAMEORIGIN"}}
		c.BasePath = "/slowburn"
	})
	origin := strings.TrimSuffix(e.url(), "/slowburn/")
	for _, path := range []string{"/", "/nope", "/healthz", "/slowburn/", "/slowburn/theme.js", "/slowburn/nope.js", "/slowburn/readyz",
		"/slowburn/api/slo/v1/objectives", "/slowburn/api/nope", "/slowburn/api/v1/query", "/slowburn/jaeger/api/services"} {
		answer, body := send(t, http.MethodGet, origin+path, nil)
		for name, want := range map[string]string{
			"Content-Security-Policy": contentSecurityPolicy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "SAMEORIGIN",
			"Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			assert.Equal(t, want, answer.Header.Get(name), "%s of %s", name, path)
		}
		assert.NotEmpty(t, answer.Header.Get("Permissions-Policy"), path)
		assert.NotEmpty(t, answer.Header.Get("Cache-Control"), path)
		assert.NotContains(t, body, "404 page not found", path)
	}
	answer, body := send(t, http.MethodPost, e.url()+"api/v1/query", bytes.NewReader([]byte("not gzip")), "Content-Encoding", "gzip")
	assert.Equal(t, http.StatusBadRequest, answer.StatusCode)
	assert.Equal(t, "application/problem+json", answer.Header.Get("Content-Type"))
	assert.Contains(t, body, "The request cannot be read")
}

// slowQueries is an extension that answers a query when it is released, or ends it when the client has disconnected.
type slowQueries struct {
	webtest.Component
	asked, gone chan struct{}
	answer      chan struct{}
}

func newSlow() *slowQueries {
	return &slowQueries{asked: make(chan struct{}), gone: make(chan struct{}), answer: make(chan struct{})}
}

func (s *slowQueries) PrometheusAPI() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(s.asked)
		select {
		case <-s.answer:
			_, _ = w.Write([]byte("answered"))
		case <-r.Context().Done():
			close(s.gone)
		}
	})
}

// inFlight starts an extension, sends it a request that does not end, and shuts it down meanwhile. The channels return what the
// client read and the result of Shutdown.
func inFlight(t *testing.T, ctx context.Context, slow *slowQueries, grace time.Duration) (read chan string, stopped chan error) {
	cfg := createDefaultConfig().(*Config)
	cfg.HTTP.NetAddr.Endpoint = "127.0.0.1:0"
	e := newExtension(extensiontest.NewNopSettings(componentType), cfg, webtest.Pages)
	e.grace = grace
	require.NoError(t, e.Start(t.Context(), plainHost{component.MustNewID("tsdb"): slow}))
	read, stopped = make(chan string, 1), make(chan error, 1)
	c := client(t)
	go func() {
		answer, err := c.Get(e.url() + "api/v1/query")
		if err != nil {
			read <- "cut off"
			return
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		read <- string(text)
	}()
	<-slow.asked
	go func() { stopped <- e.Shutdown(ctx) }()
	return read, stopped
}

func TestShutdownWaitsForRequests(t *testing.T) {
	slow := newSlow()
	read, stopped := inFlight(t, t.Context(), slow, time.Minute)
	close(slow.answer)
	assert.Equal(t, "answered", <-read)
	assert.NoError(t, <-stopped)
}

func TestShutdownCutsOff(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx   context.Context
		grace time.Duration
	}{
		"after a while":            {t.Context(), time.Millisecond},
		"as soon as it is told to": {ended, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			slow := newSlow()
			read, stopped := inFlight(t, c.ctx, slow, c.grace)
			assert.Equal(t, "cut off", <-read)
			assert.NoError(t, <-stopped)
			<-slow.gone // the handler's context ends
		})
	}
}

// reporting is a Collector that records its components' states.
type reporting struct {
	plainHost
	reported chan *componentstatus.Event
}

func (r reporting) Report(e *componentstatus.Event) { r.reported <- e }

// TestServerFails: the error that stopped the server is reported as recoverable, so that the Collector continues.
func TestServerFails(t *testing.T) {
	h := reporting{plainHost{}, make(chan *componentstatus.Event, 1)}
	e := start(t, h)
	require.NoError(t, e.listener.Close())
	e.serving.Wait()
	event := <-h.reported
	assert.Equal(t, componentstatus.StatusRecoverableError, event.Status())
	assert.ErrorIs(t, event.Err(), net.ErrClosed)
}

func TestTLSURL(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.HTTP.TLS.GetOrInsertDefault()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	e := &webExtension{cfg: cfg, listener: listener, set: component.TelemetrySettings{Logger: zap.NewNop()}}
	assert.Equal(t, "https://"+listener.Addr().String()+"/", e.url())
}
