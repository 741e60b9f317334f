package export_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/bearertokenauthextension"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/xexporter"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/slowburn/slowburn/processor/otlp/export"
)

func nopSettings(f exporter.Factory) exporter.Settings { return exportertest.NewNopSettings(f.Type()) }

// bearer is a host with an extension that adds a token.
func bearer(t *testing.T) host {
	t.Helper()
	f := bearertokenauthextension.NewFactory()
	cfg := f.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"token": "secret"}).Unmarshal(cfg))
	ext, err := f.Create(t.Context(), extensiontest.NewNopSettings(f.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, ext.Shutdown(t.Context())) })
	return host{component.NewID(f.Type()): ext}
}

// TLS, headers, authentication and the user agent come from the Collector's clients.
func TestClients(t *testing.T) {
	creds, ca := withTLS(t)
	overGRPC := newGRPCBackend(t, creds)
	overGRPC.caFile = ca
	for name, test := range map[string]struct {
		factory exporter.Factory
		*backend
	}{
		"grpc": {export.NewGRPCFactory(), overGRPC},
		"http": {export.NewHTTPFactory(), newHTTPBackend(t, true)},
	} {
		t.Run(name, func(t *testing.T) {
			keys := map[string]any{
				"endpoint": test.endpoint, "tls": map[string]any{"ca_file": test.caFile, "server_name_override": "example.com"},
				"headers": map[string]any{"x-tenant": "one"}, "auth": map[string]any{"authenticator": "bearertokenauth"},
			}
			e := run(t, test.factory, bearer(t), keys)
			require.NoError(t, e.send(keptOf(t, traces(2))))
			require.Equal(t, []string{"one"}, values(test.header, "x-tenant"))
			require.Equal(t, []string{"Bearer secret"}, values(test.header, "authorization"))
			require.Contains(t, values(test.header, "user-agent")[0], "/")

			keys["tls"] = map[string]any{}
			stranger := run(t, test.factory, bearer(t), keys)
			require.ErrorContains(t, stranger.send(keptOf(t, traces(1))), "certificate signed by unknown authority")
		})
	}
	for _, f := range []exporter.Factory{export.NewGRPCFactory(), export.NewHTTPFactory()} {
		e, err := f.CreateTraces(t.Context(), nopSettings(f), configOf(t, f, map[string]any{
			"endpoint": "http://127.0.0.1:1", "auth": map[string]any{"authenticator": "bearertokenauth"},
		}))
		require.NoError(t, err)
		require.ErrorContains(t, e.Start(t.Context(), componenttest.NewNopHost()), "bearertokenauth")
		require.NoError(t, e.Shutdown(t.Context()))
	}
}

// values returns the values of a header in any case.
func values(h http.Header, name string) []string {
	for key, values := range h {
		if strings.EqualFold(key, name) {
			return values
		}
	}
	return nil
}

// A trace that exceeds the size limit of the Collector's receiver arrives at it whole.
func TestCollector(t *testing.T) {
	for _, protocol := range []string{"grpc", "http"} {
		t.Run(protocol, func(t *testing.T) {
			f := otlpreceiver.NewFactory()
			cfg := f.CreateDefaultConfig()
			address := freeAddress(t)
			require.NoError(t, confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{protocol: map[string]any{"endpoint": address}}}).Unmarshal(cfg))
			sink := new(consumertest.TracesSink)
			recv, err := f.CreateTraces(t.Context(), receivertest.NewNopSettings(f.Type()), cfg, sink)
			require.NoError(t, err)
			require.NoError(t, recv.Start(t.Context(), componenttest.NewNopHost()))
			defer func() { require.NoError(t, recv.Shutdown(t.Context())) }()

			factory, keys := export.NewGRPCFactory(), map[string]any{"endpoint": address, "tls": map[string]any{"insecure": true}}
			if protocol == "http" {
				factory, keys = export.NewHTTPFactory(), map[string]any{"endpoint": "http://" + address}
			}
			e := run(t, factory, componenttest.NewNopHost(), keys)
			td := traces(25_000, 10)
			k := keptOf(t, td)
			require.Greater(t, len(k.AppendRequest(nil, 0, len(k.Spans))), 12<<20)
			require.NoError(t, e.send(k))
			require.Equal(t, 25_010, sink.SpanCount())
			require.Greater(t, len(sink.AllTraces()), 3)
		})
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	return s.Listener.Addr().String()
}

