package otlp

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
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
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// misdirected returns how many requests were counted, by transport and reason.
func (g *gateway) misdirected() map[string]int64 {
	g.t.Helper()
	counted := map[string]int64{}
	m, err := g.tel.GetMetric("otelcol_receiver_otlp_misdirected_requests")
	if err != nil {
		return counted
	}
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		reason, _ := p.Attributes.Value(attribute.Key("reason"))
		transport, _ := p.Attributes.Value(attribute.Key("transport"))
		counted[transport.AsString()+" "+reason.AsString()] = p.Value
	}
	return counted
}

// portOf returns the port of an address.
func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	return port
}

// TestHTTPOnGRPCPort posts to the gRPC port, and checks that gRPC continues there.
func TestHTTPOnGRPCPort(t *testing.T) {
	g := start(t, nil)
	want := "this port takes OTLP over gRPC, and the request is HTTP: set OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:" +
		portOf(t, g.address("HTTP")) + ", or OTEL_EXPORTER_OTLP_PROTOCOL=grpc to keep this port"
	requests := 0
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodOptions} {
		for _, contentType := range []string{"application/x-protobuf", "application/json"} {
			for _, size := range []int{0, 100, 3 << 20} {
				req, err := http.NewRequestWithContext(t.Context(), method, "http://"+g.address("gRPC")+"/v1/traces", bytes.NewReader(make([]byte, size)))
				require.NoError(t, err)
				req.Header.Set("Content-Type", contentType)
				got := g.do(req)
				assert.Equal(t, http.StatusBadRequest, got.code)
				assert.Equal(t, want, got.status.Message())
				assert.Equal(t, contentType, got.encoding)
				requests++
			}
		}
	}
	assert.Equal(t, map[string]int64{"grpc http_on_grpc_port": int64(requests)}, g.misdirected())
	logged := g.logs.FilterMessageSnippet("not for this port").All()
	require.Len(t, logged, 1, "once, not at each request")
	assert.Equal(t, want, logged[0].ContextMap()["advice"])
	td, ids := someTraces(3, false)
	assert.Equal(t, codes.OK, g.send("grpc", "", td).status.Code())
	assert.Equal(t, ids, g.take())
}

// TestHTTP2OnGRPCPort checks that HTTP/2 without gRPC is answered if the request comes with the first bytes of the connection.
func TestHTTP2OnGRPCPort(t *testing.T) {
	g := start(t, nil)
	var begin, block bytes.Buffer
	begin.WriteString(http2.ClientPreface)
	framer := http2.NewFramer(&begin, nil)
	require.NoError(t, framer.WriteSettings())
	headers := hpack.NewEncoder(&block)
	for _, f := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":authority", g.address("gRPC")}, {":path", "/v1/traces"}, {"content-type", "application/x-protobuf"},
	} {
		require.NoError(t, headers.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}))
	}
	require.NoError(t, framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true}))
	conn, err := net.Dial("tcp", g.address("gRPC"))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	_, err = conn.Write(begin.Bytes())
	require.NoError(t, err)
	answers := http2.NewFramer(io.Discard, conn)
	answers.ReadMetaHeaders = hpack.NewDecoder(4<<10, nil)
	status := ""
	for status == "" {
		frame, err := answers.ReadFrame()
		require.NoError(t, err)
		if answer, ok := frame.(*http2.MetaHeadersFrame); ok {
			status = answer.PseudoValue("status")
		}
	}
	assert.Equal(t, "400", status)
	assert.Equal(t, map[string]int64{"grpc http_on_grpc_port": 1}, g.misdirected())
	logged := g.logs.FilterMessageSnippet("not for this port").All()
	require.Len(t, logged, 1)
	assert.Contains(t, logged[0].ContextMap()["advice"], "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:"+portOf(t, g.address("HTTP")))
	assert.Equal(t, "/v1/traces", logged[0].ContextMap()["request"])
}

