package wirepath_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/slowburn/slowburn"
	"github.com/slowburn/slowburn/processor/otlp/wirepath"
	"github.com/slowburn/slowburn/processor/tailsampling"
	"github.com/slowburn/slowburn/processor/tailsampling/destination"
)

// TestConvert runs the converter over every file of testdata. The keys that it must write are under `expect`, by receiver,
// connector and processor; null is none. Everything else must stay unchanged, except the processors of pipelines under `left`.
// `refused`, if present, is the error. `says` has a part of each line of Explain and Notices.
func TestConvert(t *testing.T) {
	eachFile(t, func(t *testing.T, text string) {
		before := parse(t, text)
		if refused, ok := before["refused"].([]any); ok {
			err := converter().Convert(t.Context(), confmap.NewFromStringMap(before))
			require.Error(t, err)
			lines := strings.Split(err.Error(), "\n")
			require.Len(t, lines, len(refused), err)
			for i, want := range refused {
				assert.Contains(t, lines[i], want)
			}
			return
		}
		explains(t, before)
		want, ok := before["expect"].(map[string]any)
		require.True(t, ok, "the file says under expect what is to come out")

		after := convert(t, before)
		for id, v := range want {
			section := sectionOf(before, id)
			component := at(after, section, id)
			if v == nil {
				assert.NotContains(t, component, keys[section], id)
				continue
			}
			assert.Equal(t, v, component[keys[section]], id)
			err := converter().Convert(t.Context(), confmap.NewFromStringMap(after))
			require.ErrorContains(t, err, section+"::"+id+"::"+keys[section]+": ", "as if a user had put it there")
			delete(component, keys[section])
			if at(before, section, id) == nil {
				at(after, section)[id] = at(before, section)[id]
			}
		}
		stays := parse(t, text)
		for pipeline, processors := range at(stays, "left") {
			at(stays, "service", "pipelines", pipeline)["processors"] = processors
		}
		assert.Equal(t, stays, after, "all else stays")
	})
}

// explains checks that Explain returns the lines under a file's `says`.
func explains(t *testing.T, config map[string]any) {
	want, ok := config["says"].([]any)
	if !ok {
		return
	}
	conf := confmap.NewFromStringMap(config)
	lines := append(wirepath.Explain(conf), wirepath.Notices(conf)...)
	require.Len(t, lines, len(want), lines)
	for i := range want {
		assert.Contains(t, lines[i], want[i])
	}
}

// TestNotice checks that the Collector's log names what is removed.
func TestNotice(t *testing.T) {
	text, err := os.ReadFile("testdata/batch_before_decision.yaml")
	require.NoError(t, err)
	core, logs := observer.New(zap.WarnLevel)
	c := wirepath.NewFactory().Create(confmap.ConverterSettings{Logger: zap.New(core)})
	require.NoError(t, c.Convert(t.Context(), confmap.NewFromStringMap(parse(t, string(text)))))
	require.Equal(t, 2, logs.Len())
	assert.Contains(t, logs.All()[0].Message, "service::pipelines::traces/in::processors: batch is left out")
}

// keys are the keys that the converter writes, by section.
var keys = map[string]string{"receivers": "wire_path", "connectors": "wire_path", "processors": "destinations"}

// TestDestinationsAreRead checks that tail_sampling reads the converter's keys.
func TestDestinationsAreRead(t *testing.T) {
	conf := confmap.NewFromStringMap(parse(t, slowburn.DefaultConfig))
	require.NoError(t, converter().Convert(t.Context(), conf))
	own, err := conf.Sub("processors::tail_sampling")
	require.NoError(t, err)
	cfg := tailsampling.NewFactory().CreateDefaultConfig().(*tailsampling.Config)
	require.NoError(t, own.Unmarshal(cfg))
	assert.Equal(t, []destination.Destination{
		{ID: "trace_store", Pipeline: "traces/sampled", Bytes: true, Exporters: []string{"trace_store"}},
	}, cfg.Destinations)
}

// TestShippedConfig checks that the gateway as shipped uses the wire path.
func TestShippedConfig(t *testing.T) {
	after := convert(t, parse(t, slowburn.DefaultConfig))
	assert.Equal(t, true, at(after, "receivers", "otlp")["wire_path"])
	assert.Equal(t, true, at(after, "connectors", "sli")["wire_path"])
}

// TestOrderOfMapsDoesNotMatter converts one configuration many times, as Go's maps have no order.
func TestOrderOfMapsDoesNotMatter(t *testing.T) {
	for _, file := range []string{"one_branch_exports_everything", "sampler_in_two_pipelines", "mixed_exporters"} {
		text, err := os.ReadFile("testdata/" + file + ".yaml")
		require.NoError(t, err)
		want := convert(t, parse(t, string(text)))
		for range 50 {
			require.Equal(t, want, convert(t, parse(t, string(text))))
		}
	}
}

// sectionOf returns the section of a component. The files give no two components the same ID.
func sectionOf(config map[string]any, id string) string {
	for section := range keys {
		if _, ok := at(config, section)[id]; ok {
			return section
		}
	}
	return ""
}

// eachFile runs a test for every file of testdata.
func eachFile(t *testing.T, test func(t *testing.T, text string)) {
	files, err := filepath.Glob("testdata/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			test(t, string(text))
		})
	}
}

func converter() confmap.Converter {
	return wirepath.NewFactory().Create(confmap.ConverterSettings{})
}

func convert(t *testing.T, config map[string]any) map[string]any {
	t.Helper()
	conf := confmap.NewFromStringMap(config)
	require.NoError(t, converter().Convert(t.Context(), conf))
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

// TestExpectNamesAll checks that each receiver, connector and processor in the files has an expectation.
func TestExpectNamesAll(t *testing.T) {
	eachFile(t, func(t *testing.T, text string) {
		conf := parse(t, text)
		if _, ok := conf["refused"]; ok {
			return
		}
		var all []string
		for section := range keys {
			all = slices.AppendSeq(all, maps.Keys(at(conf, section)))
		}
		assert.ElementsMatch(t, all, slices.Collect(maps.Keys(at(conf, "expect"))))
	})
}
