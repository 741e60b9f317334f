package otlp

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configgrpc"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/slowburn/slowburn/processor/otlp/internal/metadata"
)

// NewFactory returns the factory of the receiver. Receivers of one factory that are created with the same Config are
// one instance.
func NewFactory() receiver.Factory {
	f := factory{instances: map[*Config]*otlpReceiver{}}
	return receiver.NewFactory(metadata.Type, createDefaultConfig,
		receiver.WithTraces(f.createTraces, metadata.TracesStability),
		receiver.WithMetrics(f.createMetrics, metadata.MetricsStability),
	)
}

// Default paths of OTLP over HTTP.
const (
	defaultTracesPath  = "/v1/traces"
	defaultMetricsPath = "/v1/metrics"
)

func createDefaultConfig() component.Config {
	grpc := configgrpc.NewDefaultServerConfig()
	grpc.NetAddr.Endpoint = "localhost:4317"
	grpc.ReadBufferSize = 512 << 10 // requests are large, answers small
	grpc.MaxConcurrentStreams = 256 // per connection; further calls wait at the sender
	grpc.Keepalive = configoptional.Some(keepalive())

	http := confighttp.NewDefaultServerConfig()
	http.NetAddr.Endpoint = "localhost:4318"
	http.TLS = configoptional.None[configtls.ServerConfig]()
	http.ReadHeaderTimeout = 10 * time.Second
	http.WriteTimeout = 0 // the sender limits how long it waits for the pipeline

	return &Config{
		Protocols: Protocols{
			GRPC: configoptional.Default(grpc),
			HTTP: configoptional.Default(HTTPConfig{ServerConfig: http, TracesURLPath: defaultTracesPath, MetricsURLPath: defaultMetricsPath}),
		},
		MaxResourceSize: defaultResourceSize,
		MaxConnections:  4096,
		ReceiveTimeout:  30 * time.Second,
	}
}

// keepalive returns the times after which a silent gRPC connection is pinged, and after which one without calls is
// closed, which its sender need not notice.
func keepalive() configgrpc.KeepaliveServerConfig {
	server := configgrpc.NewDefaultKeepaliveServerParameters()
	server.Time, server.Timeout = time.Minute, 20*time.Second
	server.MaxConnectionIdle = 15 * time.Minute
	cfg := configgrpc.NewDefaultKeepaliveServerConfig()
	cfg.ServerParameters = configoptional.Some(server)
	return cfg
}

func (f *factory) createTraces(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Traces) (receiver.Traces, error) {
	r, err := f.instance(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	untaken, err := newUntaken(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	r.traces, r.untaken = next, untaken
	return r, nil
}

func (f *factory) createMetrics(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
	r, err := f.instance(set, cfg.(*Config))
	if err != nil {
		return nil, err
	}
	r.metrics = next
	return r, nil
}
