package tailsampling

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/metadata"
)

// contribKeys are the top-level keys of contrib's processor, 0.161 to 0.164.
var contribKeys = []string{
	"block_on_overflow", "decision_cache", "decision_wait", "decision_wait_after_root_received",
	"drop_pending_traces_on_shutdown", "expected_new_traces_per_sec", "maximum_trace_size_bytes", "num_shards", "num_traces",
	"policies", "sample_on_first_match", "sampling_strategy", "tail_storage",
}

// A configuration for contrib's processor loads unchanged, and starts.
func TestContribConfigsLoad(t *testing.T) {
	paths, err := filepath.Glob("testdata/contrib/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	all := confmap.New()
	types := map[string]bool{}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			cfg, err := loadConfig(t, path)
			require.NoError(t, err)
			_, err = newSamplerForTest(cfg)
			require.NoError(t, err)
			for i := range cfg.Policies {
				types[string(cfg.Policies[i].Type)] = true
			}
			conf, err := confmaptest.LoadConf(path)
			require.NoError(t, err)
			require.NoError(t, all.Merge(conf))
		})
	}
	for _, key := range contribKeys {
		assert.True(t, all.IsSet(key), "%s is in none of the files", key)
	}
	assert.Equal(t, contribTypes, types)
}

// contribTypes are the types of contrib's policies.
var contribTypes = map[string]bool{
	"always_sample": true, "and": true, "boolean_attribute": true, "bytes_limiting": true, "composite": true, "drop": true,
	"latency": true, "not": true, "numeric_attribute": true, "ottl_condition": true, "probabilistic": true, "rate_limiting": true, "span_count": true,
	"status_code": true, "string_attribute": true, "trace_flags": true, "trace_state": true,
}

func TestContribKeysMeanWhatTheyDid(t *testing.T) {
	cfg, err := loadConfig(t, "testdata/contrib/every_key.yaml")
	require.NoError(t, err)
	assert.Equal(t, 10*time.Second, cfg.DecisionWait)
	assert.Equal(t, uint64(100), cfg.NumTraces)
	assert.Equal(t, DecisionCacheConfig{SampledCacheSize: 100_000, NonSampledCacheSize: 200_000}, cfg.DecisionCache)
	assert.Equal(t, units.Size(1<<20), cfg.MaximumTraceSizeBytes)
	assert.Equal(t, 8, cfg.shards())
}

// Keys without effect are logged once, at the start, each by its name; others are not.
func TestNotices(t *testing.T) {
	cfg, err := loadConfig(t, "testdata/contrib/every_key.yaml")
	require.NoError(t, err)
	notices := cfg.Notices()
	require.Len(t, notices, 3)
	for i, key := range []string{"block_on_overflow", "expected_new_traces_per_sec", "tail_storage"} {
		assert.Contains(t, notices[i], key+" has no meaning here: ")
		assert.Contains(t, notices[i], "remove the key")
	}
	core, logs := observer.New(zap.WarnLevel)
	set := processortest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	_, err = newSampler(set, cfg, &sink{}, nil)
	require.NoError(t, err)
	var logged []string
	for _, entry := range logs.All() {
		logged = append(logged, entry.Message)
	}
	assert.Equal(t, notices, logged)

	cfg, err = loadConfig(t, "testdata/contrib/minimal.yaml")
	require.NoError(t, err)
	assert.Empty(t, cfg.Notices())
	assert.Empty(t, createDefaultConfig().(*Config).Notices())

	cfg.SampleOnFirstMatch = true
	assert.Empty(t, cfg.Notices())
	cfg.Rules = rulesOf()
	require.Len(t, cfg.Notices(), 1)
	assert.Contains(t, cfg.Notices()[0], "sample_on_first_match has no meaning with rules")
}
