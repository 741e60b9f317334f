// Package rehearsal finds what the Collector and its components log as warnings at a start, without one: it makes what a start makes, with
// a logger that collects Lines, and starts nothing. No port is opened, no file is written, and nothing is sent.
package rehearsal

import (
	"cmp"
	"context"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configtelemetry"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/service"
	"go.opentelemetry.io/collector/service/telemetry"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
	"go.uber.org/zap"
)

// Make makes the telemetry, pipelines and extensions of a valid configuration, and the HTTP servers and clients of its components, and
// adds what these warn of to lines. An error is one that a start would end with.
func Make(ctx context.Context, build component.BuildInfo, factories otelcol.Factories, cfg *otelcol.Config, lines *Lines) error {
	logger := lines.Logger("service::telemetry")
	_, err := service.New(ctx, service.Settings{
		BuildInfo:        build,
		ReceiversConfigs: cfg.Receivers, ReceiversFactories: factories.Receivers,
		ProcessorsConfigs: cfg.Processors, ProcessorsFactories: factories.Processors,
		ExportersConfigs: cfg.Exporters, ExportersFactories: factories.Exporters,
		ConnectorsConfigs: cfg.Connectors, ConnectorsFactories: factories.Connectors,
		ExtensionsConfigs: cfg.Extensions, ExtensionsFactories: factories.Extensions,
		AsyncErrorChannel: make(chan error, 1),
		TelemetryFactory:  silent(factories.Telemetry, logger),
	}, cfg.Service)
	if err != nil {
		return err
	}
	for _, u := range used(cfg) {
		own := logger.With(zap.String(keyKind, u.kind), zap.String(keyID, u.id.String()))
		makeHTTP(ctx, own, u.config)
		if u.kind == "extension" && u.id.Type().String() == "zpages" && !traced(cfg.Service.Telemetry) {
			own.Warn("zPages span processor registration is not available") // it finds out when it starts
		}
	}
	return nil
}

// silent makes telemetry as the factory does, without what leaves the process: logs go to logger, metrics and traces nowhere.
func silent(factory telemetry.Factory, logger *zap.Logger) telemetry.Factory {
	return telemetry.NewFactory(factory.CreateDefaultConfig,
		telemetry.WithCreateLogger(func(ctx context.Context, set telemetry.LoggerSettings, config component.Config) (*zap.Logger, component.ShutdownFunc, error) {
			set.BuildZapLogger = func(zap.Config, ...zap.Option) (*zap.Logger, error) { return logger, nil }
			return factory.CreateLogger(ctx, set, quiet(config))
		}),
		telemetry.WithCreateMeterProvider(func(ctx context.Context, set telemetry.MeterSettings, config component.Config) (telemetry.MeterProvider, error) {
			return factory.CreateMeterProvider(ctx, set, quiet(config))
		}),
		telemetry.WithCreateTracerProvider(func(ctx context.Context, set telemetry.TracerSettings, config component.Config) (telemetry.TracerProvider, error) {
			return factory.CreateTracerProvider(ctx, set, quiet(config))
		}))
}

// quiet returns a copy of the configuration of telemetry that has nothing which listens or sends, and loses no line.
func quiet(config component.Config) component.Config {
	own, ok := config.(*otelconftelemetry.Config)
	if !ok {
		return config
	}
	c := *own
	c.Logs.Processors, c.Metrics.Readers, c.Traces.Processors = nil, nil, nil
	c.Logs.Sampling, c.Logs.DisableZapResource = nil, true
	return &c
}

// traced reports whether the gateway's own telemetry has spans.
func traced(config component.Config) bool {
	own, ok := config.(*otelconftelemetry.Config)
	return ok && own.Traces.Level != configtelemetry.LevelNone && len(own.Traces.Processors) > 0
}

// part is a component that a start starts.
type part struct {
	kind   string
	id     component.ID
	config component.Config
}

// used returns the components that pipelines or service::extensions name, without connectors, sorted.
func used(cfg *otelcol.Config) (parts []part) {
	add := func(kind string, ids []component.ID, configs map[component.ID]component.Config) {
		for _, id := range ids {
			has := func(p part) bool { return p.kind == kind && p.id == id }
			if config, ok := configs[id]; ok && !slices.ContainsFunc(parts, has) {
				parts = append(parts, part{kind, id, config})
			}
		}
	}
	for _, p := range cfg.Service.Pipelines {
		add("receiver", p.Receivers, cfg.Receivers)
		add("processor", p.Processors, cfg.Processors)
		add("exporter", p.Exporters, cfg.Exporters)
	}
	add("extension", cfg.Service.Extensions, cfg.Extensions)
	slices.SortFunc(parts, func(a, b part) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.id.String(), b.id.String()))
	})
	return parts
}
