package metrics

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/slo/tsdb"
)

// stored sends two objectives, one of which pages, to the embedded database, each minute for more than an hour until now. It returns the database and the
// time of the last samples.
func stored(t *testing.T) (tsdb.Querier, *sender, time.Time) {
	t.Helper()
	id := component.MustNewID("tsdb")
	config := tsdb.NewExtensionFactory().CreateDefaultConfig().(*tsdb.Config)
	config.Directory = t.TempDir()
	db, err := tsdb.NewExtensionFactory().Create(t.Context(), extensiontest.NewNopSettings(id.Type()), config)
	require.NoError(t, err)
	require.NoError(t, db.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, db.Shutdown(context.Background())) })
	factory := tsdb.NewExporterFactory()
	exp, err := factory.CreateMetrics(t.Context(), exportertest.NewNopSettings(id.Type()), factory.CreateDefaultConfig())
	require.NoError(t, err)
	require.NoError(t, exp.Start(t.Context(), hostOf{id: db}))
	t.Cleanup(func() { require.NoError(t, exp.Shutdown(context.Background())) })

	s := newSender(exp, "i-1", true)
	until := time.Now().Truncate(time.Minute)
	for at := until.Add(-70 * time.Minute); !at.After(until); at = at.Add(time.Minute) {
		_, err := s.send(t.Context(), []engine.Status{paging("a", at), burning("b", at)}, at)
		require.NoError(t, err)
	}
	return db.(tsdb.Querier), s, until
}

// paging is an objective with a figure in every family.
func paging(name string, until time.Time) engine.Status {
	s := burning(name, until)
	s.BurnRates[0].ErrorRatio, s.BurnRates[0].BurnRate = ptr(0.02), ptr(20.0)
	s.Alert = engine.AlertState{State: alert.Firing, Severity: slo.Page, Since: &until}
	return s
}

// vector is the answer of an instant query.
func vector(t *testing.T, q tsdb.Querier, expr string, at time.Time) model.Vector {
	t.Helper()
	v, err := q.Query(t.Context(), expr, at)
	require.NoError(t, err, expr)
	require.IsType(t, model.Vector{}, v, expr)
	return v.(model.Vector)
}

// Each family is a series of the name and with the labels that it says.
func TestNamesInTheDatabase(t *testing.T) {
	q, _, at := stored(t)
	for _, f := range Families() {
		found := vector(t, q, f.Name+`{objective="a"}`, at)
		if !assert.NotEmpty(t, found, f.Name) {
			continue
		}
		for _, label := range f.Labels {
			assert.NotEmpty(t, found[0].Metric[model.LabelName(label)], "%s has no label %s", f.Name, label)
		}
		assert.Equal(t, model.LabelValue("i-1"), found[0].Metric["instance"], f.Name)
		assert.NotEmpty(t, f.Description)
	}
	assert.InDelta(t, 2, float64(vector(t, q, `slowburn_slo_burn_rate_ratio{objective="b",window="1h"}`, at)[0].Value), 1e-9)
	assert.InDelta(t, 1, float64(vector(t, q, `count(slowburn_slo_alerts{alertstate="firing",severity="page"})`, at)[0].Value), 0)
	assert.Equal(t, model.LabelValue("shop"), vector(t, q, `slowburn_slo_info{objective="b"}`, at)[0].Metric["team"])
}

// A figure that ended gives no value at once, not only when Prometheus stops to look back for it.
func TestEndedIsGone(t *testing.T) {
	q, s, at := stored(t)
	later := at.Add(time.Minute)
	gone := paging("a", later)
	gone.State, gone.Alert.State = engine.StateNoData, alert.Inactive
	_, err := s.send(t.Context(), []engine.Status{gone}, later)
	require.NoError(t, err)
	for _, expr := range []string{
		`slowburn_slo_error_budget_remaining_ratio{objective="a"}`, `slowburn_slo_burn_rate_ratio{objective="a"}`,
		`slowburn_slo_alerts{objective="a"}`, `slowburn_slo_state{objective="a",state="ok"}`,
		`slo:period_error_budget_remaining:ratio{sloth_slo="a"}`, `ALERTS{sloth_slo="a"}`,
	} {
		assert.NotEmpty(t, vector(t, q, expr, at), expr)
		assert.Empty(t, vector(t, q, expr, later), expr)
	}
	assert.Len(t, vector(t, q, `slowburn_slo_state{objective="a",state="no_data"}`, later), 1)
	assert.Len(t, vector(t, q, `slowburn_slo_error_budget_remaining_ratio{objective="b"}`, later), 1)
}

// Sloth's published dashboards show their panels.
func TestSlothDashboards(t *testing.T) {
	q, _, at := stored(t)
	text, err := os.ReadFile("testdata/sloth.txt")
	require.NoError(t, err)
	variables := strings.NewReplacer("${min_burning_rate}", "1", "${service}", "checkout", "${slo}", "a", "${sli_window}", "5m",
		"${__to:date:M}", at.UTC().Format("1"))
	n := 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		n++
		found := vector(t, q, variables.Replace(line), at)
		if assert.NotEmpty(t, found, line) {
			assert.False(t, found[0].Value != found[0].Value, "%s is not a number", line)
		}
	}
	assert.Greater(t, n, 15)
	for _, window := range []string{"5m", "1h", "30d"} { // as the dashboard offers them
		assert.NotEmpty(t, vector(t, q, `slo:sli_error:ratio_rate`+window+`{sloth_service="checkout",sloth_slo="a"}`, at), window)
	}
	assert.InDelta(t, 1, float64(vector(t, q, `max(ALERTS{sloth_slo="a",sloth_severity="page"}) or on() vector(0)`, at)[0].Value), 0)
	assert.InDelta(t, 0, float64(vector(t, q, `max(ALERTS{sloth_slo="b",sloth_severity="page"}) or on() vector(0)`, at)[0].Value), 0)
	assert.InDelta(t, 20, float64(vector(t, q, `slo:current_burn_rate:ratio{sloth_slo="a"}`, at)[0].Value), 1e-9)
	assert.Empty(t, vector(t, q, `slo:current_burn_rate:ratio{sloth_slo="b"}`, at), "no event within the shortest window")
}
