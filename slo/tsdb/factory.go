package tsdb

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension"
)

// componentType is what both components are called in a configuration.
var componentType = component.MustNewType("tsdb")

// NewExtensionFactory makes the extension that keeps metrics and answers PromQL.
func NewExtensionFactory() extension.Factory {
	return extension.NewFactory(componentType, defaultConfig,
		func(_ context.Context, settings extension.Settings, config component.Config) (extension.Extension, error) {
			return newExtension(settings, config.(*Config))
		}, component.StabilityLevelBeta)
}

// NewExporterFactory makes the exporter that writes metrics to the extension.
func NewExporterFactory() exporter.Factory {
	return exporter.NewFactory(componentType, defaultExporterConfig,
		exporter.WithMetrics(newExporter, component.StabilityLevelBeta))
}
