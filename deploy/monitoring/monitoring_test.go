// Package monitoring_test compares the alerts, recording rules and dashboards of this directory with the metrics that the product
// declares, and with the runbooks.
package monitoring_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/slowburn/slowburn/slo/metrics"
)

const root = "../.."

// foreign are metrics that no metadata.yaml of ours declares, with their labels: the Collector's own, which
// TestDashboardsShowDemo looks for in a running gateway, and Prometheus'.
var foreign = map[string][]string{
	"up":                          nil,
	"otelcol_process_uptime":      nil,
	"otelcol_process_cpu_seconds": nil,
	"otelcol_process_memory_rss":  nil,
	"otelcol_process_runtime_heap_alloc_bytes": nil,
	"otelcol_receiver_accepted_spans":          {"receiver", "transport"},
	"otelcol_receiver_refused_spans":           {"receiver", "transport"},
	"slowburn_sli_events_total":                {"objective", "service_name", "span_name", "service_version"},
	"slowburn_sli_bad_events_total":            {"objective", "service_name", "span_name", "service_version", "reason"},
}

// target are the labels that the scraper adds; le is that of histograms.
var target = []string{"job", "instance", "le"}

// attribute is a label of a metric; values are all of its possible values, nil if they are not known beforehand.
type attribute struct {
	Type   string
	Name   string   `json:"name_override"` // if it differs from metadata.yaml
	Values []string `json:"enum"`
}

// metric describes a metric.
type metric struct{ attributes map[string]attribute }

// TestExpressions fails for a metric, a label or a label value that the product does not have.
func TestExpressions(t *testing.T) {
	known := declared(t)
	checked := 0
	check := func(where, expr string) {
		checked++
		for _, wrong := range mistakes(known, expr) {
			t.Errorf("%s: %s\n\t%s", where, wrong, expr)
		}
	}
	for _, r := range rules(t) {
		check(r.file+": "+r.Alert+r.Record, r.Expr)
	}
	for where, expr := range dashboardExpressions(t) {
		check(where, expr)
	}
	assert.Greater(t, checked, 80, "the expressions were not found")
}

// TestMistakesAreFound checks that the test above can fail.
func TestMistakesAreFound(t *testing.T) {
	known := declared(t)
	for expr, want := range map[string]string{
		`otelcol_processor_tail_sampling_lost_span`:                                      "emits no metric otelcol_processor_tail_sampling_lost_span",
		`rate(otelcol_extension_tsdb_query_duration_seconds[5m])`:                        "emits no metric otelcol_extension_tsdb_query_duration_seconds",
		`otelcol_extension_slo_deliveries{outcome="died"}`:                               `outcome is never "died"`,
		`otelcol_extension_slo_deliveries{recipient="oncall"}`:                           "has no label recipient",
		`sum by (reasons) (rate(otelcol_processor_tail_sampling_refused_spans[5m]))`:     "has no label reasons",
		`otelcol_processor_tail_sampling_trace_decisions{trigger=~"size|memory|budget"}`: `trigger is never "budget"`,
		`sum(`: "parse error",
		`sum(otelcol_processor_tail_sampling_lost_spans) / job:nobody_records:rate5m`: "emits no metric job:nobody_records:rate5m",
		`slowburn_slo_burn_rate`:                             "emits no metric slowburn_slo_burn_rate",
		`sum by (windows) (slowburn_slo_burn_rate_ratio)`:    "has no label windows",
		`slowburn_slo_alerts{alertstate="resolved"}`:         `alertstate is never "resolved"`,
		`slowburn_slo_state{state="ok",severity="page"} > 0`: "has no label severity",
	} {
		assert.Contains(t, strings.Join(mistakes(known, expr), "\n"), want, expr)
	}
	assert.Empty(t, mistakes(known, `sum by (le, instance) (rate(otelcol_extension_tsdb_query_duration_seconds_bucket{job="a"}[5m]))`))
}

