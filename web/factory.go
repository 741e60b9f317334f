package web

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
)

var componentType = component.MustNewType("web")

// NewFactory returns the factory of the extension `web`.
func NewFactory() extension.Factory {
	return extension.NewFactory(componentType, createDefaultConfig,
		func(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			files, err := built()
			if err != nil {
				return nil, fmt.Errorf("open the embedded dashboard: %w", err)
			}
			return newExtension(set, cfg.(*Config), files), nil
		}, component.StabilityLevelBeta)
}
