package sli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func load(t *testing.T, file string) (*Config, error) {
	conf, err := confmaptest.LoadConf(file)
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	if err := conf.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func TestDefaultConfigIsValid(t *testing.T) {
	require.NoError(t, confmap.Validate(createDefaultConfig()))
}

func TestFullConfig(t *testing.T) {
	cfg, err := load(t, "testdata/full.yaml")
	require.NoError(t, err)
	assert.Equal(t, &Config{
		Directory: "/var/lib/slowburn",
		Interval:  15 * time.Second,
		Expiry:    0,
		Limits:    Limits{Services: 1, Operations: 2, Versions: 3, Reasons: 4},
		Repeats:   Repeats{Window: time.Minute, Memory: 1 << 20},
	}, cfg)
}

// TestBadConfigs: beside every *.bad.yaml is a file with the texts that its error must contain, one per line.
func TestBadConfigs(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			want, err := os.ReadFile(strings.TrimSuffix(file, ".yaml") + ".txt")
			require.NoError(t, err)
			_, err = load(t, file)
			require.Error(t, err)
			for line := range strings.Lines(string(want)) {
				assert.ErrorContains(t, err, strings.TrimSpace(line))
			}
		})
	}
}

func TestSeriesWithin(t *testing.T) {
	for limit, want := range map[int64]int{128 << 20: leastSeries, 1 << 30: 26214, 1 << 40: mostSeries} {
		assert.Equal(t, want, seriesWithin(limit))
	}
}