// TestRunbooks checks that each alert has a section of docs/operations.md, and each such section an alert.
func TestRunbooks(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	require.NoError(t, err)
	sections := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^### (Slowburn\w+)$`).FindAllStringSubmatch(string(text), -1) {
		sections[strings.ToLower(heading[1])] = false
	}
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		assert.NotEmpty(t, r.Annotations["summary"], r.Alert)
		assert.NotEmpty(t, r.Annotations["description"], r.Alert)
		assert.Contains(t, []string{"critical", "warning"}, r.Labels["severity"], r.Alert)
		page, anchor, _ := strings.Cut(r.Annotations["runbook_url"], "#")
		assert.Equal(t, "https://github.com/slowburn/slowburn/blob/main/docs/operations.md", page, r.Alert)
		_, there := sections[anchor]
		assert.True(t, there, "%s: docs/operations.md has no section %s", r.Alert, anchor)
		sections[anchor] = true
	}
	for section, used := range sections {
		assert.True(t, used, "docs/operations.md: no alert leads to %s", section)
	}
}

// TestEachAlertIsTested checks that promtool has a case in which each alert fires and one in which it does not, and one of each rule.
func TestEachAlertIsTested(t *testing.T) {
	var cases struct {
		Tests []struct {
			Alerts []struct {
				Name string `json:"alertname"`
				Want []any  `json:"exp_alerts"`
			} `json:"alert_rule_test"`
			Expressions []struct{ Expr string } `json:"promql_expr_test"`
		}
	}
	fires, silent := map[string]bool{}, map[string]bool{}
	var recorded strings.Builder
	for _, file := range []string{"tests/alerts.yaml", "tests/rules.yaml"} {
		read(t, file, &cases)
		for _, c := range cases.Tests {
			for _, a := range c.Alerts {
				fires[a.Name] = fires[a.Name] || len(a.Want) > 0
				silent[a.Name] = silent[a.Name] || len(a.Want) == 0
			}
			for _, e := range c.Expressions {
				recorded.WriteString(e.Expr + "\n")
			}
		}
	}
	for _, r := range rules(t) {
		if r.Alert != "" {
			assert.True(t, fires[r.Alert], "no case of tests/alerts.yaml has %s fire", r.Alert)
			assert.True(t, silent[r.Alert], "no case of tests/alerts.yaml has %s be silent", r.Alert)
		} else {
			assert.Contains(t, recorded.String(), r.Record, "no case of tests/rules.yaml is about %s", r.Record)
		}
	}
}

// rule is a rule of alerts.yaml or rules.yaml.
type rule struct {
	file                string
	Alert, Record, Expr string
	Labels, Annotations map[string]string
}

func rules(t *testing.T) (all []rule) {
	for _, file := range []string{"alerts.yaml", "rules.yaml"} {
		var doc struct{ Groups []struct{ Rules []rule } }
		read(t, file, &doc)
		for _, g := range doc.Groups {
			for _, r := range g.Rules {
				r.file = file
				all = append(all, r)
			}
		}
	}
	require.NotEmpty(t, all)
	return all
}

// dashboardExpressions returns the expressions of the dashboards by place, with Grafana's variables replaced.
func dashboardExpressions(t *testing.T) map[string]string {
	files, err := filepath.Glob("dashboards/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := map[string]string{}
	for _, file := range files {
		var board struct {
			Panels []struct {
				Title   string
				Targets []struct{ Expr, RefID string }
			}
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &board))
		for _, p := range board.Panels {
			for i, target := range p.Targets {
				all[fmt.Sprintf("%s: %s/%d", file, p.Title, i)] = variables.Replace(target.Expr)
			}
		}
	}
	return all
}

// variables replaces Grafana's variables by values.
var variables = strings.NewReplacer("$__rate_interval", "1m", "$job", ".*", "$instance", ".*", "$service", ".*", "$objective", ".*")

