package tailsampling

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/slowburn/slowburn/processor/policy"
)

// load reads a configuration the way the Collector does.
func loadConfig(t *testing.T, path string) (*Config, error) {
	conf, err := confmaptest.LoadConf(path)
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	if err := conf.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, cfg.Validate()
}

func TestContribConfig(t *testing.T) {
	cfg, err := loadConfig(t, "testdata/contrib.yaml")
	require.NoError(t, err)
	assert.Equal(t, 10*time.Second, cfg.DecisionWait)
	assert.Equal(t, uint64(100), cfg.NumTraces)
	assert.Equal(t, DecisionCacheConfig{SampledCacheSize: 100_000, NonSampledCacheSize: 200_000}, cfg.DecisionCache)
	assert.Equal(t, Size(1<<20), cfg.MaximumTraceSizeBytes)
	assert.Equal(t, 8, cfg.shards())
	require.Len(t, cfg.Policies, 3)
	assert.Equal(t, policy.Probabilistic, cfg.Policies[2].Type)
}

func TestOwnKeys(t *testing.T) {
	cfg, err := loadConfig(t, "testdata/own.yaml")
	require.NoError(t, err)
	assert.Equal(t, Size(1536<<20), cfg.MemoryBudget)
	assert.Equal(t, 5*time.Second, cfg.ShutdownTimeout)
	assert.Equal(t, "memory", cfg.Storage)
}

func TestDefaults(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	assert.ErrorContains(t, cfg.Validate(), "policies must list at least one policy", "nothing else is missing")
	var joined interface{ Unwrap() []error }
	require.True(t, errors.As(cfg.Validate(), &joined))
	assert.Len(t, joined.Unwrap(), 1)
	n := cfg.shards()
	assert.True(t, n >= 2 && n <= maxShards && n&(n-1) == 0, "%d", n)
}

// Each testdata/*.bad.yaml names in its first comment lines what its error must say.
func TestBadConfigs(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.bad.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			_, err := loadConfig(t, path)
			require.Error(t, err)
			text, readErr := os.ReadFile(path)
			require.NoError(t, readErr)
			wants := 0
			for line := range strings.Lines(string(text)) {
				if want, ok := strings.CutPrefix(strings.TrimSpace(line), "# error: "); ok {
					wants++
					assert.ErrorContains(t, err, want)
				}
			}
			require.Positive(t, wants)
		})
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{
		"0": 0, "1024": 1024, "1024B": 1024, "64KiB": 64 << 10, "512MiB": 512 << 20, "1.5GiB": 1536 << 20, " 2 TiB ": 2 << 40,
		"1KB": 1000, "3MB": 3e6, "2GB": 2e9, "1TB": 1e12,
	} {
		var s Size
		require.NoError(t, s.UnmarshalText([]byte(text)), text)
		assert.Equal(t, want, s, text)
	}
	for _, text := range []string{"", "MiB", "x", "-1", "12 Mib", "1e30", "NaN", "Inf GiB", "1MiBMiB"} {
		var s Size
		assert.ErrorContains(t, s.UnmarshalText([]byte(text)), "write a number of bytes", text)
	}
	for want, s := range map[string]Size{"0B": 0, "1B": 1, "1000B": 1000, "512MiB": 512 << 20, "1536MiB": 1536 << 20, "1TiB": 1 << 40} {
		assert.Equal(t, want, s.String())
		var back Size
		require.NoError(t, back.UnmarshalText([]byte(s.String())))
		assert.Equal(t, s, back)
	}
	for want, bytes := range map[string]int64{"0.0KiB": 0, "1.5KiB": 1536, "512.0MiB": 512 << 20, "1.0GiB": 1 << 30} {
		assert.Equal(t, want, about(bytes))
	}
}
