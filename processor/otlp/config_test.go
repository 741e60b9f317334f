package otlp

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

func TestDefaultsAreTheCollectors(t *testing.T) {
	both := confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{"grpc": nil, "http": nil}})
	cfg := config(t, both)
	theirs := otlpreceiver.NewFactory().CreateDefaultConfig().(*otlpreceiver.Config)
	require.NoError(t, both.Unmarshal(theirs))

	assert.Equal(t, theirs.Protocols.GRPC, cfg.Protocols.GRPC)
	ours, http := cfg.Protocols.HTTP.Get(), theirs.Protocols.HTTP.Get()
	assert.Equal(t, http.ServerConfig.NetAddr, ours.ServerConfig.NetAddr)
	assert.Equal(t, http.ServerConfig.TLS, ours.ServerConfig.TLS)
	assert.Equal(t, string(http.TracesURLPath), string(ours.TracesURLPath))
	assert.Equal(t, string(http.MetricsURLPath), string(ours.MetricsURLPath))
	assert.Nil(t, cfg.WirePath)
	assert.False(t, cfg.wirePath())
}

func TestConfig(t *testing.T) {
	cfg := config(t, confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{"http": map[string]any{"traces_url_path": "spans"}}}))
	assert.False(t, cfg.Protocols.GRPC.HasValue(), "only what is named listens")
	assert.Equal(t, URLPath("/spans"), cfg.Protocols.HTTP.Get().TracesURLPath)
	assert.Equal(t, URLPath("/v1/metrics"), cfg.Protocols.HTTP.Get().MetricsURLPath)
}

func TestConfigErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		conf map[string]any
		want string
	}{
		{"no protocols", map[string]any{}, "protocols must name grpc, http or both"},
		{"same path", map[string]any{"protocols": map[string]any{"http": map[string]any{"traces_url_path": "/a", "metrics_url_path": "a"}}}, `protocols::http: traces_url_path and metrics_url_path are both "/a"`},
		{"no path", map[string]any{"protocols": map[string]any{"http": map[string]any{"traces_url_path": ":\x00"}}}, "no URL path"},
		{"unknown key", map[string]any{"protocol": map[string]any{}}, "protocol"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := NewFactory().CreateDefaultConfig().(*Config)
			err := confmap.NewFromStringMap(tt.conf).Unmarshal(cfg)
			if err == nil {
				err = confmap.Validate(component.Config(cfg))
			}
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

// TestInstances holds that an instance is shared by the signals of one configuration and forgotten after it.
func TestInstances(t *testing.T) {
	f := NewFactory()
	set := receivertest.NewNopSettings(f.Type())
	cfg, other := config(t, confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{"grpc": map[string]any{"endpoint": "127.0.0.1:0"}}})), &Config{}
	create := func(cfg component.Config) component.Component {
		r, err := f.CreateTraces(t.Context(), set, cfg, consumertest.NewNop())
		require.NoError(t, err)
		return r
	}
	first := create(cfg)
	assert.Same(t, first, create(cfg))
	assert.NotSame(t, first, create(other))
	require.NoError(t, first.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, first.Shutdown(t.Context()))
	assert.NotSame(t, first, create(cfg))
	metrics, err := f.CreateMetrics(t.Context(), set, other, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, metrics.Shutdown(t.Context()), "never started")
}
