package tailsampling

import (
	"context"
	"path/filepath"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"github.com/slowburn/slowburn/processor/tailsampling/internal/metadata"
)

// NewFactory returns the factory of the processor tail_sampling.
func NewFactory() processor.Factory {
	return processor.NewFactory(metadata.Type, createDefaultConfig,
		processor.WithTraces(createTraces, metadata.TracesStability))
}

func createDefaultConfig() component.Config {
	return &Config{
		DecisionWait:     30 * time.Second,
		SamplingStrategy: traceComplete,
		Storage:          storageDisk,
		Directory:        filepath.Join("slowburn-data", "spans"),
		DiskBudget:       4 << 30,
		Fsync:            fsyncNever,
		FsyncInterval:    time.Second,
		Compression:      compressAuto,
		MemoryBudget:     512 << 20,
		ShutdownTimeout:  10 * time.Second,

		MaximumTraceSizeBytes: 16 << 20,
		DecisionCache:         DecisionCacheConfig{SampledCacheSize: 1 << 20, NonSampledCacheSize: 1 << 20},
	}
}

func createTraces(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
	return newSampler(set, cfg.(*Config), next)
}
