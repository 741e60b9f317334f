package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/otelcol"
)

// The names that examples, docs and users' files lean on.
func TestFactories(t *testing.T) {
	f, err := factories(nil)
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"otlp"}, types(f.Receivers))
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

func types[T any](m map[component.Type]T) (names []string) {
	for typ := range m {
		names = append(names, typ.String())
	}
	return names
}

// Every configuration that ships must be one that the gateway accepts.
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
	set := settings(&source{})
	if len(files) > 0 {
		set.ConfigProviderSettings.ResolverSettings.URIs = files
	}
	set.ConfigProviderSettings.ResolverSettings.DefaultScheme = "env"
	col, err := otelcol.NewCollector(set)
	require.NoError(t, err)
	return col.DryRun(t.Context())
}
