package main

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
	"go.yaml.in/yaml/v3"

	"github.com/slowburn/slowburn"
	"github.com/slowburn/slowburn/cmd/slowburn/internal/reference"
	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/slo"
)

func referenceOf(t *testing.T) (*reference.Reference, otelcol.Factories) {
	f, err := factories(nil)
	require.NoError(t, err)
	ref, err := reference.Of("../..", f)
	require.NoError(t, err)
	return ref, f
}

// TestReference fails if the page and the schema differ from the code. With -rewrite it writes them.
func TestReference(t *testing.T) {
	ref, _ := referenceOf(t)
	schema, err := ref.JSON()
	require.NoError(t, err)
	const pageFile, schemaFile = "../../docs/reference/config.md", "../../docs/reference/config.schema.json"
	if *rewrite {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
		require.NoError(t, err)
		packed := w.EncodeAll(schema, nil)
		require.NoError(t, w.Close())
		for file, content := range map[string][]byte{pageFile: ref.Markdown(), schemaFile: schema, schemaFile + ".zst": packed} {
			require.NoError(t, os.WriteFile(file, content, 0o644)) //nolint:gosec // for everybody
		}
		return // the embedded ones are older
	}
	embedded, err := slowburn.ConfigSchema()
	require.NoError(t, err)
	page, err := os.ReadFile(pageFile)
	require.NoError(t, err)
	readable, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	for name, got := range map[string]bool{
		pageFile: bytes.Equal(page, ref.Markdown()), schemaFile: bytes.Equal(readable, schema), schemaFile + ".zst": bytes.Equal(embedded, schema),
	} {
		assert.True(t, got, "%s is out of date: run `make reference`", name)
	}
}

// TestReferenceIsComplete fails for a key of ours without a rule, and for a rule without a key.
func TestReferenceIsComplete(t *testing.T) {
	ref, _ := referenceOf(t)
	seen := map[string]bool{}
	ref.Own(func(k *reference.Key) {
		seen[strings.Replace(k.Path, "::shadow::rules[]", "::rules[]", 1)] = true
		if strings.HasSuffix(k.Path, "[]") || strings.HasSuffix(k.Path, "*") {
			return
		}
		assert.NotEmpty(t, k.Doc, "%s: write what it is above its field, or in the rules of package reference", k.Path)
		switch k.Kind {
		case reference.Bool, reference.Object, reference.PolicyKind:
		default:
			assert.NotEmpty(t, k.Valid(), "%s: write which values are valid into the rules of package reference", k.Path)
		}
	})
	for _, path := range reference.RulePaths() {
		assert.True(t, seen[path], "%s: there is no such key: remove its rule from package reference", path)
	}
}

// TestCollectorKeysAreDescribed fails for a key of the Collector's within a component of ours that nothing is said about, and for a
// description of a key that does not exist.
func TestCollectorKeysAreDescribed(t *testing.T) {
	ref, _ := referenceOf(t)
	described := map[string]bool{}
	ref.Foreign(func(k *reference.Key) {
		assert.NotEmpty(t, k.Doc, "%s: write what it is into collectorDocs of package reference", k.Path)
		described[k.Doc] = true
	})
	for key, doc := range reference.CollectorDocs() {
		assert.True(t, described[doc], "%s: there is no such key: remove it from collectorDocs of package reference", key)
	}
}

// TestRulesHold asks each component itself what its keys take: what a rule calls valid, and what is just beyond.
func TestRulesHold(t *testing.T) {
	t.Setenv("SLOWBURN_DATA_DIR", t.TempDir())
	ref, f := referenceOf(t)
	held := 0
	ref.Own(func(k *reference.Key) {
		c := checker{factories: f, key: k}
		for _, value := range append(c.valid(), k.Rule.OneOf...) {
			held++
			assert.NoError(t, c.check(value), "%s: %s", k.Path, value)
		}
		for _, value := range c.invalid() {
			held++
			assert.Error(t, c.check(value), "%s: %s", k.Path, value)
		}
	})
	require.Greater(t, held, 150)
}

// checker validates values of one key by their components.
type checker struct {
	factories otelcol.Factories
	key       *reference.Key
}

func (c checker) numeric() bool {
	return c.key.Kind == reference.Integer || c.key.Kind == reference.Number || c.key.Kind == reference.Quantity
}

func (c checker) valid() (values []string) {
	r := c.key.Rule
	for _, bound := range []string{r.Min, r.Max} {
		if bound != "" {
			values = append(values, bound)
		}
	}
	if r.Zero != "" && c.numeric() {
		values = append(values, "0")
	}
	return values
}

func (c checker) invalid() (values []string) {
	r := c.key.Rule
	if len(r.OneOf) > 0 {
		values = append(values, "floppy")
	}
	if r.Text == "above 0" && c.numeric() {
		values = append(values, "0")
	}
	if r.Min != "" {
		if below := c.shift(r.Min, -1); r.Zero == "" || below != "0" && below != "0ms" && below != "0B" {
			values = append(values, below)
		}
	}
	if r.Max != "" {
		values = append(values, c.shift(r.Max, 1))
	}
	return values
}

