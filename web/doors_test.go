package web

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collectorclient "go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confignet"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/web/internal/doors"
	"github.com/slowburn/slowburn/web/internal/metadatatest"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

var _ linked = (*engine.Extension)(nil)

// links is an extension that has an external_url.
type links struct {
	webtest.Component
	url string
}

func (l links) ExternalURL() string { return l.url }

// raw sends a request as bytes, and returns the status of the answer.
func raw(t *testing.T, e *webExtension, request string) int {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", e.listener.Addr().String())
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode
}

// TestHosts goes through the Collector's server: every way in which a request can name its host.
func TestHosts(t *testing.T) {
	h := plainHost{component.MustNewID("slo"): links{url: "https://dashboard.example:8443/x"}, component.MustNewIDWithName("slo", "none"): links{}}
	e := start(t, h, func(c *Config) { c.Hosts = []string{"*.svc"} })
	h[component.NewID(componentType)] = e
	for request, want := range map[string]int{
		"GET /api/openapi.yaml HTTP/1.1\r\nHost: dashboard.example\r\n\r\n":                                 200,
		"GET /api/openapi.yaml HTTP/1.1\r\nHost: SLOWBURN.svc.:80\r\n\r\n":                                  200,
		"GET /api/openapi.yaml HTTP/1.1\r\nHost: 10.9.8.7\r\n\r\n":                                          200,
		"GET /api/openapi.yaml HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n":                                        200,
		"GET /api/openapi.yaml HTTP/1.0\r\n\r\n":                                                            200,
		"GET /api/openapi.yaml HTTP/1.1\r\nHost:\r\n\r\n":                                                   200,
		"GET /api/openapi.yaml HTTP/1.1\r\nHost: evil.example\r\n\r\n":                                      421,
		"GET /api/openapi.yaml HTTP/1.0\r\nHost: evil.example\r\n\r\n":                                      421,
		"GET http://evil.example/api/openapi.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n":                      421,
		"GET http://localhost/api/openapi.yaml HTTP/1.1\r\nHost: evil.example\r\n\r\n":                      200,
		"GET /api/openapi.yaml HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: localhost\r\n\r\n":       421,
		"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n":                                               200,
		"POST /api/sampling/v1/policies/reload HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n": 421,
	} {
		assert.Equal(t, want, raw(t, e, request), request)
	}
}

// TestHTTP2Authority: HTTP/2's :authority is checked against the same names as Host.
func TestHTTP2Authority(t *testing.T) {
	lender := httptest.NewTLSServer(nil) // lends its certificate
	defer lender.Close()
	lent := lender.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(lent.PrivateKey)
	require.NoError(t, err)
	e := start(t, plainHost{}, func(c *Config) {
		c.HTTP.TLS.GetOrInsertDefault().Config = configtls.Config{
			CertPem: configopaque.String(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: lent.Certificate[0]})),
			KeyPem:  configopaque.String(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
		}
	})
	transport := lender.Client().Transport.(*http.Transport).Clone()
	transport.ForceAttemptHTTP2 = true
	defer transport.CloseIdleConnections()
	for host, want := range map[string]int{"evil.example": http.StatusMisdirectedRequest, "slowburn.localhost": http.StatusOK} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.url()+"api/openapi.yaml", nil)
		require.NoError(t, err)
		r.Host = host
		answer, err := transport.RoundTrip(r)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		assert.Equal(t, 2, answer.ProtoMajor)
		assert.Equal(t, want, answer.StatusCode, host)
	}
}

// namedToken authenticates a caller with the token, and names it.
func namedToken(tokens map[string]string) token {
	return token{ServerAuthenticateFunc: func(ctx context.Context, headers map[string][]string) (context.Context, error) {
		name, ok := tokens[http.Header(headers).Get("Authorization")]
		if !ok {
			return ctx, errors.New("wrong token")
		}
		info := collectorclient.FromContext(ctx)
		info.Auth = named(name)
		return collectorclient.NewContext(ctx, info), nil
	}}
}

type named string

