package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// unconvertedConfig keeps all traces. The keys that the converter sets are written by hand, right or wrong.
const unconvertedConfig = `
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:0"}}%s}}
connectors: {sli: {interval: 60s, directory: %q%s}}
processors:
  batch: {timeout: 1ms}
  filter: {traces: {span: ['span.name == "nothing"']}}
  tail_sampling: {storage: memory, policies: [{name: all, type: always_sample}]}
exporters: {kept: {}, numbers: {}}
service:
  telemetry: {metrics: {level: none}, logs: {level: info}}
  pipelines:
    traces/in: {receivers: [otlp], processors: [%s], exporters: [sli]}
    traces/sampled: {receivers: [sli], processors: [%s], exporters: [kept]}
    metrics: {receivers: [sli], exporters: [numbers]}
`

// TestWithoutConverter runs the gateway as a custom distribution without the converter. Everything is decoded; if the
// configuration turns the wire path on for components that do not know it, all spans still arrive, each counted and kept once,
// and an error is logged.
func TestWithoutConverter(t *testing.T) {
	const on = ", wire_path: true"
	for _, c := range []struct {
		name, receiver, sli, inFront, sampled string
		decoded, errs                         int // log lines
	}{
		{"no keys", "", "", "", "tail_sampling", 1, 0},
		{"no keys, batch", "", "", "batch", "batch, tail_sampling", 1, 0},
		{"right by hand", on, on, "", "tail_sampling", 0, 0},
		{"batch in front of sli", on, "", "batch", "tail_sampling", 0, 1},
		{"filter in front of sli, which knows the path", on, "", "filter", "tail_sampling", 0, 0},
		{"batch behind sli", on, "", "", "batch, tail_sampling", 0, 1},
		{"batch behind sli, which begins the path", "", on, "", "batch, tail_sampling", 1, 1},
		{"batch on both sides of sli, where the path begins twice", on, on, "batch", "batch, tail_sampling", 0, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			kept, numbers := new(consumertest.TracesSink), new(consumertest.MetricsSink)
			core, logs := observer.New(zapcore.InfoLevel)
			set := collectorSettings(&source{})
			set.DisableGracefulShutdown = true
			set.LoggingOptions = []zap.Option{zap.WrapCore(func(zapcore.Core) zapcore.Core { return core })}
			resolver := &set.ConfigProviderSettings.ResolverSettings
			resolver.ConverterFactories = []confmap.ConverterFactory{}
			resolver.URIs = []string{"yaml:" + fmt.Sprintf(unconvertedConfig, c.receiver, t.TempDir(), c.sli, c.inFront, c.sampled)}
			set.Factories = func() (otelcol.Factories, error) {
				f, err := factories(&source{})
				addEnds(&f, make(chan consumer.Traces), kept, numbers)
				return f, err
			}
			col, err := otelcol.NewCollector(set)
			require.NoError(t, err)
			done := make(chan error, 1)
			go func() { done <- col.Run(context.Background()) }()
			conn, err := grpc.NewClient(listening(t, logs), grpc.WithTransportCredentials(insecure.NewCredentials()))
			require.NoError(t, err)
			for i := range 2 {
				_, err := ptraceotlp.NewGRPCClient(conn).Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(doorTraces(byte(i+1))))
				require.NoError(t, err)
			}
			require.NoError(t, conn.Close())
			require.NoError(t, stop(t, col, done))

			got := read(t, kept, numbers)
			assert.ElementsMatch(t, []string{"first", "second", "first", "second"}, got.names)
			for _, name := range []string{"first", "second"} {
				assert.Contains(t, got.numbers, "traces.span.metrics.calls map[service.name:shop span.kind:SPAN_KIND_SERVER span.name:"+
					name+" status.code:STATUS_CODE_UNSET] 2")
			}
			assert.Equal(t, c.decoded, logs.FilterMessageSnippet("traces are decoded").Len())
			var errs []string
			for _, e := range logs.FilterLevelExact(zapcore.ErrorLevel).All() {
				errs = append(errs, e.Message)
			}
			assert.Len(t, errs, c.errs)
			assert.Equal(t, c.errs, strings.Count(strings.Join(errs, "\n"), "remove wire_path"))
		})
	}
}

// listening returns the receiver's address once it listens.
func listening(t *testing.T, logs *observer.ObservedLogs) (at string) {
	require.Eventually(t, func() bool {
		for _, line := range logs.FilterMessage("listening for OTLP").All() {
			at, _ = line.ContextMap()["endpoint"].(string)
		}
		return at != ""
	}, time.Minute, time.Millisecond)
	return at
}
