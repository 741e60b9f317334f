package main

import (
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// board is a dashboard.
type board struct {
	file, uid, title, description string
	rows                          []row
	picks                         picks
}

// picks is what a reader picks: variables, and the matchers that $where stands for.
type picks struct {
	where     string
	variables []pick
}

// pick is a variable, whose values a query lists.
type pick struct{ name, label, values string }

// gateways picks gateways by the labels of the scrape.
var gateways = picks{
	where: `job=~"$job",instance=~"$instance"`,
	variables: []pick{
		{"job", "Job", `label_values(otelcol_process_uptime, job)`},
		{"instance", "Instance", `label_values(otelcol_process_uptime{job=~"$job"}, instance)`},
	},
}

// row is a heading and what is below it.
type row struct {
	title  string
	panels []panel
}

// panel shows one or more expressions: over time, or as a number if number is set. warn and alarm are the values from which on
// a number is yellow and red; 0 is never.
type panel struct {
	title, description, unit string
	number                   bool
	negative                 bool // a chart's values can be below 0
	warn, alarm              float64
	queries                  []query
}

// query is an expression and the legend of its series. In an expression, $where stands for the matchers of what the reader
// picked: a metric is written name{$where} or name{reason="disk",$where}.
type query struct{ expr, legend string }

// Units, as Grafana names them.
const (
	perSecond   = "cps"
	bytes       = "bytes"
	bytesPerSec = "Bps"
	seconds     = "s"
	share       = "percentunit"
	count       = "short"
)

// Sizes on Grafana's grid of 24 columns.
const (
	chartWidth, chartHeight   = 8, 8
	numberWidth, numberHeight = 4, 4
)

// source is the data source that the reader picked.
func source() common.DataSourceRef {
	return common.DataSourceRef{Type: cog.ToPtr("prometheus"), Uid: cog.ToPtr("${datasource}")}
}

func (b board) build() (dashboard.Dashboard, error) {
	builder := dashboard.NewDashboardBuilder(b.title).
		Uid(b.uid).
		Description(b.description).
		Tags([]string{"slowburn"}).
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Timezone(common.TimeZoneBrowser).
		Time("now-3h", "now").
		Refresh("30s").
		Link(dashboard.NewDashboardLinkBuilder("slowburn").Type(dashboard.DashboardLinkTypeDashboards).
			Tags([]string{"slowburn"}).IncludeVars(true).KeepTime(true)).
		WithVariable(dashboard.NewDatasourceVariableBuilder("datasource").Label("Data source").Type("prometheus"))
	for _, v := range b.picks.variables {
		builder.WithVariable(variable(v.name, v.label, v.values))
	}
	id := uint32(0) // links to a panel have it
	for _, r := range b.rows {
		id++
		builder.WithRow(dashboard.NewRowBuilder(r.title).Id(id))
		for _, p := range r.panels {
			id++
			builder.WithPanel(p.build(id, b.picks.where))
		}
	}
	return builder.Build()
}

// variable is one whose values the data source lists; all of them at first.
func variable(name, label, values string) *dashboard.QueryVariableBuilder {
	return dashboard.NewQueryVariableBuilder(name).Label(label).Datasource(source()).
		Query(dashboard.StringOrMap{String: cog.ToPtr(values)}).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).Sort(dashboard.VariableSortAlphabeticalAsc).
		Multi(true).IncludeAll(true).AllValue(".*").
		Current(dashboard.VariableOption{
			Selected: cog.ToPtr(true),
			Text:     dashboard.StringOrArrayOfString{String: cog.ToPtr("All")},
			Value:    dashboard.StringOrArrayOfString{String: cog.ToPtr("$__all")},
		})
}

func (p panel) build(id uint32, where string) cog.Builder[dashboard.Panel] {
	if p.number {
		return p.buildNumber(id, where)
	}
	b := timeseries.NewPanelBuilder().Id(id).Title(p.title).Description(p.description).Datasource(source()).
		Unit(p.unit).Span(chartWidth).Height(chartHeight).
		LineWidth(1).FillOpacity(10).ShowPoints(common.VisibilityModeNever).
		Legend(common.NewVizLegendOptionsBuilder().ShowLegend(true).DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom)).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
	if !p.negative {
		b.Min(0)
	}
	for i, q := range p.queries {
		b.WithTarget(q.build(i, where))
	}
	return b
}

func (p panel) buildNumber(id uint32, where string) cog.Builder[dashboard.Panel] {
	steps := []dashboard.Threshold{{Color: "green"}}
	if p.warn > 0 {
		steps = append(steps, dashboard.Threshold{Value: cog.ToPtr(p.warn), Color: "yellow"})
	}
	if p.alarm > 0 {
		steps = append(steps, dashboard.Threshold{Value: cog.ToPtr(p.alarm), Color: "red"})
	}
	b := stat.NewPanelBuilder().Id(id).Title(p.title).Description(p.description).Datasource(source()).
		Unit(p.unit).Span(numberWidth).Height(numberHeight).
		Thresholds(dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(steps)).
		ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"})).
		ColorMode(common.BigValueColorModeValue).GraphMode(common.BigValueGraphModeArea)
	for i, q := range p.queries {
		b.WithTarget(q.build(i, where))
	}
	return b
}

func (q query) build(i int, where string) *prometheus.DataqueryBuilder {
	b := prometheus.NewDataqueryBuilder().Datasource(source()).RefId(string(rune('A' + i))).
		Expr(strings.ReplaceAll(q.expr, "$where", where)).Range()
	if q.legend != "" {
		b.LegendFormat(q.legend)
	}
	return b
}