func (n named) GetAttribute(name string) any { return map[string]any{"subject": string(n)}[name] }

func (n named) GetAttributeNames() []string { return []string{"subject"} }

// TestOperators goes through authentication: listed subjects may make changes, and every authenticated caller may read.
func TestOperators(t *testing.T) {
	people := namedToken(map[string]string{"Bearer a": "ada", "Bearer m": "mallory"})
	h := plainHost{component.MustNewID("token"): people}
	e := start(t, h, withAuth, func(c *Config) { c.Operators = []string{"ada"} })
	h[component.NewID(componentType)] = e
	host.Announce(h, component.MustNewID("tail_sampling"), &webtest.Sampler{})
	reload := e.url() + "api/sampling/v1/policies/reload"
	answer, body := send(t, http.MethodPost, reload, nil, "Authorization", "Bearer a")
	assert.Equal(t, http.StatusOK, answer.StatusCode, body)
	answer, body = send(t, http.MethodPost, reload, nil, "Authorization", "Bearer m")
	assert.Equal(t, http.StatusForbidden, answer.StatusCode)
	assert.Equal(t, "application/problem+json", answer.Header.Get("Content-Type"))
	assert.Contains(t, body, `\"mallory\" is none: add it to web::operators`)
	answer, _ = send(t, http.MethodPost, reload, nil)
	assert.Equal(t, http.StatusUnauthorized, answer.StatusCode)
	answer, body = send(t, http.MethodGet, e.url()+"api/access/v1/me", nil, "Authorization", "Bearer m")
	assert.Equal(t, http.StatusOK, answer.StatusCode)
	assert.Contains(t, body, `"subject":"mallory"`)
	assert.Contains(t, body, `"operator":false`)
}

// TestUnixSocket: a caller on the socket counts as local.
func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "web.sock")
	h := plainHost{}
	e := start(t, h, func(c *Config) { c.HTTP.NetAddr.Transport, c.HTTP.NetAddr.Endpoint = confignet.TransportTypeUnix, path })
	h[component.NewID(componentType)] = e
	host.Announce(h, component.MustNewID("tail_sampling"), &webtest.Sampler{})
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/api/sampling/v1/policies/reload", nil)
	require.NoError(t, err)
	answer, err := transport.RoundTrip(r)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	assert.Equal(t, http.StatusOK, answer.StatusCode)
}

