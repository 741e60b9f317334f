package otlp

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// dial connects to an address, over TLS or not, with a protocol for clients that negotiate one.
type dial func(ctx context.Context, address, protocol string) (net.Conn, error)

// told is the sender's result: success, or an advice. Failed means that the connection failed.
type told struct {
	ok, failed bool
	advice     string
}

// senders send three spans, or an equivalent, to a port. They are real clients, which dial by themselves.
var senders = []struct {
	name, protocol string // the client's protocol, as ALPN names it
	grpc           bool
	reason         string // of a request to a port that does not serve it
	send           func(t *testing.T, ctx context.Context, address string, to dial) told
}{
	{name: "HTTP/1", protocol: "http/1.1", send: overHTTP1("/v1/traces", "application/x-protobuf")},
	{name: "HTTP/2", protocol: "h2", send: overHTTP2("/v1/traces", "application/x-protobuf")},
	{name: "gRPC", protocol: "h2", grpc: true, send: overGRPC("/opentelemetry.proto.collector.trace.v1.TraceService/Export")},
	{name: "Zipkin", protocol: "http/1.1", reason: "zipkin", send: overHTTP1("/api/v2/spans", "application/json")},
	{name: "Zipkin over HTTP/2", protocol: "h2", reason: "zipkin", send: overHTTP2("/api/v2/spans", "application/json")},
	{name: "Jaeger", protocol: "http/1.1", reason: "jaeger", send: overHTTP1("/api/traces", "application/x-thrift")},
	{name: "Jaeger over gRPC", protocol: "h2", grpc: true, reason: "jaeger", send: overGRPC("/jaeger.api_v2.CollectorService/PostSpans")},
}

func overHTTP1(path, contentType string) func(*testing.T, context.Context, string, dial) told {
	return func(t *testing.T, ctx context.Context, address string, to dial) told {
		connect := func(ctx context.Context, _, address string) (net.Conn, error) { return to(ctx, address, "http/1.1") }
		transport := &http.Transport{DialContext: connect, DialTLSContext: connect}
		defer transport.CloseIdleConnections()
		return post(t, ctx, transport, address, path, contentType)
	}
}

func overHTTP2(path, contentType string) func(*testing.T, context.Context, string, dial) told {
	return func(t *testing.T, ctx context.Context, address string, to dial) told {
		transport := &http2.Transport{AllowHTTP: true, DialTLSContext: func(ctx context.Context, _, address string, _ *tls.Config) (net.Conn, error) {
			return to(ctx, address, "h2")
		}}
		defer transport.CloseIdleConnections()
		return post(t, ctx, transport, address, path, contentType)
	}
}

// post sends a request and returns the text of the answer.
func post(t *testing.T, ctx context.Context, transport http.RoundTripper, address, path, contentType string) told {
	td, _ := someTraces(3, false)
	body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	require.NoError(t, err)
	// The dialer decides on TLS: the scheme has no effect here.
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+path, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", contentType)
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return told{failed: true, advice: err.Error()}
	}
	defer func() { require.NoError(t, resp.Body.Close()) }()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return told{ok: resp.StatusCode == http.StatusOK, advice: string(answer)}
}

func overGRPC(method string) func(*testing.T, context.Context, string, dial) told {
	return func(t *testing.T, ctx context.Context, address string, to dial) told {
		conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) { return to(ctx, address, "h2") }))
		require.NoError(t, err)
		defer func() { require.NoError(t, conn.Close()) }()
		td, _ := someTraces(3, false)
		body, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
		require.NoError(t, err)
		err = conn.Invoke(ctx, method, body, new([]byte), grpc.ForceCodecV2(rawCodec{}))
		switch status.Code(err) {
		case codes.OK:
			return told{ok: true}
		case codes.Unavailable:
			return told{failed: true, advice: err.Error()}
		default:
			return told{advice: status.Convert(err).Message()}
		}
	}
}

