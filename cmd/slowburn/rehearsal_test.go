package main

import (
	"context"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/otelcol"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/slowburn/slowburn/cmd/slowburn/internal/rehearsal"
)

// rehearsed is a configuration for which the Collector and its components warn at a start.
const rehearsed = `
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:0"}
      http:
        endpoint: "127.0.0.1:0"
        keep_alives_enabled: false
        cors: {allowed_headers: [X-One]}
processors:
  transform: {trace_statements: ['set(span.attributes["a"], nil)']}
exporters:
  debug: {}
  otlphttp: {endpoint: "http://127.0.0.1:1", max_idle_conns: 7}
  prometheusremotewrite: {endpoint: "http://127.0.0.1:1", max_idle_conns: 7, add_metric_suffixes: false, remote_write_queue: {num_consumers: 3}, resource_to_telemetry_conversion: {enabled: true}}
extensions:
  bearertokenauth: {token: secret, filename: "TOKEN"}
  health_check: {endpoint: "127.0.0.1:0", cors: {allowed_headers: [X-One]}, response_headers: {X-Two: "${env:SLOWBURN_REHEARSED}"}}
  zpages: {endpoint: "127.0.0.1:0", cors: {allowed_headers: [X-One]}}
service:
  extensions: [bearertokenauth, health_check, zpages]
  telemetry:
    resource: {deployment.environment: test}
    logs: {encoding: json, output_paths: ["LOG"], processors: [{batch: {exporter: {otlp: {protocol: http/protobuf, endpoint: "BACKEND"}}}}]}
    metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: PORT}}}}]}
  pipelines:
    traces: {receivers: [otlp], processors: [transform], exporters: [debug, otlphttp]}
    metrics: {receivers: [otlp], exporters: [prometheusremotewrite]}
`

// rehearsedOld has service::telemetry in an older form, and traces of its own, which zpages needs.
const rehearsedOld = `
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}}}
exporters: {debug: {}}
extensions: {zpages: {endpoint: "127.0.0.1:0"}}
service:
  extensions: [zpages]
  telemetry:
    logs: {output_paths: ["LOG"], processors: [{batch: {exporter: {otlp: {protocol: http/protobuf, endpoint: "BACKEND", headers: {a: b}}}}}]}
    traces: {processors: [{batch: {exporter: {otlp: {protocol: http/protobuf, endpoint: "BACKEND", headers: {a: b}}}}}]}
    metrics:
      readers:
        - periodic: {exporter: {otlp: {protocol: http/protobuf, endpoint: "BACKEND", headers: {a: b}}}}
        - pull: {exporter: {prometheus: {host: 127.0.0.1, port: PORT}}}
  pipelines: {traces: {receivers: [otlp], exporters: [debug]}}
`

// resource is the field of the gateway's own resource, which every line of a start has.
var resource = regexp.MustCompile(`resource: map\[[^\]]*\](, )?`)

// TestValidateWarnsAsAStartDoes holds that validate prints each warning that a start logs, and no other, while another process
// has the ports, and that it writes no file and sends nothing.
func TestValidateWarnsAsAStartDoes(t *testing.T) {
	t.Run("all", func(t *testing.T) { rehearse(t, rehearsed, 14) })
	t.Run("old forms", func(t *testing.T) { rehearse(t, rehearsedOld, 3) })
}

// rehearse compares the warnings of validate with those of a start, and their number.
func rehearse(t *testing.T, text string, count int) {
	dir := t.TempDir()
	token, log := filepath.Join(dir, "token"), filepath.Join(dir, "log")
	require.NoError(t, os.WriteFile(token, []byte("secret"), 0o600))
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // nothing to cancel
	require.NoError(t, err)
	busy := l.Addr().String()
	_, port, err := net.SplitHostPort(busy)
	require.NoError(t, err)
	var sent atomic.Int64
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { sent.Add(1) }))
	defer backend.Close()
	text = strings.NewReplacer("TOKEN", token, "BACKEND", backend.URL, "LOG", log, "PORT", port).Replace(text)

	said, err := slowburnSays(t, "validate", "--config", "yaml:"+strings.ReplaceAll(text, "127.0.0.1:0", busy))
	require.NoError(t, err, said)
	require.NoError(t, l.Close())
	assert.NoFileExists(t, log)
	assert.Zero(t, sent.Load())
	validated := map[string]bool{}
	for line := range strings.Lines(said) {
		if w, ok := strings.CutPrefix(strings.TrimSpace(line), "Warning: "); ok {
			assert.False(t, validated[w], "twice: %s", w)
			validated[w] = true
		}
	}
	var lines rehearsal.Lines
	set := collectorSettings(&source{})
	set.DisableGracefulShutdown = true
	set.ConfigProviderSettings.ResolverSettings.URIs = []string{"yaml:" + text}
	set.ConfigProviderSettings.ResolverSettings.DefaultScheme = "env"
	set.LoggingOptions = []zap.Option{zap.WrapCore(func(zapcore.Core) zapcore.Core { return lines.Logger("service::telemetry").Core() })}
	col, err := otelcol.NewCollector(set)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- col.Run(context.Background()) }()
	require.Eventually(t, func() bool { return col.GetState() == otelcol.StateRunning || len(done) > 0 }, time.Minute, time.Millisecond)
	logged := lines.All()
	if len(done) == 0 {
		col.Shutdown()
	}
	require.NoError(t, <-done)
	for i, line := range logged {
		line = strings.Replace(resource.ReplaceAllString(line, ""), " ()", "", 1)
		logged[i] = strings.Replace(line, "service::telemetry: Configuration ref", "environment: Configuration ref", 1)
	}
	assert.ElementsMatch(t, logged, slices.Collect(maps.Keys(validated)))
	assert.Len(t, logged, count)
	assert.FileExists(t, log, "a start writes it")
	assert.NotZero(t, sent.Load(), "a start sends it")
}
