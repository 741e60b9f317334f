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

	"github.com/slowburn/slowburn/internal/units"
)

// loadConfig reads a configuration as the Collector does.
func loadConfig(t *testing.T, path string) (*Config, error) {
	conf, err := confmaptest.LoadConf(path)
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	if err := conf.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, cfg.Validate()
}

func TestOwnKeys(t *testing.T) {
	cfg, err := loadConfig(t, "testdata/own.yaml")
	require.NoError(t, err)
	assert.Equal(t, units.Size(1536<<20), cfg.MemoryBudget)
	assert.Equal(t, 5*time.Second, cfg.ShutdownTimeout)
	assert.Equal(t, "memory", cfg.Storage)
}

func TestDefaults(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	assert.ErrorContains(t, cfg.Validate(), "policies: is empty; write at least one policy", "nothing else is missing")
	var joined interface{ Unwrap() []error }
	require.True(t, errors.As(cfg.Validate(), &joined))
	assert.Len(t, joined.Unwrap(), 1)
	n := cfg.shards()
	assert.True(t, n >= 2 && n <= maxShards && n&(n-1) == 0, "%d", n)
}

// Each testdata/*.bad.yaml states in its first comment lines the texts that its error must contain.
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

// TestMemoryBudgetWithin: the default leaves room for the other parts of the process.
func TestMemoryBudgetWithin(t *testing.T) {
	const mib = 1 << 20
	for limit, want := range map[int64]units.Size{64: 16, 128: 16, 256: 16, 384: 72, 512: 160, 1024: 512, 65536: 512} {
		assert.Equal(t, want*mib, memoryBudgetWithin(limit*mib), "limit %d MiB", limit)
	}
}
