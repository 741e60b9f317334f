package engine

import (
	"context"
	"crypto/rand"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/slowburn/slowburn/slo/engine/internal/metadata"
)

// NewFactory returns the factory of the extension `slo`.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, createDefaultConfig, create, metadata.ExtensionStability)
}

func createDefaultConfig() component.Config {
	return &Config{
		Directory:  "slowburn-data",
		TSDB:       component.MustNewID("tsdb"),
		Lateness:   15 * time.Second,
		LateWindow: maxLateWindow,
		MaxSize:    1 << 30,
	}
}

func create(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	return newExtension(set, cfg.(*Config))
}

// newInstance returns a name for a ledger that begins: the instance ID of the Collector's telemetry, or a random one.
func newInstance(set extension.Settings) *string {
	name := rand.Text()
	if v, ok := set.Resource.Attributes().Get("service.instance.id"); ok && v.AsString() != "" {
		name = v.AsString()
	}
	return &name
}