// values are all values of labels of the metrics of objectives.
var values = map[string][]string{
	"state": {"ok", "no_data", "error"}, "alertstate": {"pending", "firing"}, "severity": {"page", "ticket"},
	"policy": {"normal", "cautious", "freeze", "exhausted"},
}

// declared returns the metrics of the product, as its own endpoint names them: those of the metadata.yaml files, those of objectives, the
// foreign ones, and those that rules.yaml records.
func declared(t *testing.T) map[string]metric {
	known := map[string]metric{}
	for name, names := range foreign {
		known[name] = metric{attributes: map[string]attribute{}}
		for _, n := range names {
			known[name].attributes[n] = attribute{}
		}
	}
	files := 0
	require.NoError(t, filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() == "node_modules" || d.Name() != "metadata.yaml" {
			if d != nil && d.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return err
		}
		files++
		var doc struct {
			Attributes map[string]attribute
			Telemetry  struct {
				Metrics map[string]struct {
					Attributes []string
					Histogram  *struct{}
				}
			}
		}
		read(t, file, &doc)
		for name, m := range doc.Telemetry.Metrics {
			attributes := map[string]attribute{}
			for _, a := range m.Attributes {
				attributes[cmp.Or(doc.Attributes[a].Name, a)] = doc.Attributes[a]
			}
			suffixes := []string{""}
			if m.Histogram != nil {
				suffixes = []string{"_bucket", "_sum", "_count"}
			}
			for _, suffix := range suffixes {
				known["otelcol_"+name+suffix] = metric{attributes}
			}
		}
		return nil
	}))
	require.Greater(t, files, 5)
	for _, f := range metrics.Families() {
		known[f.Name] = metric{attributes: map[string]attribute{}}
		for _, label := range f.Labels {
			known[f.Name].attributes[label] = attribute{Values: values[label]}
		}
	}
	for _, r := range rules(t) {
		if r.Record != "" {
			known[r.Record] = metric{}
		}
	}
	return known
}

// mistakes returns the errors in an expression.
func mistakes(known map[string]metric, expr string) (list []string) {
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		return []string{err.Error()}
	}
	var path []parser.Node
	parser.Inspect(parsed, func(node parser.Node, above []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		path = above
		m, there := known[selector.Name]
		if !there {
			list = append(list, "the product emits no metric "+selector.Name)
			return nil
		}
		for _, matcher := range selector.LabelMatchers {
			list = append(list, m.wrongMatcher(selector.Name, matcher)...)
		}
		for _, node := range path {
			if aggregation, ok := node.(*parser.AggregateExpr); ok {
				for _, label := range aggregation.Grouping {
					list = append(list, m.wrongLabel(selector.Name, label)...)
				}
			}
		}
		return nil
	})
	return list
}

func (m metric) wrongLabel(name, label string) []string {
	if _, ok := m.attributes[label]; ok || slices.Contains(target, label) {
		return nil
	}
	return []string{fmt.Sprintf("%s has no label %s", name, label)}
}

// wrongMatcher returns the error in a matcher: its label, or one of the alternatives of its regular expression.
func (m metric) wrongMatcher(name string, matcher *labels.Matcher) (list []string) {
	if matcher.Name == model.MetricNameLabel {
		return nil
	}
	if wrong := m.wrongLabel(name, matcher.Name); wrong != nil {
		return wrong
	}
	values := m.attributes[matcher.Name].Values
	for choice := range strings.SplitSeq(matcher.Value, "|") {
		if values != nil && !slices.Contains(values, choice) {
			list = append(list, fmt.Sprintf("%s: %s is never %q", name, matcher.Name, choice))
		}
	}
	return list
}

// read decodes a YAML file.
func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	retrieved, err := confmap.NewRetrievedFromYAML(text)
	require.NoError(t, err, file)
	raw, err := retrieved.AsRaw()
	require.NoError(t, err, file)
	asJSON, err := json.Marshal(raw)
	require.NoError(t, err, file)
	require.NoError(t, json.Unmarshal(asJSON, into), file)
}
