package export_test

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	_ "github.com/slowburn/slowburn/internal/grpcgzip"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/otlp/export"
)

// reply is a backend's answer to a request. The zero reply is success.
type reply struct {
	status   int // for HTTP
	header   http.Header
	body     string
	grpc     error
	rejected int64
	why      string
}

// backend is a server of OTLP on loopback, over gRPC or HTTP. It keeps what it accepts.
type backend struct {
	t        testing.TB
	endpoint string
	caFile   string // with TLS

	mu       sync.Mutex
	answer   func(request, size int) reply // may be nil
	requests int
	sizes    []int // uncompressed, of accepted requests
	spans    []ptrace.Traces
	header   http.Header // of the last request
}

// take counts a request and returns its answer.
func (b *backend) take(td ptrace.Traces, size int, h http.Header) reply {
	b.mu.Lock()
	defer b.mu.Unlock()
	var r reply
	if b.answer != nil {
		r = b.answer(b.requests, size)
	}
	b.requests++
	b.header = h
	if r.grpc == nil && r.status == 0 {
		b.sizes = append(b.sizes, size)
		b.spans = append(b.spans, td)
	}
	return r
}

// arrived returns the distinct accepted spans, and their number with duplicates.
func (b *backend) arrived() (spans []string, all int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, td := range b.spans {
		all += td.SpanCount()
		spans = append(spans, canonical(b.t, td)...)
	}
	return sorted(spans), all
}

type traceServer struct {
	*ptraceotlp.UnimplementedGRPCServer
	b *backend
}

func (s traceServer) Export(ctx context.Context, req ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	content, err := req.MarshalProto()
	if err != nil {
		return ptraceotlp.NewExportResponse(), err
	}
	md, _ := metadata.FromIncomingContext(ctx)
	r := s.b.take(req.Traces(), len(content), http.Header(md))
	return response(r), r.grpc
}

func response(r reply) ptraceotlp.ExportResponse {
	resp := ptraceotlp.NewExportResponse()
	if r.rejected != 0 || r.why != "" {
		resp.PartialSuccess().SetRejectedSpans(r.rejected)
		resp.PartialSuccess().SetErrorMessage(r.why)
	}
	return resp
}

func newGRPCBackend(t testing.TB, opts ...grpc.ServerOption) *backend {
	t.Helper()
	b := &backend{t: t}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b.endpoint = l.Addr().String()
	s := grpc.NewServer(opts...)
	ptraceotlp.RegisterGRPCServer(s, traceServer{b: b})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		s.Stop()
		<-done
	})
	return b
}

// withTLS returns the options of a gRPC server with TLS, and the CA file that clients trust.
func withTLS(t testing.TB) (grpc.ServerOption, string) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler()) // used for its certificate
	defer s.Close()
	return grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: s.TLS.Certificates, NextProtos: []string{"h2"}})), caFile(t, s)
}

func caFile(t testing.TB, s *httptest.Server) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600))
	return file
}

func newHTTPBackend(t testing.TB, encrypted bool) *backend {
	t.Helper()
	b := &backend{t: t}
	s := httptest.NewUnstartedServer(http.HandlerFunc(b.serve))
	if encrypted {
		s.StartTLS()
		b.caFile = caFile(t, s)
	} else {
		s.Start()
	}
	b.endpoint = s.URL
	t.Cleanup(s.Close)
	return b
}

func (b *backend) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/v1/traces" {
		http.NotFound(w, r)
		return
	}
	in := io.Reader(r.Body)
	switch r.Header.Get("Content-Encoding") {
	case "gzip":
		in, _ = gzip.NewReader(r.Body)
	case "zstd":
		in, _ = zstd.NewReader(r.Body)
	}
	content, err := io.ReadAll(in)
	req := ptraceotlp.NewExportRequest()
	json := r.Header.Get("Content-Type") == "application/json"
	if err == nil && json {
		err = req.UnmarshalJSON(content)
	} else if err == nil {
		err = req.UnmarshalProto(content)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	to := b.take(req.Traces(), len(content), r.Header)
	for key, values := range to.header {
		w.Header()[key] = values
	}
	if to.status != 0 {
		w.WriteHeader(to.status)
		_, _ = io.WriteString(w, to.body)
		return
	}
	w.Header().Set("Content-Type", r.Header.Get("Content-Type"))
	marshal := response(to).MarshalProto
	if json {
		marshal = response(to).MarshalJSON
	}
	content, _ = marshal()
	_, _ = w.Write(content)
}

