package otlp

import (
	"context"

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

// Where OTLP over HTTP is posted to.
const (
	defaultTracesPath  = "/v1/traces"
	defaultMetricsPath = "/v1/metrics"
)

func createDefaultConfig() component.Config {
	grpc := configgrpc.NewDefaultServerConfig()
	grpc.NetAddr.Endpoint = "localhost:4317"
	grpc.ReadBufferSize = 512 << 10 // requests are large, answers small

	http := confighttp.NewDefaultServerConfig()
	http.NetAddr.Endpoint = "localhost:4318"
	http.TLS = configoptional.None[configtls.ServerConfig]()
	http.WriteTimeout = 0 // the sender knows how long it will wait for the pipeline

	return &Config{Protocols: Protocols{
		GRPC: configoptional.Default(grpc),
		HTTP: configoptional.Default(HTTPConfig{ServerConfig: http, TracesURLPath: defaultTracesPath, MetricsURLPath: defaultMetricsPath}),
	}}
}

func (f *factory) createTraces(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Traces) (receiver.Traces, error) {
	r := f.instance(set, cfg.(*Config))
	untaken, err := newUntaken(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	r.traces, r.untaken = next, untaken
	return r, nil
}

func (f *factory) createMetrics(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
	r := f.instance(set, cfg.(*Config))
	r.metrics = next
	return r, nil
}
