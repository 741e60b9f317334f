package slowburn_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// shared are the prefixes of metrics that several components have in common, by the type in metadata.yaml.
var shared = map[string]string{
	"otlp_export": "exporter_otlp",  // exporters otlp_grpc and otlp_http, distinguished by a label
	"tsdb":        "extension_tsdb", // the exporter writes into the extension's database
}

// contribNames are metrics of contrib's tail sampler, which its dashboards expect.
var contribNames = []string{
	"processor_tail_sampling_count_bytes_sampled",
	"processor_tail_sampling_sampling_decision_timer_latency",
	"processor_tail_sampling_sampling_late_span_age",
	"processor_tail_sampling_sampling_trace_removal_age",
}

// contribFiltered is the metric of contrib's filter, which also counts spans that are filtered as wire bytes.
const contribFiltered = "otelcol_processor_filter_spans.filtered"

// unitSuffix is the ending of a metric's name by its unit; a count of things has an annotation such as {span}.
var unitSuffix = map[string]string{"By": "_bytes", "s": "_seconds"}

var (
	annotation = regexp.MustCompile(`^\{[a-z]+\}$`)
	instrument = regexp.MustCompile(`^(Int64|Float64)(Observable)?(Counter|UpDownCounter|Gauge|Histogram)$`)
	ownPrefix  = regexp.MustCompile(`^otelcol_(receiver|processor|connector|exporter|extension)_[a-z0-9]+(_[a-z0-9]+)*$`)
)

// TestMetricNames fails for a metric of the product that is not named otelcol_<kind>_<type>_<noun>_<unit>.
func TestMetricNames(t *testing.T) {
	declared, wrong, err := metricNames(os.DirFS("."))
	require.NoError(t, err)
	for _, w := range wrong {
		t.Error(w)
	}
	assert.Greater(t, declared, 100, "the metrics were not found")
}

// metricNames counts the metrics that are declared in metadata.yaml or created in code, and returns mistakes in their names.
func metricNames(house fs.FS) (declared int, wrong []string, err error) {
	err = fs.WalkDir(house, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "node_modules" {
			return fs.SkipDir
		}
		if path.Base(file) != "metadata.yaml" {
			return nil
		}
		names, problems, err := declaredNames(house, file)
		declared += names
		wrong = append(wrong, problems...)
		return err
	})
	if err != nil {
		return 0, nil, err
	}
	err = sources(house, func(file string, parsed *ast.File, positions *token.FileSet) {
		ast.Inspect(parsed, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			s, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !instrument.MatchString(s.Sel.Name) {
				return true
			}
			name, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				return true
			}
			declared++
			if text, _ := strconv.Unquote(name.Value); !ownPrefix.MatchString(text) && text != contribFiltered {
				wrong = append(wrong, fmt.Sprintf("%s:%d: %s is not named otelcol_<kind>_<type>_…", file, positions.Position(name.Pos()).Line, name.Value))
			}
			return true
		})
	})
	return declared, wrong, err
}

func declaredNames(house fs.FS, file string) (declared int, wrong []string, err error) {
	var doc struct {
		Type      string
		Status    struct{ Class string }
		Telemetry struct {
			Metrics map[string]struct{ Unit string }
		}
	}
	text, err := fs.ReadFile(house, file)
	if err != nil {
		return 0, nil, err
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return 0, nil, fmt.Errorf("%s: %w", file, err)
	}
	prefix := doc.Status.Class + "_" + doc.Type
	if doc.Status.Class == "pkg" {
		prefix = shared[doc.Type]
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Telemetry.Metrics)) {
		declared++
		if prefix == "" || !strings.HasPrefix(name, prefix+"_") {
			wrong = append(wrong, fmt.Sprintf("%s: %s does not begin with %s_", file, name, prefix))
		}
		if slices.Contains(contribNames, name) {
			continue
		}
		unit := doc.Telemetry.Metrics[name].Unit
		suffix, measured := unitSuffix[unit]
		if !measured && unit != "1" && !annotation.MatchString(unit) {
			wrong = append(wrong, fmt.Sprintf("%s: %s has unit %q: write By, s, 1, or what is counted in braces", file, name, unit))
		}
		for u, s := range unitSuffix {
			if strings.HasSuffix(name, s) != (s == suffix) && (u == unit || strings.HasSuffix(name, s)) {
				wrong = append(wrong, fmt.Sprintf("%s: %s has unit %q, and a name that ends otherwise", file, name, unit))
			}
		}
	}
	return declared, wrong, nil
}

// TestMetricNamesStands shows that the check finds wrong names.
func TestMetricNamesStands(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	_, wrong, err := metricNames(fstest.MapFS{
		"slo/a/metadata.yaml": file("type: a\nstatus: {class: connector}\ntelemetry:\n  metrics:\n" +
			"    a_spans: {unit: '{span}'}\n    connector_a_spans: {unit: '{span}'}\n    connector_a_size: {unit: By}\n" +
			"    connector_a_wait_seconds: {unit: '{span}'}\n    connector_a_time_seconds: {unit: s}\n    connector_a_wait: {unit: ms}"),
		"web/a.go": file("package web\nfunc f(m meter) {\n\tm.Int64Counter(\"otelcol_web_x\")\n\tm.Float64ObservableGauge(\"otelcol_extension_web_x\")\n}"),
	})
	require.NoError(t, err)
	assert.Equal(t, []string{
		`slo/a/metadata.yaml: a_spans does not begin with connector_a_`,
		`slo/a/metadata.yaml: connector_a_size has unit "By", and a name that ends otherwise`,
		`slo/a/metadata.yaml: connector_a_wait has unit "ms": write By, s, 1, or what is counted in braces`,
		`slo/a/metadata.yaml: connector_a_wait_seconds has unit "{span}", and a name that ends otherwise`,
		`web/a.go:3: "otelcol_web_x" is not named otelcol_<kind>_<type>_…`,
	}, wrong)
}