// For decoded traces the Collector's queue and retries are used if they are configured.
func TestHelper(t *testing.T) {
	for _, d := range plainDoors() {
		t.Run(d.name, func(t *testing.T) {
			b, e := d.run(t, map[string]any{
				"sending_queue":    map[string]any{"enabled": true},
				"retry_on_failure": map[string]any{"enabled": true, "initial_interval": "1ms"},
			})
			b.answer = func(request, _ int) reply {
				if request < 2 {
					return reply{status: 503, grpc: status.Error(codes.Unavailable, "busy")}
				}
				return reply{}
			}
			require.NoError(t, e.ConsumeTraces(t.Context(), traces(3)), "the queue has it")
			require.Eventually(t, func() bool {
				_, all := b.arrived()
				return all == 3
			}, 10*time.Second, time.Millisecond)
			b.answer = func(int, int) reply { return reply{status: 503, grpc: status.Error(codes.Unavailable, "busy")} }
			require.Error(t, e.send(keptOf(t, traces(1))), "kept traces have their queue in the span log")
		})
	}
}

// Only redirects that repeat the request are followed: a web page that answers with 200 accepted nothing.
func TestRedirects(t *testing.T) {
	to := newHTTPBackend(t, false)
	for code, want := range map[int]string{http.StatusFound: "HTTP 302", http.StatusSeeOther: "HTTP 303", http.StatusTemporaryRedirect: "", http.StatusPermanentRedirect: ""} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, to.endpoint+r.URL.Path, code)
		}))
		e := run(t, export.NewHTTPFactory(), componenttest.NewNopHost(), map[string]any{"endpoint": s.URL + "/", "compression": "none"})
		err := e.send(keptOf(t, traces(700)))
		if want == "" {
			require.NoError(t, err, code)
		} else {
			require.ErrorContains(t, err, want)
		}
		s.Close()
	}
	_, all := to.arrived()
	require.Equal(t, 1400, all)
}

// An answer that comes before the request was read neither ends the process nor damages the request.
func TestEarlyAnswers(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer s.Close()
	e := run(t, export.NewHTTPFactory(), componenttest.NewNopHost(), map[string]any{"endpoint": s.URL, "compression": "none"})
	good, ok := plainDoors()[1].run(t, nil)
	td := traces(5000)
	want := sorted(canonical(t, td))
	for range 5 {
		require.Error(t, e.send(keptOf(t, td)))
		require.NoError(t, ok.send(keptOf(t, td)))
		got, _ := good.arrived()
		require.Equal(t, want, got)
		good.spans = nil
	}
}

// Metrics, logs and profiles are sent by the Collector's exporters.
func TestOtherSignals(t *testing.T) {
	paths := make(chan string, 10)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { paths <- r.URL.Path }))
	defer s.Close()
	f := export.NewHTTPFactory()
	cfg := configOf(t, f, map[string]any{"endpoint": s.URL})
	metrics, err := f.CreateMetrics(t.Context(), nopSettings(f), cfg)
	require.NoError(t, err)
	logs, err := f.CreateLogs(t.Context(), nopSettings(f), cfg)
	require.NoError(t, err)
	for _, c := range []component.Component{metrics, logs} {
		require.NoError(t, c.Start(t.Context(), componenttest.NewNopHost()))
		defer func() { require.NoError(t, c.Shutdown(t.Context())) }()
	}
	md := pmetric.NewMetrics()
	md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetName("m")
	require.NoError(t, metrics.ConsumeMetrics(t.Context(), md))
	require.Equal(t, "/v1/metrics", <-paths)
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("l")
	require.NoError(t, logs.ConsumeLogs(t.Context(), ld))
	require.Equal(t, "/v1/logs", <-paths)

	for _, f := range []exporter.Factory{f, export.NewGRPCFactory()} {
		cfg := configOf(t, f, map[string]any{"endpoint": s.URL})
		p, err := f.(xexporter.Factory).CreateProfiles(t.Context(), nopSettings(f), cfg)
		require.NoError(t, err)
		require.NotNil(t, p)
		m, err := f.CreateMetrics(t.Context(), nopSettings(f), cfg)
		require.NoError(t, err)
		require.NotNil(t, m)
	}
}
