package export

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/exporter/xexporter"
)

// NewGRPCFactory returns the factory of the exporter `otlp_grpc`.
func NewGRPCFactory() exporter.Factory {
	return newFactory(component.MustNewType("otlp_grpc"), component.MustNewType("otlp"), otlpexporter.NewFactory(),
		func() component.Config { return newGRPCConfig() },
		func(cfg component.Config) component.Config { return &cfg.(*GRPCConfig).Collector },
		newGRPCTraces)
}

// NewHTTPFactory returns the factory of the exporter `otlp_http`.
func NewHTTPFactory() exporter.Factory {
	return newFactory(component.MustNewType("otlp_http"), component.MustNewType("otlphttp"), otlphttpexporter.NewFactory(),
		func() component.Config { return newHTTPConfig() },
		func(cfg component.Config) component.Config { return &cfg.(*HTTPConfig).Collector },
		newHTTPTraces)
}

// newFactory returns a factory with our traces exporter, and the Collector's for other signals.
func newFactory(
	name, alias component.Type, collector exporter.Factory, config component.CreateDefaultConfigFunc,
	theirs func(component.Config) component.Config, traces exporter.CreateTracesFunc,
) exporter.Factory {
	x := collector.(xexporter.Factory)
	return xexporter.NewFactory(name, config,
		xexporter.WithDeprecatedTypeAlias(alias),
		xexporter.WithTraces(traces, component.StabilityLevelBeta),
		xexporter.WithMetrics(func(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Metrics, error) {
			return x.CreateMetrics(ctx, set, theirs(cfg))
		}, x.MetricsStability()),
		xexporter.WithLogs(func(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
			return x.CreateLogs(ctx, set, theirs(cfg))
		}, x.LogsStability()),
		xexporter.WithProfiles(func(ctx context.Context, set exporter.Settings, cfg component.Config) (xexporter.Profiles, error) {
			return x.CreateProfiles(ctx, set, theirs(cfg))
		}, x.ProfilesStability()))
}

func newGRPCTraces(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
	c := cfg.(*GRPCConfig)
	return newTraces(ctx, set, cfg, &grpcClient{cfg: c, set: set}, c.MaxRequestSize, c.Collector.TimeoutConfig.Timeout,
		exporterhelper.WithRetry(c.Collector.RetryConfig),
		exporterhelper.WithQueue(c.Collector.QueueConfig))
}

// jsonFactor is the largest ratio of a request's size in JSON to its size in protobuf.
const jsonFactor = 3

func newHTTPTraces(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
	c := cfg.(*HTTPConfig)
	client, err := newHTTPClient(c, set)
	if err != nil {
		return nil, err
	}
	most := c.MaxRequestSize
	if client.json() {
		most = max(most/jsonFactor, minRequest)
	}
	return newTraces(ctx, set, cfg, client, most, 0, // the client applies the timeout
		exporterhelper.WithRetry(c.Collector.RetryConfig),
		exporterhelper.WithQueue(c.Collector.QueueConfig))
}
