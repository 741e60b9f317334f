package tsdb

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension"
)

// componentType is the type of both components.
var componentType = component.MustNewType("tsdb")

// NewExtensionFactory returns the factory of the extension, which stores metrics and answers PromQL.
func NewExtensionFactory() extension.Factory {
	return extension.NewFactory(componentType, defaultConfig,
		func(_ context.Context, settings extension.Settings, config component.Config) (extension.Extension, error) {
			return newExtension(settings, config.(*Config))
		}, component.StabilityLevelBeta)
}

// NewExporterFactory returns the factory of the exporter, which writes metrics to the extension.
func NewExporterFactory() exporter.Factory {
	return exporter.NewFactory(componentType, defaultExporterConfig,
		exporter.WithMetrics(newExporter, component.StabilityLevelBeta))
}
