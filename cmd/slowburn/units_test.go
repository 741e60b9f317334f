package main

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/cmd/slowburn/internal/checks"
	"github.com/slowburn/slowburn/internal/units"
)

// Every duration and size among our keys, in every component, is read by the one grammar and refuses a number without a unit;
// keys of the Collector and of contrib keep their meaning, with a warning. The keys are found by the types of the configurations,
// so none can be missed.
func TestOneGrammarOfUnits(t *testing.T) {
	src := &source{}
	u := checks.NewUnits(src.factories)
	defaults, err := checks.DefaultsOf(src.factories)
	require.NoError(t, err)
	seen := map[bool]int{}
	for class, configs := range defaults {
		for typ, config := range configs {
			id := class + "::" + typ.String()
			units.Keys(id, config, func(key string, kind reflect.Type, ours, inList bool) {
				seen[ours]++
				path := strings.Split(key, confmap.KeyDelimiter)
				convert := func(value any) (map[string]any, error) {
					conf := confmap.NewFromStringMap(nest(path, value))
					err := u.Converter().Create(confmap.ConverterSettings{}).Convert(t.Context(), conf)
					return conf.ToStringMap(), err
				}
				isDuration := strings.HasSuffix(kind.Name(), "Duration")
				_, err := convert(0)
				require.NoError(t, err, key)
				switch _, err := convert(300); {
				case !ours && isDuration:
					require.NoError(t, err, key)
					require.Len(t, u.Warnings(), 1, key)
					assert.Contains(t, u.Warnings()[0], "300 has no unit, and is 300ns; write what is meant with a unit, as in 300s")
				case ours && !strings.HasSuffix(key, "_bytes"):
					require.ErrorContains(t, err, "300 has no unit; write 300", key)
					require.ErrorContains(t, err, strings.NewReplacer("::*::", "[0]::", "::*", "[0]").Replace(key)+": ")
				default:
					require.NoError(t, err, key)
				}
				if !ours {
					return
				}
				good := []string{"20GB", "20GiB", "1.5MiB", "512KB", "3B"}
				if isDuration {
					good = []string{"7d", "1w", "1h30m", "1.5h", "300ms"}
					assert.False(t, inList && kind.PkgPath() == "time", "%s is in a list, where nothing is rewritten: make it a units.Duration", key)
					if _, err := convert("soon"); kind != reflect.TypeFor[units.Duration]() { // which reports it itself
						require.ErrorContains(t, err, `"soon" is no duration: write it like`, key)
					}
				}
				for _, text := range good {
					all, err := convert(text)
					require.NoError(t, err, "%s: %s", key, text)
					if inList {
						continue
					}
					read := reflect.New(kind)
					at := any(all)
					for _, name := range path {
						at = at.(map[string]any)[name]
					}
					into := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "Key", Type: kind, Tag: `mapstructure:"key"`}}))
					require.NoError(t, confmap.NewFromStringMap(map[string]any{"key": at}).Unmarshal(into.Interface()), "%s: %s", key, text)
					read.Elem().Set(into.Elem().Field(0))
					if isDuration {
						want, err := units.ParseDuration(text)
						require.NoError(t, err)
						assert.Equal(t, int64(want), read.Elem().Int(), "%s: %s", key, text)
					} else if text == "20GB" {
						assert.Equal(t, int64(20e9), read.Elem().Int(), key)
					}
				}
			})
		}
	}
	assert.Greater(t, seen[true], 40, "of ours")
	assert.Greater(t, seen[false], 40, "of others")
	require.Contains(t, defaults["extensions"], component.MustNewType("tsdb"))
}

// nest puts a value at the end of a path; * stands for an element of a list.
func nest(path []string, value any) map[string]any {
	at := value
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == "*" {
			at = []any{at}
		} else {
			at = map[string]any{path[i]: at}
		}
	}
	return map[string]any{path[0]: at}
}
