package otlp

import (
	"testing"
	"time"

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

	grpc := *cfg.Protocols.GRPC.Get()
	assert.EqualValues(t, 256, grpc.MaxConcurrentStreams)
	assert.Equal(t, time.Minute, grpc.Keepalive.Get().ServerParameters.Get().Time)
	grpc.MaxConcurrentStreams, grpc.Keepalive = 0, theirs.Protocols.GRPC.Get().Keepalive // these differ
	assert.Equal(t, *theirs.Protocols.GRPC.Get(), grpc)
	assert.Equal(t, 4096, cfg.MaxConnections)
	assert.EqualValues(t, 256<<10, cfg.MaxResourceSize)
	assert.Equal(t, 30*time.Second, cfg.ReceiveTimeout)
	assert.Equal(t, DefaultIntakeBudget(), cfg.Budget())
	assert.GreaterOrEqual(t, cfg.Budget(), int64(64<<20))
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
		{"no protocols", map[string]any{}, "protocols: is empty; write grpc, http or both"},
		{"same path", map[string]any{"protocols": map[string]any{"http": map[string]any{"traces_url_path": "/a", "metrics_url_path": "a"}}}, `protocols::http: traces_url_path: "/a" is that of metrics_url_path too`},
		{"small budget", map[string]any{"protocols": map[string]any{"http": nil}, "intake_budget": "1KiB"}, "intake_budget: 1KiB is too small for a single request; write at least 1MiB"},
		{"no size", map[string]any{"protocols": map[string]any{"http": nil}, "intake_budget": "much"}, `"much" is no size`},
		{"resources of nothing", map[string]any{"protocols": map[string]any{"http": nil}, "max_resource_size": 0}, "max_resource_size: 0B is not from 4KiB to 1MiB; write a size such as 256KiB"},
		{"resources of megabytes", map[string]any{"protocols": map[string]any{"http": nil}, "max_resource_size": "20MiB"}, "max_resource_size: 20MiB is not from 4KiB to 1MiB"},
		{"no connections", map[string]any{"protocols": map[string]any{"http": nil}, "max_connections": 0}, "max_connections: 0 lets nobody in"},
		{"no time", map[string]any{"protocols": map[string]any{"http": nil}, "receive_timeout": "0s"}, "receive_timeout: 0s leaves no time"},
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

// TestInstances checks that an instance is shared by the signals of one configuration, and dropped after them.
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

// TestOneBudget checks that all instances of a factory share a budget, and that those that set it agree.
func TestOneBudget(t *testing.T) {
	f := NewFactory()
	create := func(name, budget string) (*otlpReceiver, error) {
		set := receivertest.NewNopSettings(f.Type())
		set.ID = component.MustNewIDWithName("otlp", name)
		conf := map[string]any{"protocols": map[string]any{"http": map[string]any{"endpoint": "127.0.0.1:0"}}}
		if budget != "" {
			conf["intake_budget"] = budget
		}
		r, err := f.CreateTraces(t.Context(), set, config(t, confmap.NewFromStringMap(conf)), consumertest.NewNop())
		if err != nil {
			return nil, err
		}
		return r.(*otlpReceiver), nil
	}
	first, err := create("a", "")
	require.NoError(t, err)
	second, err := create("b", "96MiB")
	require.NoError(t, err)
	assert.Same(t, first.budget, second.budget)
	assert.EqualValues(t, 96<<20, first.budget.Limit(), "whoever says it says it for all")
	_, err = create("c", "97MiB")
	require.ErrorContains(t, err, "receivers::otlp/c::intake_budget: 97MiB is not the 96MiB of receivers::otlp/b")
	third, err := create("d", "96MiB")
	require.NoError(t, err)
	for _, r := range []*otlpReceiver{first, second, third} {
		require.NoError(t, r.Shutdown(t.Context()))
	}
	again, err := create("e", "97MiB")
	require.NoError(t, err, "a new configuration begins anew")
	assert.EqualValues(t, 97<<20, again.budget.Limit())
	require.NoError(t, again.Shutdown(t.Context()))
}

// TestWarningOfBudget checks that a receiver warns of exactly the gRPC messages that its configuration allows and the shared budget refuses.
func TestWarningOfBudget(t *testing.T) {
	const wide = "messages over 448.0KiB are refused, though protocols::grpc::max_recv_msg_size_mib allows 4.0MiB: an intake_budget of 1.0MiB has no room " +
		"for longer ones; raise intake_budget, or lower max_recv_msg_size_mib"
	for name, tt := range map[string]struct {
		budgets  []string // of the receivers that share; the first is asked
		protocol string
		mib      int // max_recv_msg_size_mib, 0 where it is not set
		want     string
	}{
		"gRPC's default":             {[]string{"1MiB"}, "grpc", 0, wide},
		"the budget of another":      {[]string{"", "1MiB"}, "grpc", 4, wide},
		"no gRPC":                    {[]string{"1MiB"}, "http", 0, ""},
		"the largest that has room":  {[]string{"16MiB"}, "grpc", 7, ""},
		"one more MiB than has room": {[]string{"16MiB"}, "grpc", 8, "messages over 7.0MiB are refused, though protocols::grpc::max_recv_msg_size_mib allows 8.0MiB"},
		"the default":                {[]string{""}, "grpc", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var configs []*Config
			for _, budget := range tt.budgets {
				protocol := map[string]any{"endpoint": "127.0.0.1:0"}
				if tt.mib != 0 {
					protocol["max_recv_msg_size_mib"] = tt.mib
				}
				conf := map[string]any{"protocols": map[string]any{tt.protocol: protocol}}
				if budget != "" {
					conf["intake_budget"] = budget
				}
				configs = append(configs, config(t, confmap.NewFromStringMap(conf)))
			}
			warning := configs[0].WarningOfBudget(SharedBudget(configs))
			assert.Equal(t, tt.want == "", warning == "", warning)
			assert.Contains(t, warning, tt.want)
		})
	}
}