// running is a started exporter.
type running struct {
	exporter.Traces
	id   component.ID
	tel  *componenttest.Telemetry
	logs *observer.ObservedLogs
}

// host is a host with extensions.
type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// run starts an exporter with the keys of a configuration.
func run(t testing.TB, f exporter.Factory, h component.Host, keys map[string]any) running {
	t.Helper()
	r := running{id: component.MustNewIDWithName(f.Type().String(), "backend"), tel: componenttest.NewTelemetry()}
	var core zap.Option
	core, r.logs = observed()
	set := exportertest.NewNopSettings(f.Type())
	set.ID = r.id
	set.TelemetrySettings = r.tel.NewTelemetrySettings()
	set.Logger = zap.NewNop().WithOptions(core)
	var err error
	r.Traces, err = f.CreateTraces(context.Background(), set, configOf(t, f, keys))
	require.NoError(t, err)
	require.NoError(t, r.Start(context.Background(), h))
	t.Cleanup(func() {
		require.NoError(t, r.Shutdown(context.Background()))
		require.NoError(t, r.tel.Shutdown(context.Background()))
	})
	return r
}

func configOf(t testing.TB, f exporter.Factory, keys map[string]any) component.Config {
	t.Helper()
	cfg := f.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(keys).Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	return cfg
}

// send passes a Kept to its exporter.
func (r running) send(k *wire.Kept) error {
	k.To = r.id.String()
	return r.ConsumeTraces(wire.NewKeptContext(context.Background(), k), ptrace.NewTraces())
}

// door is one transport of traces.
type door struct {
	name    string
	factory func() exporter.Factory
	backend func(t testing.TB) *backend
	keys    map[string]any
}

func (d door) run(t testing.TB, keys map[string]any) (*backend, running) {
	t.Helper()
	b := d.backend(t)
	conf := confmap.NewFromStringMap(map[string]any{"endpoint": b.endpoint})
	require.NoError(t, conf.Merge(confmap.NewFromStringMap(d.keys)))
	require.NoError(t, conf.Merge(confmap.NewFromStringMap(keys)))
	return b, run(t, d.factory(), componenttest.NewNopHost(), conf.ToStringMap())
}

func doors() []door {
	overGRPC := func(t testing.TB) *backend { return newGRPCBackend(t, grpc.MaxRecvMsgSize(64<<20)) }
	overHTTP := func(t testing.TB) *backend { return newHTTPBackend(t, false) }
	plain := map[string]any{"insecure": true}
	return []door{
		{"grpc", export.NewGRPCFactory, overGRPC, map[string]any{"tls": plain, "compression": "none"}},
		{"grpc gzip", export.NewGRPCFactory, overGRPC, map[string]any{"tls": plain}},
		{"grpc snappy", export.NewGRPCFactory, overGRPC, map[string]any{"tls": plain, "compression": "snappy"}},
		{"http", export.NewHTTPFactory, overHTTP, map[string]any{"compression": "none"}},
		{"http gzip", export.NewHTTPFactory, overHTTP, nil},
		{"http zstd", export.NewHTTPFactory, overHTTP, map[string]any{"compression": "zstd"}},
		{"http json", export.NewHTTPFactory, overHTTP, map[string]any{"encoding": "json"}},
	}
}

// plainDoors are one over gRPC and one over HTTP.
func plainDoors() []door {
	all := doors()
	return []door{all[0], all[3]}
}

func observed() (zap.Option, *observer.ObservedLogs) {
	core, logs := observer.New(zap.DebugLevel)
	return wrap(core), logs
}
