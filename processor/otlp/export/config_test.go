package export_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"

	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/processor/otlp/export"
)

func yaml(t *testing.T, text string) *confmap.Conf {
	t.Helper()
	p := yamlprovider.NewFactory().Create(confmap.ProviderSettings{})
	r, err := p.Retrieve(t.Context(), "yaml:"+text, nil)
	require.NoError(t, err)
	conf, err := r.AsConf()
	require.NoError(t, err)
	return conf
}

const shared = `
tls: {ca_file: ca.pem, cert_file: cert.pem, key_file: key.pem, insecure_skip_verify: true, min_version: "1.3"}
timeout: 7s
read_buffer_size: 123
write_buffer_size: 345
compression: zstd
headers: {tenant: "one", "can you have a . here?": "yes"}
auth: {authenticator: bearertokenauth}
middlewares: [{id: m}]
retry_on_failure: {enabled: true, initial_interval: 10s, randomization_factor: 0.7, multiplier: 1.3, max_interval: 60s, max_elapsed_time: 10m}
`

// A configuration that the Collector's exporters accept is accepted, with the same meaning.
func TestSameConfiguration(t *testing.T) {
	queue := `sending_queue: {enabled: true, sizer: items, num_consumers: 2, queue_size: 100000, wait_for_result: true, batch: {flush_timeout: 2s, min_size: 1000, max_size: 10000}}`
	for name, text := range map[string]string{
		"all keys": shared + queue,
		"storage":  shared + `sending_queue: {enabled: true, storage: file_storage, sizer: bytes, block_on_overflow: true}`,
		"no queue": shared + `sending_queue: {enabled: false}`,
	} {
		for protocol, more := range map[string]string{
			"grpc": "endpoint: dns:///host:4317\nbalancer_name: round_robin\nauthority: a\nwait_for_ready: true\nkeepalive: {time: 20s, timeout: 30s, permit_without_stream: true}\n",
			"http": "endpoint: https://host:4318/base\ntraces_endpoint: https://traces/v1\nmetrics_endpoint: https://metrics\nlogs_endpoint: https://logs\n" +
				"profiles_endpoint: https://profiles\nencoding: json\nproxy_url: http://proxy\nmax_idle_conns: 7\nidle_conn_timeout: 3s\nhttp2_ping_timeout: 9s\n" +
				"compression_params: {level: 1}\ncookies: {enabled: true}\nforce_attempt_http2: false\n",
			"http keepalive": "endpoint: https://host:4318\nkeepalive: {max_idle_conns: 5, idle_conn_timeout: 4s}\n",
		} {
			t.Run(name+" "+protocol, func(t *testing.T) {
				ours, theirs := export.NewHTTPFactory(), otlphttpexporter.NewFactory()
				if protocol == "grpc" {
					ours, theirs = export.NewGRPCFactory(), otlpexporter.NewFactory()
				}
				want, got := theirs.CreateDefaultConfig(), ours.CreateDefaultConfig()
				require.NoError(t, yaml(t, text+"\n"+more).Unmarshal(want))
				require.NoError(t, yaml(t, text+"\nmax_request_size: 1MiB\n"+more).Unmarshal(got))
				require.NoError(t, confmap.Validate(got))
				written := confmap.New() // as print-config does
				require.NoError(t, written.Marshal(got))
				require.True(t, written.IsSet("max_request_size"))
				require.True(t, written.IsSet("endpoint"))
				switch cfg := got.(type) {
				case *export.GRPCConfig:
					require.Equal(t, want, &cfg.Collector)
					require.Equal(t, units.Size(1<<20), cfg.MaxRequestSize)
				case *export.HTTPConfig:
					require.Equal(t, want, &cfg.Collector)
					require.Equal(t, units.Size(1<<20), cfg.MaxRequestSize)
				}
			})
		}
	}
}

// Queue, batches and retries are off by default; all other defaults are the Collector's.
func TestDefaults(t *testing.T) {
	g := export.NewGRPCFactory().CreateDefaultConfig().(*export.GRPCConfig)
	h := export.NewHTTPFactory().CreateDefaultConfig().(*export.HTTPConfig)
	assert.False(t, g.Collector.QueueConfig.HasValue())
	assert.False(t, h.Collector.QueueConfig.HasValue())
	assert.False(t, g.Collector.RetryConfig.Enabled)
	assert.False(t, h.Collector.RetryConfig.Enabled)
	assert.Equal(t, "3686KiB", g.MaxRequestSize.String())
	assert.Equal(t, "3686KiB", h.MaxRequestSize.String())

	theirs := otlpexporter.NewFactory().CreateDefaultConfig().(*otlpexporter.Config)
	assert.Equal(t, theirs.ClientConfig, g.Collector.ClientConfig)
	assert.Equal(t, theirs.TimeoutConfig, g.Collector.TimeoutConfig)
	retry := theirs.RetryConfig
	retry.Enabled = false
	assert.Equal(t, retry, g.Collector.RetryConfig)

	require.NoError(t, yaml(t, "sending_queue: {queue_size: 7}\nretry_on_failure: {enabled: true}").Unmarshal(g))
	assert.True(t, g.Collector.QueueConfig.HasValue())
	assert.EqualValues(t, 7, g.Collector.QueueConfig.Get().QueueSize)
	assert.Equal(t, 10, g.Collector.QueueConfig.Get().NumConsumers)
	assert.False(t, g.Collector.QueueConfig.Get().Batch.HasValue())
	assert.Equal(t, theirs.RetryConfig, g.Collector.RetryConfig)

	for _, f := range []exporter.Factory{export.NewGRPCFactory(), export.NewHTTPFactory()} {
		require.NoError(t, componenttest.CheckConfigStruct(f.CreateDefaultConfig()))
	}
}

func TestBadConfiguration(t *testing.T) {
	for text, want := range map[string]string{
		"endpoint: http://host\nmax_request_size: 1KiB":  "max_request_size: 1KiB is not from 64KiB to 1GiB",
		"endpoint: http://host\nmax_request_size: 2GiB":  "max_request_size: 2GiB is not from 64KiB to 1GiB",
		"endpoint: http://host\nmax_request_size: large": "write a number of bytes",
		"endpoint: \"\"": "endpoint",
	} {
		for _, f := range []exporter.Factory{export.NewGRPCFactory(), export.NewHTTPFactory()} {
			cfg := f.CreateDefaultConfig()
			err := yaml(t, text).Unmarshal(cfg)
			if err == nil {
				err = confmap.Validate(cfg)
			}
			require.ErrorContains(t, err, want, text)
		}
	}
}

// Unknown keys are errors if the Collector's exporter refuses them: its otlphttpexporter has none.
func TestUnknownKey(t *testing.T) {
	require.ErrorContains(t, yaml(t, "no_such_key: 1").Unmarshal(export.NewGRPCFactory().CreateDefaultConfig()), "no_such_key")
}

// Old names of the Collector's exporters still work.
func TestAliases(t *testing.T) {
	for alias, f := range map[string]exporter.Factory{"otlp": export.NewGRPCFactory(), "otlphttp": export.NewHTTPFactory()} {
		set := nopSettings(f)
		set.ID = component.MustNewID(alias)
		_, err := f.CreateTraces(t.Context(), set, configOf(t, f, map[string]any{"endpoint": "http://127.0.0.1:1"}))
		require.NoError(t, err)
	}
}
