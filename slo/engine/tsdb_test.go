package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/tsdb"
)

// cumulative adds a counter's value to metrics, as the connector sli would.
func cumulative(to pmetric.MetricSlice, name, objective, version string, at time.Time, v int64) {
	m := to.AppendEmpty()
	m.SetName(name)
	sum := m.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	p := sum.DataPoints().AppendEmpty()
	p.SetTimestamp(pcommon.NewTimestampFromTime(at))
	p.SetIntValue(v)
	p.Attributes().PutStr("objective", objective)
	p.Attributes().PutStr("service_version", version)
}

// The ledger and PromQL, over the real embedded database, say the same: exactly for differences of counters, which is
// what the ledger counts, and for a PromQL objective on the same counters.
func TestLedgerAndPromQLAgree(t *testing.T) {
	id := component.MustNewID("tsdb")
	dbConfig := tsdb.NewExtensionFactory().CreateDefaultConfig().(*tsdb.Config)
	dbConfig.Directory = t.TempDir()
	db, err := tsdb.NewExtensionFactory().Create(t.Context(), extensiontest.NewNopSettings(id.Type()), dbConfig)
	require.NoError(t, err)
	require.NoError(t, db.Start(t.Context(), fakeHost{}))
	defer func() { require.NoError(t, db.Shutdown(t.Context())) }()
	querier := db.(Querier)

	factory := tsdb.NewExporterFactory()
	exp, err := factory.CreateMetrics(t.Context(), exportertest.NewNopSettings(id.Type()), factory.CreateDefaultConfig())
	require.NoError(t, err)
	require.NoError(t, exp.Start(t.Context(), fakeHost{id: db}))
	defer func() { require.NoError(t, exp.Shutdown(t.Context())) }()

	const minutes = 45
	end := time.Now().Add(-time.Minute).Truncate(time.Minute).UTC()
	start := end.Add(-minutes * time.Minute)
	rnd := rand.New(rand.NewPCG(7, 7))
	total, bad := map[string]int64{}, map[string]int64{}
	truth := map[ledger.Minute]slo.Events{}
	for at := start; !at.After(end); at = at.Add(10 * time.Second) {
		metrics := pmetric.NewMetrics()
		rm := metrics.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", "slowburn")
		rm.Resource().Attributes().PutStr("service.instance.id", "one")
		to := rm.ScopeMetrics().AppendEmpty().Metrics()
		for _, version := range []string{"1", "2"} {
			if at.After(start) {
				n, b := rnd.Int64N(50), rnd.Int64N(5)
				total[version] += n
				bad[version] += b
				m := ledger.MinuteOf(at)
				truth[m] = truth[m].Add(slo.Events{Total: uint64(n), Bad: uint64(b)})
			}
			cumulative(to, "slowburn.sli.events", "a", version, at, total[version])
			cumulative(to, "slowburn.sli.bad_events", "a", version, at, bad[version])
		}
		require.NoError(t, exp.ConsumeMetrics(t.Context(), metrics))
	}

	c := parse(t, `
objectives:
  - {name: a, target: 99, availability: {}}
  - name: p
    target: 99
    promql:
      bad: 'sum(slowburn_sli_bad_events_total{objective="a"} - slowburn_sli_bad_events_total{objective="a"} offset {{.window}})'
      total: 'sum(slowburn_sli_events_total{objective="a"} - slowburn_sli_events_total{objective="a"} offset {{.window}})'`)
	e := openAt(t, c, querier, start)
	defer closeIt(t, e)
	require.NoError(t, e.evaluate(t.Context(), end.Add(c.Lateness)))
	assert.Equal(t, truth, minuteCounts(t, e, "a", start, end))
	assert.Equal(t, truth, minuteCounts(t, e, "p", start, end))

	s, ok := e.Status("a")
	require.True(t, ok)
	require.Equal(t, StateOK, s.State, s.Message)
	for _, b := range s.BurnRates[:2] { // those that lie within what there is
		v, err := querier.Query(t.Context(), fmt.Sprintf(
			`sum(slowburn_sli_bad_events_total - slowburn_sli_bad_events_total offset %[1]s)
			 / sum(slowburn_sli_events_total - slowburn_sli_events_total offset %[1]s) / 0.01`, b.Window), end)
		require.NoError(t, err)
		assert.InDelta(t, float64(v.(model.Vector)[0].Value), *b.BurnRate, 1e-9, b.Window)

		v, err = querier.Query(t.Context(), fmt.Sprintf(
			`sum(increase(slowburn_sli_events_total{objective="a"}[%s]))`, b.Window), end)
		require.NoError(t, err)
		assert.InEpsilon(t, float64(b.Total), float64(v.(model.Vector)[0].Value), 0.05, "increase() extrapolates")
	}
}
