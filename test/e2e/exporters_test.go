//go:build e2e

package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc/codes"
)

// The exporters have the features of the Collector's: TLS, credentials by an extension, headers, compression, balancing.
func TestExportersSpeakAsTheCollectorsDo(t *testing.T) {
	t.Parallel()
	certificate, key := selfSigned(t)
	b := startBackend(t, "--certificate", certificate, "--key", key, "--token", "secret")
	secured := `tls: {ca_file: "` + certificate + `"}, auth: {authenticator: bearertokenauth}, `
	all := []exporter{
		{id: "otlp_grpc/plain", endpoint: b.grpc, options: secured + "compression: none, headers: {tenant: otlp_grpc/plain}"},
		{id: "otlp_grpc/gzip", endpoint: b.grpc, options: secured + "compression: gzip, headers: {tenant: otlp_grpc/gzip}"},
		{id: "otlp_grpc/balanced", endpoint: "dns:///" + b.grpc, options: secured + "balancer_name: round_robin, headers: {tenant: otlp_grpc/balanced}"},
		{id: "otlp_http/plain", endpoint: "https://" + b.http, options: secured + "compression: none, headers: {tenant: otlp_http/plain}"},
		{id: "otlp_http/gzip", endpoint: "https://" + b.http, options: secured + "compression: gzip, headers: {tenant: otlp_http/gzip}"},
		{id: "otlp_http/path", endpoint: "https://" + b.http, options: secured + `traces_endpoint: "https://` + b.http + `/v1/traces", headers: {tenant: otlp_http/path}`},
	}
	wrong := []exporter{
		{id: "otlp_grpc/stranger", endpoint: b.grpc, options: `tls: {ca_file: "` + certificate + `"}`},
		{id: "otlp_http/stranger", endpoint: "https://" + b.http, options: `tls: {ca_file: "` + certificate + `"}`},
	}
	g := startExporting(t, "yaml:{extensions: {bearertokenauth: {token: secret}}, service: {extensions: [tsdb, slo, web, bearertokenauth]}}",
		exporters(append(all, wrong...)...))
	sent := newTraffic(74).traces(20, boring)
	g.sendAll(t, sent)
	want := content(t, sent...)
	for _, e := range all {
		if b.awaitAll(t, soon, sent, e.id) {
			assert.Equal(t, want, content(t, b.spans(t, e.id)), e.id)
		}
	}
	for _, e := range wrong {
		assert.Eventually(t, func() bool { return g.destinations(t).of(t, e.id).State == "refuses_gateway" }, soon, 100*time.Millisecond, e.id)
	}
}

// selfSigned writes a self-signed certificate for 127.0.0.1.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "backend"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:        true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	dir := t.TempDir()
	certificate, key = filepath.Join(dir, "certificate.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	return certificate, key
}

// With `attributes: off` the gateway adds only the threshold to kept traces, which counts need.
func TestMarksCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	g := startExporting(t, "yaml:processors::tail_sampling::attributes: off", exporters(exporter{id: "otlp_grpc/backend", endpoint: b.grpc}))
	sent := newTraffic(75).traces(20, boring)
	g.sendAll(t, sent)
	b.awaitAll(t, soon, sent)
	received := b.spans(t)
	for _, rs := range received.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			assert.Zero(t, ss.Scope().Attributes().Len())
			for _, span := range ss.Spans().All() {
				assert.Contains(t, span.TraceState().AsRaw(), "ot=th:0")
				assert.Equal(t, 8, span.Attributes().Len(), "a span has only the attributes that it was sent with")
			}
		}
	}
}

// Traces for which a backend always answers that it is busy wait apart: the others arrive, and no trace is lost.
func TestBusyForSomeTracesHoldsUpNoOther(t *testing.T) {
	parallelHeavy(t)
	b := startBackend(t)
	tenants := []string{"grpc", "http"}
	g := startExporting(t, exporters(
		exporter{id: "otlp_grpc/busy", endpoint: b.grpc, options: "headers: {tenant: grpc}"},
		exporter{id: "otlp_http/busy", endpoint: b.http, options: "headers: {tenant: http}"},
	))
	sent := newTraffic(76).traces(16, boring)
	var rules []rule
	var others []ptrace.Traces
	for i, td := range sent {
		if i%5 == 0 {
			rules = append(rules, rule{TraceID: traceID(td).String(), Code: codes.Unavailable, Status: http.StatusServiceUnavailable, Text: "busy"})
		} else {
			others = append(others, td)
		}
	}
	for _, tenant := range tenants {
		b.answerTenant(t, tenant, rules...)
	}
	started := time.Now()
	g.sendAll(t, sent[:1]) // the backend has not accepted any trace before
	<-time.After(time.Second)
	g.sendAll(t, sent[1:])
	for _, tenant := range tenants {
		b.awaitAll(t, 2*soon, others, tenant)
	}
	t.Logf("the others arrived after %s", time.Since(started).Round(100*time.Millisecond))
	for _, d := range g.destinations(t).Destinations {
		assert.Zero(t, d.RefusedTraces, d.Destination)
	}
	for _, tenant := range tenants {
		b.answerTenant(t, tenant)
	}
	for _, tenant := range tenants {
		b.awaitAll(t, 2*soon, sent, tenant)
	}
}

// While a backend answers every request with 500, no trace is refused permanently, and none is lost.
func TestFailingForAWhileRefusesNothing(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	tenants := []string{"grpc", "http"}
	g := startExporting(t, exporters(
		exporter{id: "otlp_grpc/failing", endpoint: b.grpc, options: "headers: {tenant: grpc}"},
		exporter{id: "otlp_http/failing", endpoint: b.http, options: "headers: {tenant: http}"},
	))
	made := newTraffic(77)
	sent := made.traces(10, boring)
	g.sendAll(t, sent)
	for _, tenant := range tenants {
		b.awaitAll(t, soon, sent, tenant)
		b.answerTenant(t, tenant, rule{Code: codes.Internal, Status: http.StatusInternalServerError, Text: "oops"})
	}
	for range 6 {
		some := made.traces(3, boring)
		g.sendAll(t, some)
		sent = append(sent, some...)
		<-time.After(time.Second)
	}
	for _, d := range g.destinations(t).Destinations {
		assert.Zero(t, d.RefusedTraces, d.Destination)
	}
	for _, tenant := range tenants {
		b.answerTenant(t, tenant)
	}
	for _, tenant := range tenants {
		b.awaitAll(t, soon, sent, tenant)
	}
	for _, d := range g.destinations(t).Destinations {
		assert.Zero(t, d.RefusedTraces, d.Destination)
	}
}