// TestGRPCOnHTTPPort calls the HTTP port, and checks that HTTP continues there.
func TestGRPCOnHTTPPort(t *testing.T) {
	g := start(t, nil)
	conn, err := grpc.NewClient(g.address("HTTP"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	td, ids := someTraces(3, false)
	for range 3 {
		_, err = ptraceotlp.NewGRPCClient(conn).Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(td))
		assert.Equal(t, codes.InvalidArgument, status.Code(err), "final, so that the sender logs it at once")
		assert.Equal(t, "this port takes OTLP over HTTP, and the request is gRPC: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or "+
			"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:"+portOf(t, g.address("gRPC"))+" to keep gRPC", status.Convert(err).Message())
	}
	assert.Equal(t, map[string]int64{"http grpc_on_http_port": 3}, g.misdirected())
	assert.Len(t, g.logs.FilterMessageSnippet("not for this port").All(), 1)
	assert.Equal(t, http.StatusOK, g.send("protobuf", "gzip", td).code)
	assert.Equal(t, ids, g.take())
}

// TestUnservedPaths posts to the paths of other protocols and signals.
func TestUnservedPaths(t *testing.T) {
	g := start(t, nil)
	httpURL := "http://127.0.0.1:" + portOf(t, g.address("HTTP"))
	for _, tt := range []struct{ method, path, contentType, reason, advice string }{
		{"POST", "/api/v2/spans", "application/json", "zipkin", "OTEL_TRACES_EXPORTER=otlp"},
		{"POST", "/api/v1/spans", "application/x-thrift", "zipkin", "zipkin receiver"},
		{"POST", "/api/traces", "application/x-thrift", "jaeger", "jaeger receiver"},
		{"POST", "/v1/logs", "application/x-protobuf", "otlp_logs", "OTEL_LOGS_EXPORTER=none"},
		{"POST", "/v1development/profiles", "application/x-protobuf", "otlp_profiles", "profiles are not taken"},
		{"POST", "/", "application/x-protobuf", "otlp_path", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=" + httpURL + "/v1/traces"},
		{"POST", "/v1/traces/v1/traces", "application/json", "otlp_path", "OTEL_EXPORTER_OTLP_ENDPOINT=" + httpURL + ","},
		{"GET", "/", "", "unknown", "POST to /v1/traces and /v1/metrics"},
		{"POST", "/anything", "text/plain", "unknown", "/anything is not served"},
	} {
		for range 2 {
			req, err := http.NewRequestWithContext(t.Context(), tt.method, "http://"+g.address("HTTP")+tt.path, strings.NewReader("[]"))
			require.NoError(t, err)
			req.Header.Set("Content-Type", tt.contentType)
			before := g.misdirected()["http "+tt.reason]
			got := g.do(req)
			assert.Equal(t, http.StatusNotFound, got.code, tt.path)
			assert.Contains(t, got.status.Message(), tt.advice)
			assert.Equal(t, before+1, g.misdirected()["http "+tt.reason], tt.path)
		}
	}
	assert.Len(t, g.logs.FilterMessageSnippet("not for this port").All(), 6, "once for each reason")
}

// TestUnservedServices calls gRPC services of other signals and protocols.
func TestUnservedServices(t *testing.T) {
	g := start(t, nil)
	_, err := plogotlp.NewGRPCClient(g.grpc).Export(t.Context(), plogotlp.NewExportRequest())
	assert.Equal(t, codes.Unimplemented, status.Code(err))
	assert.ErrorContains(t, err, "OTEL_LOGS_EXPORTER=none")
	for _, tt := range []struct{ method, reason, advice string }{
		{"/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export", "otlp_profiles", "profiles are not taken"},
		{"/jaeger.api_v2.CollectorService/PostSpans", "jaeger", "jaeger receiver"},
		{"/zipkin.proto3.SpanService/Report", "zipkin", "zipkin receiver"},
		{"/some.Service/Do", "unknown", "/some.Service/Do is not served"},
		{"/opentelemetry.proto.collector.trace.v1.TraceService/Import", "", "unknown method Import"}, // gRPC's own answer
	} {
		err := g.grpc.Invoke(t.Context(), tt.method, []byte{}, new([]byte), grpc.ForceCodecV2(rawCodec{}))
		assert.Equal(t, codes.Unimplemented, status.Code(err), tt.method)
		if tt.reason != "" {
			assert.ErrorContains(t, err, tt.advice)
			assert.EqualValues(t, 1, g.misdirected()["grpc "+tt.reason], tt.method)
		}
	}
}

// TestPortsThatAreOff checks that no sender is directed to a port that is off.
func TestPortsThatAreOff(t *testing.T) {
	t.Run("HTTP", func(t *testing.T) {
		g := start(t, map[string]any{"protocols": map[string]any{"http": map[string]any{"enabled": false}}})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+g.address("gRPC")+"/v1/traces", nil)
		require.NoError(t, err)
		assert.Contains(t, g.do(req).status.Message(), "set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or add protocols::http")
	})
}

// TestTLSOnPlainPorts begins a TLS handshake on both ports.
func TestTLSOnPlainPorts(t *testing.T) {
	g := start(t, nil)
	for _, protocol := range []string{"gRPC", "HTTP"} {
		dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // there is no TLS to verify
		_, err := dialer.DialContext(t.Context(), "tcp", g.address(protocol))
		require.Error(t, err)
		reason := strings.ToLower(protocol) + " tls_on_plain_port"
		require.Eventually(t, func() bool { return g.misdirected()[reason] == 1 }, 10*time.Second, time.Millisecond)
	}
	logged := g.logs.FilterMessageSnippet("not for this port").All()
	require.Len(t, logged, 1)
	assert.Contains(t, logged[0].ContextMap()["advice"], "write http:// instead of https://")
}

// TestMisdirectedOverTLS checks that a port with TLS gives the same advice to HTTP/1 and to gRPC.
func TestMisdirectedOverTLS(t *testing.T) {
	cert, key, pool := certificate(t)
	withTLS := map[string]any{"tls": map[string]any{"cert_file": cert, "key_file": key}}
	g := start(t, map[string]any{"protocols": map[string]any{"grpc": withTLS, "http": withTLS}})
	conf := &tls.Config{RootCAs: pool, ServerName: "example.com", MinVersion: tls.VersionTLS12}

	onlyHTTP1 := conf.Clone()
	onlyHTTP1.NextProtos = []string{"http/1.1"}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: onlyHTTP1}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+g.address("gRPC")+"/v1/traces", strings.NewReader("x"))
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	assert.Contains(t, string(body), "OTEL_EXPORTER_OTLP_ENDPOINT=https://127.0.0.1:"+portOf(t, g.address("HTTP")))

	for protocol, want := range map[string]codes.Code{"HTTP": codes.InvalidArgument, "gRPC": codes.OK} {
		conn, err := grpc.NewClient(g.address(protocol), grpc.WithTransportCredentials(credentials.NewTLS(conf)))
		require.NoError(t, err)
		td, _ := someTraces(1, false)
		_, err = ptraceotlp.NewGRPCClient(conn).Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(td))
		assert.Equal(t, want, status.Code(err), "%s: %v", protocol, err)
		require.NoError(t, conn.Close())
	}
	assert.Len(t, g.take(), 1)
	assert.Equal(t, map[string]int64{"grpc http_on_grpc_port": 1, "http grpc_on_http_port": 1}, g.misdirected())
}

