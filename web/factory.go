package web

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
)

var componentType = component.MustNewType("web")

// NewFactory returns the factory of the extension `web`.
func NewFactory() extension.Factory {
	return extension.NewFactory(componentType, createDefaultConfig,
		func(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			return newExtension(set, cfg.(*Config)), nil
		}, component.StabilityLevelBeta)
}
