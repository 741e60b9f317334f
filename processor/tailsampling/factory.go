package tailsampling

import (
	"context"
	"path/filepath"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/processor"

	"github.com/slowburn/slowburn/internal/exemplars"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/metadata"
)

// Option changes what a factory makes.
type Option func(*factory)

// WithSource lets the processors that the factory makes read their policies again while they run.
func WithSource(s Source) Option { return func(f *factory) { f.source = s } }

type factory struct{ source Source }

// NewFactory returns the factory of the processor tail_sampling.
func NewFactory(options ...Option) processor.Factory {
	var f factory
	for _, option := range options {
		option(&f)
	}
	return processor.NewFactory(metadata.Type, createDefaultConfig,
		processor.WithTraces(f.createTraces, metadata.TracesStability))
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
		MemoryBudget:     defaultMemoryBudget(),
		WhenFull:         fullGiveUp,
		RefusalPatience:  time.Hour,
		Attributes:       attributesOn,
		ShutdownTimeout:  10 * time.Second,

		MaximumTraceSizeBytes: min(16<<20, defaultMemoryBudget()/4), // each destination may have one in memory
		LinkedTraces:          LinkedTracesConfig{MaxLinksPerSpan: 8, MaxLinksPerTrace: 32, MaxLinks: 100_000},
		ObjectiveExemplars:    exemplars.MaxPerMinute,
		DecisionCache:         DecisionCacheConfig{SampledCacheSize: 1 << 20, NonSampledCacheSize: 1 << 20},
		Explain:               ExplainConfig{Decisions: 100_000},
	}
}

func (f *factory) createTraces(_ context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
	p, err := newSampler(set, cfg.(*Config), next, f.source)
	if err != nil {
		return nil, err
	}
	return p, nil
}