// certificate returns the files of a certificate for example.com, and of its CA.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pair := server.TLS.Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	require.NoError(t, err)
	cert, key = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	pool = x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return cert, key, pool
}

// slowly is a connection that sends each byte separately.
type slowly struct{ net.Conn }

func (c slowly) Write(b []byte) (int, error) {
	for i := range b {
		if _, err := c.Conn.Write(b[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

// TestSlowPreface checks that gRPC is recognised however its first bytes are split.
func TestSlowPreface(t *testing.T) {
	g := start(t, nil)
	conn, err := grpc.NewClient(g.address("gRPC"), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
			return slowly{c}, err
		}))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	td, ids := someTraces(2, false)
	_, err = ptraceotlp.NewGRPCClient(conn).Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(td))
	require.NoError(t, err)
	assert.Equal(t, ids, g.take())
}

// TestHalfARequest checks that a connection with an incomplete request does not delay the receiver's shutdown, and that bytes of
// no protocol cause no failure.
func TestHalfARequest(t *testing.T) {
	g := start(t, nil)
	for _, sent := range []string{"", "\x00\x01", "PRI * HTTP/1.0\r\n\r\n", "POST /v1/traces HTTP/1.1\r\nContent-Le", "P"} {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", g.address("gRPC"))
		require.NoError(t, err)
		_, err = fmt.Fprint(conn, sent)
		require.NoError(t, err)
		if len(sent) < 10 {
			require.NoError(t, conn.Close())
			continue
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	td, _ := someTraces(1, false)
	assert.Equal(t, codes.OK, g.send("grpc", "", td).status.Code())
}