// shift returns the value next to one.
func (c checker) shift(value string, by int64) string {
	if c.key.Unit == nil {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			panic(err)
		}
		return strconv.FormatInt(n+by, 10)
	}
	if value == "0" {
		return strconv.FormatInt(by, 10)
	}
	if !c.key.Unit.Bytes {
		d, err := slo.ParseDuration(value)
		if err != nil {
			panic(err)
		}
		return fmt.Sprintf("%dms", d.Milliseconds()+by*min(time.Minute, d).Milliseconds())
	}
	for i, unit := range []string{"B", "KiB", "MiB", "GiB"} {
		number, err := strconv.ParseInt(strings.TrimSuffix(value, unit), 10, 64)
		if err == nil {
			return fmt.Sprintf("%dB", number*int64(math.Pow(1024, float64(i)))+by)
		}
	}
	panic("no size: " + value)
}

// bases holds the other keys that a component needs, by prefix of the key's path; the longest prefix counts.
var bases = map[string]string{
	"receivers::otlp":           `{protocols: {grpc: {}, http: {}}}`,
	"exporters::otlp_grpc":      `{endpoint: "127.0.0.1:4317"}`,
	"exporters::otlp_http":      `{endpoint: "http://127.0.0.1:4318"}`,
	"processors::tail_sampling": `{memory_budget: 2GiB, disk_budget: 8GiB, fsync: interval, policies: [{name: all, type: always_sample}]}`,

	"extensions::slo":                        `{objectives: [{name: a, target: 99, availability: {}}], receivers: [{name: r, webhook: {endpoint: "http://127.0.0.1:1/"}}]}`,
	"extensions::slo::objectives[]::latency": `{objectives: [{name: a, target: 99, latency: {threshold: 1s}}]}`,
	"extensions::slo::objectives[]::promql":  `{objectives: [{name: a, target: 99, promql: {bad: "sum(increase(b[{{.window}}]))", total: "sum(increase(t[{{.window}}]))"}}]}`,
	"extensions::slo::objectives[]::slices":  `{objectives: [{name: a, target: 99, availability: {}, slices: {target: 99}}]}`,
	"extensions::slo::objectives[]::tiers":   `{objectives: [{name: a, target: 99, availability: {}, tiers: [{severity: page, long_window: 1h, short_window: 5m, factor: 10}]}]}`,
	"extensions::slo::objectives[]::window":  `{objectives: [{name: a, target: 99, availability: {}, tiers: []}]}`,

	"policy::numeric_attribute": `{key: a, min_value: 1}`,
	"policy::string_attribute":  `{key: a, values: [b]}`,
	"policy::ottl_condition":    `{span: ['name == "a"']}`,
	"policy::bytes_limiting":    `{bytes_per_second: 1}`,
	"policy::rate_limiting":     `{spans_per_second: 1}`,
	"policy::dynamic":           `{spans_per_second: 1}`,
	"policy::composite":         `{max_total_spans_per_second: 1, composite_sub_policy: [{name: a, type: always_sample}], rate_allocation: [{policy: a}]}`,
}

// check returns the component's errors about a value of the key.
func (c checker) check(value string) error {
	longest := ""
	for beginning := range bases {
		if strings.HasPrefix(c.key.Path, beginning) && len(beginning) > len(longest) {
			longest = beginning
		}
	}
	conf := map[string]any{}
	if err := yaml.Unmarshal([]byte(bases[longest]), &conf); err != nil {
		return err
	}
	var parsed any
	if err := yaml.Unmarshal([]byte(value), &parsed); err != nil {
		return err
	}
	if c.key.Kind == reference.String {
		parsed = value
	}
	parts := strings.Split(c.key.Path, "::")
	if parts[0] == "policy" {
		set(conf, parts[2:], parsed)
		policies := []any{map[string]any{"name": "p", "type": parts[1], parts[1]: conf}}
		return c.component("processors", "tail_sampling", map[string]any{"policies": policies})
	}
	set(conf, parts[2:], parsed)
	return c.component(parts[0], parts[1], conf)
}

// set writes a value below a map, into the first element of each list.
func set(conf map[string]any, path []string, value any) {
	name, list := strings.CutSuffix(path[0], "[]")
	if len(path) == 1 {
		conf[name] = value
		return
	}
	next := map[string]any{}
	if list {
		if elements, ok := conf[name].([]any); ok {
			next = elements[0].(map[string]any)
		} else {
			conf[name] = []any{next}
		}
	} else if m, ok := conf[name].(map[string]any); ok {
		next = m
	} else {
		conf[name] = next
	}
	set(next, path[1:], value)
}

// component decodes and validates a component's configuration.
func (c checker) component(section, name string, conf map[string]any) error {
	typ := component.MustNewType(name)
	factory := map[string]component.Factory{
		"receivers": c.factories.Receivers[typ], "processors": c.factories.Processors[typ], "connectors": c.factories.Connectors[typ],
		"exporters": c.factories.Exporters[typ], "extensions": c.factories.Extensions[typ],
	}[section]
	cfg := factory.CreateDefaultConfig()
	found := units.Check("", conf, cfg) // before decoding, as in the gateway
	if len(found.Refused) > 0 {
		return errors.New(found.Refused[0].String())
	}
	all := confmap.NewFromStringMap(conf)
	for key, text := range found.Rewritten {
		if err := all.Merge(confmap.NewFromStringMap(map[string]any{strings.TrimPrefix(key, "::"): text})); err != nil {
			return err
		}
	}
	if err := all.Unmarshal(cfg); err != nil {
		return err
	}
	return confmap.Validate(cfg)
}