// TestLimits: the limits on headers and on connections.
func TestLimits(t *testing.T) {
	e := start(t, plainHost{}, func(c *Config) { c.MaxHeaderSize, c.MaxConnections = 8<<10, 8 })
	assert.Equal(t, http.StatusOK, raw(t, e, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: "+strings.Repeat("x", 4<<10)+"\r\n\r\n"))
	assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, raw(t, e, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: "+strings.Repeat("x", 64<<10)+"\r\n\r\n"))
	assert.Positive(t, e.server.ReadHeaderTimeout)
	assert.Positive(t, e.server.ReadTimeout)
	assert.Positive(t, e.server.IdleTimeout)
	var slow []net.Conn
	for range 9 {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", e.listener.Addr().String())
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		_, err = io.WriteString(conn, "POST /api/v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nq")
		require.NoError(t, err)
		slow = append(slow, conn)
	}
	require.NoError(t, slow[0].SetReadDeadline(clock.Deadline(time.Minute)))
	_, err := slow[0].Read(make([]byte, 1))
	assert.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the oldest that sends slowly is closed at once")
	require.Error(t, err)
	assert.Equal(t, http.StatusOK, raw(t, e, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"), "probes find a place")
}

// TestBodies: a body that is too long, even after decompression, or incomplete is refused in the form that the path's clients read.
func TestBodies(t *testing.T) {
	h := plainHost{component.MustNewID("tsdb"): &webtest.Prometheus{}}
	e := start(t, h, func(c *Config) { c.HTTP.MaxRequestBodySize = 100 })
	h[component.NewID(componentType)] = e
	packed := func(text string) io.Reader {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = io.WriteString(w, text)
		_ = w.Close()
		return &b
	}
	long := strings.Repeat("x", 101)
	for _, c := range []struct {
		path     string
		body     io.Reader
		encoding string
		status   int
		says     string
	}{
		{"api/v1/query", strings.NewReader(long[:100]), "", 200, `"status":"success"`},
		{"api/v1/query", packed(long[:100]), "gzip", 200, `"status":"success"`},
		{"api/v1/query", strings.NewReader(long), "", 413, `"errorType":"bad_data","error":"The request's body has more than 100 bytes (web::max_request_body_size)`},
		{"api/v1/query", packed(long), "gzip", 413, "more than 100 bytes"},
		{"api/v1/query", io.LimitReader(packed(long[:100]), 20), "gzip", 400, "The request's body cannot be read"},
		{"api/sampling/v1/drain", strings.NewReader(long), "", 413, `"detail":"The request's body has more than 100 bytes`},
	} {
		answer, body := send(t, http.MethodPost, e.url()+c.path, c.body, "Content-Encoding", c.encoding)
		assert.Equal(t, c.status, answer.StatusCode, body)
		assert.Contains(t, body, c.says)
	}
}

// TestRefusedRequestsAreCounted: refused requests are counted by reason.
func TestRefusedRequestsAreCounted(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	set := metadatatest.NewSettings(telemetry)
	cfg := createDefaultConfig().(*Config)
	cfg.HTTP.NetAddr.Endpoint = "127.0.0.1:0"
	e := newExtension(set, cfg, webtest.Pages)
	require.NoError(t, e.Start(t.Context(), plainHost{}))
	t.Cleanup(func() { require.NoError(t, e.Shutdown(context.Background())) })
	assert.Equal(t, 421, raw(t, e, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"))
	assert.Equal(t, 403, raw(t, e, "GET /api/x HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\n\r\n"))
	assert.Equal(t, 403, raw(t, e, "POST /api/x HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 1.2.3.4\r\nContent-Length: 0\r\n\r\n"))
	point := func(r doors.Reason) metricdata.DataPoint[int64] {
		return metricdata.DataPoint[int64]{Value: 1, Attributes: attribute.NewSet(attribute.String("reason", string(r)))}
	}
	metadatatest.AssertEqualExtensionWebRefusedRequests(t, telemetry, []metricdata.DataPoint[int64]{
		point(doors.ReasonHost), point(doors.ReasonForeignPage), point(doors.ReasonNoOperator),
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

// TestOpenMetrics: if the dashboard requires credentials and the gateway's own metrics do not, the start warns.
func TestOpenMetrics(t *testing.T) {
	notified := func(change func(*Config), address string) []string {
		core, logs := observer.New(zap.InfoLevel)
		cfg := createDefaultConfig().(*Config)
		change(cfg)
		set := extensiontest.NewNopSettings(componentType)
		set.Logger = zap.New(core)
		e := newExtension(set, cfg, webtest.Pages)
		snapshot := extensioncapabilities.NewConfigSnapshot(confmap.NewFromStringMap(map[string]any{"service": map[string]any{"telemetry": map[string]any{
			"metrics": map[string]any{"readers": []any{map[string]any{"pull": map[string]any{"exporter": map[string]any{"prometheus": map[string]any{
				"host": address, "port": 8888}}}}}}}}}), nil)
		require.NoError(t, e.NotifyConfigSnapshot(t.Context(), snapshot))
		var said []string
		for _, l := range logs.All() {
			said = append(said, l.Message)
		}
		return said
	}
	assert.Empty(t, notified(func(*Config) {}, "0.0.0.0"))
	for _, address := range []string{"127.0.0.1", "localhost", "::1"} {
		assert.Empty(t, notified(withAuth, address), address)
	}
	for _, address := range []string{"0.0.0.0", "10.0.0.1", "gateway.example", ""} {
		said := notified(withAuth, address)
		require.Len(t, said, 1, address)
		assert.Contains(t, said[0], "scrape /metrics of web")
	}
}
