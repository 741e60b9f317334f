package tsdb

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/otlptranslator"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/slowburn/slowburn/internal/units"
)

func load(t *testing.T, file string, into component.Config) error {
	t.Helper()
	conf, err := confmaptest.LoadConf(file)
	require.NoError(t, err)
	if err := confmap.NewFromStringMap(conf.ToStringMap()).Unmarshal(into); err != nil {
		return err
	}
	return confmap.Validate(into)
}

func TestDefaults(t *testing.T) {
	config := defaultConfig().(*Config)
	require.NoError(t, confmap.Validate(config))
	assert.Equal(t, filepath.Join("slowburn-data", "tsdb"), config.Directory)
	assert.Equal(t, "5w", config.Retention.String())
	assert.False(t, config.Remote.HasValue())
	require.NoError(t, componenttest.CheckConfigStruct(config))
	require.NoError(t, componenttest.CheckConfigStruct(defaultExporterConfig()))
	require.NoError(t, confmap.Validate(defaultExporterConfig()))
}

func TestGoodConfig(t *testing.T) {
	config := defaultConfig().(*Config)
	require.NoError(t, load(t, filepath.Join("testdata", "config", "embedded.yaml"), config))
	assert.Equal(t, model.Duration(90*24*time.Hour), config.Retention)
	assert.Equal(t, units.Size(10e9), config.RetentionSize)
	assert.Zero(t, config.OutOfOrderTimeWindow)
	assert.Equal(t, time.Minute, config.QueryTimeout)

	config = defaultConfig().(*Config)
	require.NoError(t, load(t, filepath.Join("testdata", "config", "remote.yaml"), config))
	require.True(t, config.Remote.HasValue())
	assert.Equal(t, "https://mimir.example/prometheus", config.Remote.Get().Endpoint)

	exporter := defaultExporterConfig().(*ExporterConfig)
	require.NoError(t, load(t, filepath.Join("testdata", "config", "exporter.yaml"), exporter))
	assert.Equal(t, &ExporterConfig{
		Extension: component.NewIDWithName(componentType, "other"), PromoteResourceAttributes: []string{"service.name", "team"},
		TranslationStrategy: otlptranslator.UnderscoreEscapingWithoutSuffixes,
	}, exporter)
}

// TestBadConfig pairs each bad file with the errors that it must give, which its first lines say.
func TestBadConfig(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "config", "*.bad.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			err = load(t, file, defaultConfig())
			require.Error(t, err)
			for line := range strings.Lines(string(content)) {
				if want, ok := strings.CutPrefix(line, "# "); ok {
					assert.ErrorContains(t, err, strings.TrimSpace(want))
				}
			}
		})
	}
}

func TestBadExporterConfig(t *testing.T) {
	config := defaultExporterConfig().(*ExporterConfig)
	config.PromoteResourceAttributes = []string{"a", ""}
	config.TranslationStrategy = "Nothing"
	assert.ErrorContains(t, config.Validate(), "promote_resource_attributes[1]: is empty")
	assert.ErrorContains(t, config.Validate(), `translation_strategy: "Nothing" is not one of UnderscoreEscapingWithSuffixes, `)
}

// TestOptions checks the options of Prometheus' server that differ from the library's defaults.
func TestOptions(t *testing.T) {
	config := testConfig(t)
	o := options(config)
	assert.Equal(t, (84 * time.Hour).Milliseconds(), o.MaxBlockDuration, "a tenth of the retention")
	assert.Equal(t, (5 * time.Minute).Milliseconds(), o.OutOfOrderTimeWindow)
	config.Retention = model.Duration(3 * time.Hour)
	assert.Equal(t, (2 * time.Hour).Milliseconds(), options(config).MaxBlockDuration, "no less than one block")
	config.Retention = model.Duration(3 * 365 * 24 * time.Hour)
	assert.Equal(t, (31 * 24 * time.Hour).Milliseconds(), options(config).MaxBlockDuration, "no more than a month")
}
