package wirepath_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn"
	"github.com/slowburn/slowburn/processor/otlp/wirepath"
)

// TestConvert runs the converter over every file of testdata. What it is to write is under `expect`, by receiver and
// connector; null is nothing. Everything else has to stay as it was, and a user's own wire_path must not matter.
func TestConvert(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			before := parse(t, string(text))
			want, ok := before["expect"].(map[string]any)
			require.True(t, ok, "the file says under expect what is to come out")

			after := convert(t, before)
			for id, v := range want {
				source := at(after, sectionOf(before, id), id)
				if v == nil {
					assert.NotContains(t, source, "wire_path", id)
					continue
				}
				assert.Equal(t, v, source["wire_path"], id)
			}
			assert.Equal(t, after, convert(t, after), "converting twice is converting once")
			for id, v := range want {
				if v != nil {
					kind := sectionOf(before, id)
					at(after, kind, id)["wire_path"] = !v.(bool)
					assert.Equal(t, v, at(convert(t, after), kind, id)["wire_path"], "over what a user put there")
					delete(at(after, kind, id), "wire_path")
					if at(before, kind, id) == nil {
						at(after, kind)[id] = at(before, kind)[id]
					}
				}
			}
			assert.Equal(t, parse(t, string(text)), after, "all else stays")
		})
	}
}

// TestShippedConfig holds the point of it all: the gateway as shipped takes the wire path.
func TestShippedConfig(t *testing.T) {
	after := convert(t, parse(t, slowburn.DefaultConfig))
	assert.Equal(t, true, at(after, "receivers", "otlp")["wire_path"])
	assert.Equal(t, true, at(after, "connectors", "sli")["wire_path"])
}

// TestOrderOfMapsDoesNotMatter converts one configuration many times, as Go's maps have no order.
func TestOrderOfMapsDoesNotMatter(t *testing.T) {
	text, err := os.ReadFile("testdata/one_branch_exports_everything.yaml")
	require.NoError(t, err)
	want := convert(t, parse(t, string(text)))
	for range 50 {
		require.Equal(t, want, convert(t, parse(t, string(text))))
	}
}

// sectionOf returns the section that has the component. The Collector does not let two sections share an ID.
func sectionOf(config map[string]any, id string) string {
	if _, ok := at(config, "connectors")[id]; ok {
		return "connectors"
	}
	return "receivers"
}

func convert(t *testing.T, config map[string]any) map[string]any {
	t.Helper()
	conf := confmap.NewFromStringMap(config)
	require.NoError(t, wirepath.NewFactory().Create(confmap.ConverterSettings{}).Convert(t.Context(), conf))
	return conf.ToStringMap()
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	r, err := confmap.NewRetrievedFromYAML([]byte(text))
	require.NoError(t, err)
	conf, err := r.AsConf()
	require.NoError(t, err)
	return conf.ToStringMap()
}

func at(m map[string]any, path ...string) map[string]any {
	for _, key := range path {
		next, ok := m[key].(map[string]any)
		if !ok {
			return nil
		}
		m = next
	}
	return m
}

// TestExpectNamesAll keeps the files honest: each receiver and each connector has an expectation.
func TestExpectNamesAll(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		conf := parse(t, string(text))
		sources := slices.AppendSeq(slices.Collect(maps.Keys(at(conf, "receivers"))), maps.Keys(at(conf, "connectors")))
		assert.ElementsMatch(t, sources, slices.Collect(maps.Keys(at(conf, "expect"))), file)
	}
}
