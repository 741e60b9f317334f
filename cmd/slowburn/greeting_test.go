package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/otelcol"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn"
	"github.com/slowburn/slowburn/cmd/slowburn/internal/datadir"
	"github.com/slowburn/slowburn/cmd/slowburn/internal/greeting"
)

// TestStartLogsAddressesLast starts the shipped configuration on free ports and checks the end of its log.
func TestStartLogsAddressesLast(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	t.Setenv("SLOWBURN_DATA_DIR", dir)
	src := new(source)
	set := collectorSettings(src)
	src.settings = set.ConfigProviderSettings.ResolverSettings
	src.settings.URIs = []string{
		"yaml:" + strings.NewReplacer("127.0.0.1:4317", "127.0.0.1:0", "127.0.0.1:4318", "127.0.0.1:0", "127.0.0.1:8080", "127.0.0.1:0").Replace(slowburn.DefaultConfig),
		"yaml:service::telemetry::metrics::level: none",
	}
	src.settings.DefaultScheme = "env"
	whole, err := src.whole(t.Context())
	require.NoError(t, err)
	src.greeting.Data(datadir.Roots(datadir.Of(whole)))

	observed, logs := observer.New(zap.InfoLevel)
	set.ConfigProviderSettings.ResolverSettings = src.settings
	set.DisableGracefulShutdown = true
	set.LoggingOptions = append([]zap.Option{zap.WrapCore(func(zapcore.Core) zapcore.Core { return observed })}, set.LoggingOptions...)
	col, err := otelcol.NewCollector(set)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- col.Run(context.Background()) }()
	require.Eventually(t, func() bool { return col.GetState() == otelcol.StateRunning || len(done) > 0 }, time.Minute, time.Millisecond)
	require.NoError(t, stop(t, col, done))

	var messages []string
	for _, e := range logs.All() {
		messages = append(messages, e.Message)
	}
	at := len(messages) - 1
	for ; at >= 0 && messages[at] != greeting.Ready; at-- {
	}
	require.Greater(t, len(messages), at+3, messages)
	require.GreaterOrEqual(t, at, 0, "the Collector says something else when it is ready: %s", messages)
	assert.Regexp(t, `^OTLP: gRPC on 127\.0\.0\.1:[1-9]\d*, HTTP on 127\.0\.0\.1:[1-9]\d*$`, messages[at+1])
	assert.Regexp(t, `^dashboard: http://127\.0\.0\.1:[1-9]\d*/$`, messages[at+2])
	assert.Equal(t, "data: "+dir, messages[at+3])
}
