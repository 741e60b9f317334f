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

	"github.com/slowburn/slowburn/cmd/slowburn/internal/datadir"
	"github.com/slowburn/slowburn/cmd/slowburn/internal/odd"
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

// rehearsedOurs has what components of ours warn of: of keys, of what goes together, and of directories. HTTP has its own receiver, so
// that a budget is shared.
const rehearsedOurs = `
receivers:
  otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0", max_recv_msg_size_mib: 64}}}
  otlp/web: {intake_budget: 32MiB, protocols: {http: {endpoint: "127.0.0.1:0"}}}
processors:
  batch: {timeout: 200000000}
  tail_sampling:
    directory: OPEN/spans
    expected_new_traces_per_sec: 10
    policies:
      - {name: not-health, type: string_attribute, string_attribute: {key: http.route, values: [/health], invert_match: true}}
      - {name: hashed, type: probabilistic, probabilistic: {sampling_percentage: 10, hash_salt: x}}
    shadow:
      policies: [{name: none, type: drop, drop: {drop_sub_policy: [{name: all, type: always_sample}]}}]
connectors:
  sli: {directory: OPEN}
exporters:
  trace_store: {directory: OPEN}
  tsdb: {}
extensions:
  tsdb: {directory: OPEN/tsdb}
  slo:
    directory: OPEN
    objectives: [{name: a, target: 99, window: 30d, availability: {kind: server}}]
    receivers: [{name: desk, webhook: {endpoint: "http://127.0.0.1:1/", max_idle_conns: 7}, severities: [ticket]}]
  web: {endpoint: "127.0.0.1:0", auth: {authenticator: bearertokenauth}, cors: {allowed_headers: [X-One]}}
  bearertokenauth: {token: secret}
service:
  extensions: [bearertokenauth, tsdb, slo, web]
  telemetry:
    logs: {output_paths: ["LOG"], processors: [{batch: {exporter: {otlp: {protocol: http/protobuf, endpoint: "BACKEND"}}}}]}
    metrics: {readers: [{pull: {exporter: {prometheus: {host: 0.0.0.0, port: PORT}}}}]}
  pipelines:
    traces/in: {receivers: [otlp, otlp/web], exporters: [sli]}
    traces/sampled: {receivers: [sli], processors: [batch, tail_sampling], exporters: [trace_store]}
    metrics: {receivers: [otlp], exporters: [tsdb]}
`

// resource is the field of the gateway's own resource, which every line of a start has.
var resource = regexp.MustCompile(`resource: map\[[^\]]*\](, )?`)

// unitless is how a start logs the warning about a duration without a unit, and withoutComponent one that names
// its component itself.
var (
	unitless         = regexp.MustCompile(`^service::telemetry: a duration has no unit \(warning: (.*)\)$`)
	withoutComponent = regexp.MustCompile(`^service::telemetry: ((?:receivers|processors|connectors|exporters|extensions|service)::)`)
)

// TestValidateWarnsAsAStartDoes checks that validate prints each warning that a start logs, and no other, while another process
// has the ports, and that it writes no file and sends nothing.
func TestValidateWarnsAsAStartDoes(t *testing.T) {
	t.Run("all", func(t *testing.T) { rehearse(t, rehearsed, 14) })
	t.Run("old forms", func(t *testing.T) { rehearse(t, rehearsedOld, 3) })
	t.Run("ours", func(t *testing.T) { rehearse(t, rehearsedOurs, 15) })
}

// rehearse compares the warnings of validate with those of a start, and their number.
func rehearse(t *testing.T, text string, count int) {
	dir := t.TempDir()
	token, log, open := filepath.Join(dir, "token"), filepath.Join(dir, "log"), filepath.Join(dir, "open")
	require.NoError(t, os.WriteFile(token, []byte("secret"), 0o600))
	require.NoError(t, os.Mkdir(open, 0o700))
	require.NoError(t, os.Chmod(open, 0o755))
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // nothing to cancel
	require.NoError(t, err)
	busy := l.Addr().String()
	_, port, err := net.SplitHostPort(busy)
	require.NoError(t, err)
	var sent atomic.Int64
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { sent.Add(1) }))
	defer backend.Close()
	text = strings.NewReplacer("TOKEN", token, "BACKEND", backend.URL, "LOG", log, "OPEN", open, "PORT", port).Replace(text)

	said, err := slowburnSays(t, "validate", "--config", "yaml:"+strings.ReplaceAll(text, "127.0.0.1:0", busy))
	require.NoError(t, err, said)
	require.NoError(t, l.Close())
	assert.NoFileExists(t, log)
	left, err := os.ReadDir(open)
	require.NoError(t, err)
	assert.Empty(t, left)
	assert.Zero(t, sent.Load())
	validated := map[string]bool{}
	for line := range strings.Lines(said) {
		if w, ok := strings.CutPrefix(strings.TrimSpace(line), "Warning: "); ok {
			assert.False(t, validated[w], "twice: %s", w)
			validated[w] = true
		}
	}
	var lines rehearsal.Lines
	src := &source{given: []string{"yaml:" + text}}
	set := collectorSettings(src)
	src.settings = set.ConfigProviderSettings.ResolverSettings
	require.NoError(t, src.shareMemory(t.Context()))
	whole, err := src.whole(t.Context())
	require.NoError(t, err)
	src.open = odd.OpenToAll(datadir.Of(whole))
	set.DisableGracefulShutdown = true
	set.ConfigProviderSettings.ResolverSettings.URIs = []string{"yaml:" + text}
	set.ConfigProviderSettings.ResolverSettings.DefaultScheme = "env"
	set.LoggingOptions = []zap.Option{zap.WrapCore(func(zapcore.Core) zapcore.Core { return lines.Logger("service::telemetry").Core() }), zap.WrapCore(src.sayFirst)}
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
		line = strings.Replace(line, "service::telemetry: Configuration ref", "environment: Configuration ref", 1)
		logged[i] = withoutComponent.ReplaceAllString(unitless.ReplaceAllString(line, "$1"), "$1")
	}
	assert.ElementsMatch(t, logged, slices.Collect(maps.Keys(validated)))
	assert.Len(t, logged, count)
	assert.FileExists(t, log, "a start writes it")
	assert.NotZero(t, sent.Load(), "a start sends it")
}
