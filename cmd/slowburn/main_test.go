package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/otelcol"
	"go.uber.org/zap"
)

// TestFactories: names that examples, docs and users' files depend on.
func TestFactories(t *testing.T) {
	f, err := factories(nil)
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"otlp", "slo_metrics"}, types(f.Receivers))
	assert.ElementsMatch(t, []string{
		"tail_sampling", "reconstruct", "memory_limiter", "batch", "attributes", "resource", "filter", "transform",
	}, types(f.Processors))
	assert.ElementsMatch(t, []string{"sli"}, types(f.Connectors))
	assert.Subset(t, types(f.Exporters), []string{
		"trace_store", "tsdb", "otlp_grpc", "otlp_http", "debug", "prometheusremotewrite",
	})
	assert.ElementsMatch(t, []string{
		"tsdb", "slo", "web", "bearertokenauth", "oidc", "health_check", "pprof", "zpages",
	}, types(f.Extensions))
	for typ, module := range f.ProcessorModules {
		assert.NotEmpty(t, module, typ)
	}
}

// Client data are cut in the log, whichever component logs them.
func TestLogLinesAreCut(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	for _, encoding := range []string{"json", "console"} {
		cfg := zap.NewProductionConfig()
		cfg.Encoding, cfg.OutputPaths = encoding, []string{file}
		logger, err := cfg.Build(collectorSettings(new(source)).LoggingOptions...)
		require.NoError(t, err)
		long := strings.Repeat("x", 15<<20)
		logger.Error("refused: "+long, zap.String("name", long), zap.Error(errors.New(long)))
		written, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Less(t, len(written), 32<<10, encoding)
		require.Contains(t, string(written), "bytes more)")
	}
}

func types[T any](m map[component.Type]T) (names []string) {
	for typ := range m {
		names = append(names, typ.String())
	}
	return names
}

// Every shipped configuration is one that the gateway accepts.
func TestShippedConfigsValidate(t *testing.T) {
	files, err := filepath.Glob("../../demo/*.yaml")
	require.NoError(t, err)
	t.Setenv("SLOWBURN_DATA_DIR", t.TempDir())

	t.Run("embedded default", func(t *testing.T) { require.NoError(t, validate(t)) })
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			require.NoError(t, validate(t, "../../config.yaml", file))
		})
	}
}

func validate(t *testing.T, files ...string) error {
	set := collectorSettings(&source{})
	if len(files) > 0 {
		set.ConfigProviderSettings.ResolverSettings.URIs = files
	}
	set.ConfigProviderSettings.ResolverSettings.DefaultScheme = "env"
	col, err := otelcol.NewCollector(set)
	require.NoError(t, err)
	return col.DryRun(t.Context())
}