// TestFirstContact sends by every client, with TLS or without, to every port, with TLS or without: supported requests are served,
// and the others get an advice, are counted, and logged once.
func TestFirstContact(t *testing.T) {
	cert, key, pool := certificate(t)
	conf := &tls.Config{RootCAs: pool, ServerName: "example.com", MinVersion: tls.VersionTLS12}
	overTLS := func(negotiates bool) dial {
		return func(ctx context.Context, address, protocol string) (net.Conn, error) {
			own := conf.Clone()
			if negotiates {
				own.NextProtos = []string{protocol}
			}
			return (&tls.Dialer{Config: own}).DialContext(ctx, "tcp", address)
		}
	}
	wires := []struct {
		name            string
		tls, negotiates bool
		dial            dial
	}{
		{"TLS", true, true, overTLS(true)},
		{"TLS that negotiates nothing", true, false, overTLS(false)},
		{"plain", false, false, func(ctx context.Context, address, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		}},
	}
	for _, secured := range []bool{true, false} {
		layer, scheme := map[string]any{}, "http"
		if secured {
			with := map[string]any{"tls": map[string]any{"cert_file": cert, "key_file": key}}
			layer, scheme = map[string]any{"protocols": map[string]any{"grpc": with, "http": with}}, "https"
		}
		for _, port := range []string{"gRPC", "HTTP"} {
			for _, sender := range senders {
				for _, wire := range wires {
					name := map[bool]string{true: "secured ", false: "plain "}[secured] + port + " port/" + sender.name + "/" + wire.name
					t.Run(name, func(t *testing.T) {
						g := start(t, layer)
						url := scheme + "://127.0.0.1:" + portOf(t, g.address("HTTP"))
						if sender.grpc {
							url = scheme + "://127.0.0.1:" + portOf(t, g.address("gRPC"))
						}
						transport := map[string]string{"gRPC": "grpc", "HTTP": "http"}[port]
						var reason, advice string
						switch {
						case wire.tls && !secured:
							reason, advice = "tls_on_plain_port", "write http:// instead of https://"
						case sender.reason != "":
							reason, advice = sender.reason, "OTEL_TRACES_EXPORTER=otlp"
						case !wire.tls && secured:
							reason, advice = "plain_on_tls_port", "came without: set OTEL_EXPORTER_OTLP_ENDPOINT="+url+", and OTEL_EXPORTER_OTLP_CERTIFICATE"
						case sender.grpc && port == "HTTP":
							reason, advice = "grpc_on_http_port", "OTEL_EXPORTER_OTLP_ENDPOINT="+url
						case !sender.grpc && port == "gRPC":
							reason, advice = "http_on_grpc_port", "OTEL_EXPORTER_OTLP_ENDPOINT="+url
						case !sender.grpc && sender.protocol == "h2" && wire.tls && !wire.negotiates:
							reason, advice = "http2_not_negotiated", "offer h2 by ALPN"
						}
						const times = 2
						for range times {
							ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
							got := sender.send(t, ctx, g.address(port), wire.dial)
							cancel()
							assert.Equal(t, reason == "", got.ok, "%+v", got)
							assert.Equal(t, reason == "tls_on_plain_port", got.failed, "%+v", got)
							if !got.failed {
								assert.Contains(t, got.advice, advice)
							}
						}
						if reason == "" {
							assert.Len(t, g.take(), 3*times)
							assert.Empty(t, g.misdirected())
							assert.Empty(t, g.logs.FilterMessageSnippet("not for this port").All())
							return
						}
						assert.Empty(t, g.take())
						counted := g.misdirected()
						assert.Len(t, counted, 1)
						n := counted[transport+" "+reason]
						assert.GreaterOrEqual(t, n, int64(times), "%v", counted)
						if reason != "tls_on_plain_port" || !sender.grpc { // a gRPC client reconnects by itself
							assert.EqualValues(t, times, n)
						}
						logged := g.logs.FilterMessageSnippet("not for this port").All()
						require.Len(t, logged, 1, "once")
						assert.Contains(t, logged[0].ContextMap()["advice"], advice)
						assert.Equal(t, transport, logged[0].ContextMap()["transport"])
						assert.Empty(t, g.logs.FilterMessageSnippet("handshake error").All(), "nothing else is logged at each connection")
					})
				}
			}
		}
	}
}

// TestPlainHandshake checks what a client with TLS gets from a port without: an error that says that the port has no TLS, and not
// that TLS failed.
func TestPlainHandshake(t *testing.T) {
	g := start(t, nil)
	for _, port := range []string{"gRPC", "HTTP"} {
		_, err := (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}).DialContext(t.Context(), "tcp", g.address(port))
		assert.ErrorAs(t, err, new(tls.RecordHeaderError), port)
		assert.ErrorContains(t, err, "first record does not look like a TLS handshake", port)
	}
}

// TestPortsWithTLSThatAreOff checks that a sender without TLS is not directed to a port that is off.
func TestPortsWithTLSThatAreOff(t *testing.T) {
	cert, key, _ := certificate(t)
	with := map[string]any{"tls": map[string]any{"cert_file": cert, "key_file": key}}
	plain := func(ctx context.Context, address, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
	g := start(t, map[string]any{"protocols": map[string]any{"grpc": with, "http": map[string]any{"enabled": false}}})
	got := senders[0].send(t, t.Context(), g.address("gRPC"), plain)
	assert.Contains(t, got.advice, "set OTEL_EXPORTER_OTLP_ENDPOINT=https://127.0.0.1:"+portOf(t, g.address("gRPC"))+" and OTEL_EXPORTER_OTLP_PROTOCOL=grpc")
}
