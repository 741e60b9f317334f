package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
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

// embedded is the real database, and the exporter that writes to it.
func embedded(t *testing.T) (Querier, exporter.Metrics) {
	id := component.MustNewID("tsdb")
	dbConfig := tsdb.NewExtensionFactory().CreateDefaultConfig().(*tsdb.Config)
	dbConfig.Directory = t.TempDir()
	db, err := tsdb.NewExtensionFactory().Create(t.Context(), extensiontest.NewNopSettings(id.Type()), dbConfig)
	require.NoError(t, err)
	require.NoError(t, db.Start(t.Context(), fakeHost{}))
	t.Cleanup(func() { require.NoError(t, db.Shutdown(context.Background())) })

	factory := tsdb.NewExporterFactory()
	exp, err := factory.CreateMetrics(t.Context(), exportertest.NewNopSettings(id.Type()), factory.CreateDefaultConfig())
	require.NoError(t, err)
	require.NoError(t, exp.Start(t.Context(), fakeHost{id: db}))
	t.Cleanup(func() { require.NoError(t, exp.Shutdown(context.Background())) })
	return db.(Querier), exp
}

// Over the real embedded database the ledger and PromQL agree exactly, for differences of counters, which the ledger counts, and
// for a PromQL objective on the same counters.
func TestLedgerAndPromQLAgree(t *testing.T) {
	querier, exp := embedded(t)

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
      resolution: 1m
      bad: 'sum(slowburn_sli_bad_events_total{objective="a"} - slowburn_sli_bad_events_total{objective="a"} offset {{.window}})'
      total: 'sum(slowburn_sli_events_total{objective="a"} - slowburn_sli_events_total{objective="a"} offset {{.window}})'`)
	e := openAt(t, c, querier, start)
	defer closeIt(t, e)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(end.Add(c.Lateness), true, true)))
	assert.Equal(t, truth, minuteCounts(t, e, "a", start, end))
	assert.Equal(t, truth, minuteCounts(t, e, "p", start, end))

	s, ok := e.Status("a")
	require.True(t, ok)
	require.Equal(t, StateOK, s.State, s.Message)
	for _, b := range s.BurnRates[:2] { // those with full data
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

// The embedded database has the service of the connector's counts under the name by which services are told apart.
func TestForEachServiceOverTheEmbeddedDatabase(t *testing.T) {
	querier, exp := embedded(t)
	end := time.Now().Add(-time.Minute).Truncate(time.Minute).UTC()
	start := end.Add(-5 * time.Minute)
	for i, at := 0, start; !at.After(end); i, at = i+1, at.Add(30*time.Second) {
		metrics := pmetric.NewMetrics()
		rm := metrics.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", "slowburn")
		to := rm.ScopeMetrics().AppendEmpty().Metrics()
		for service, factor := range map[string]int64{"checkout": 7, "cart/eu": 2} {
			for _, name := range []string{"slowburn.sli.events", "slowburn.sli.bad_events"} {
				cumulative(to, name, "each", "1", at, int64(i)*factor)
				to.At(to.Len()-1).Sum().DataPoints().At(0).Attributes().PutStr("service.name", service)
			}
		}
		require.NoError(t, exp.ConsumeMetrics(t.Context(), metrics))
	}
	c := parse(t, `objectives: [{name: each, target: 99, for_each: service, availability: {}}]`)
	e := openAt(t, c, querier, start)
	defer closeIt(t, e)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(end.Add(c.Lateness), true, true)))
	assert.Equal(t, []string{"each:checkout", "each:cart%2Feu"}, names(e))
	for name, want := range map[string]uint64{"each:checkout": 70, "each:cart%2Feu": 20} {
		s, _ := e.Status(name)
		assert.Equal(t, Events{Total: want, Bad: want}, s.Events, name)
	}
}

// Counters that are written once a minute, as Prometheus and SDKs do by default, and never twice in a minute: each event is
// counted once, over five minutes. Counters that are written more often are counted as precisely as increase() is.
func TestPromQLOfSlowCounters(t *testing.T) {
	for interval, tolerance := range map[time.Duration]float64{time.Minute: 0, 15 * time.Second: 0.02} {
		t.Run(interval.String(), func(t *testing.T) {
			querier, exp := embedded(t)
			const minutes = 60
			end := time.Now().Add(-time.Minute).Truncate(time.Minute).UTC()
			start := end.Add(-minutes * time.Minute)
			rnd := rand.New(rand.NewPCG(1, 2))
			total, bad, first := int64(1_000_000), int64(1_000_000), int64(1_000_000)
			for at := start.Add(-10*time.Minute + 7*time.Second); !at.After(end); at = at.Add(interval) {
				if at.After(start.Add(time.Minute)) && at.Before(end.Add(-10*time.Minute)) {
					total += rnd.Int64N(100)
					bad += rnd.Int64N(2)
				}
				metrics := pmetric.NewMetrics()
				to := metrics.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
				cumulative(to, "requests", "", "", at, total)
				cumulative(to, "errors", "", "", at, bad)
				require.NoError(t, exp.ConsumeMetrics(t.Context(), metrics))
			}
			c := parse(t, `
objectives:
  - name: p
    target: 99
    promql: {bad: 'sum(increase(errors_total[{{.window}}]))', total: 'sum(increase(requests_total[{{.window}}]))'}`)
			e := openAt(t, c, querier, start)
			defer closeIt(t, e)
			require.NoError(t, e.evaluator.evaluate(t.Context(), believed(end.Add(c.Lateness), true, true)))
			s, _ := e.Status("p")
			assert.InEpsilon(t, total-first, s.Events.Total, tolerance+1e-9)
			assert.InEpsilon(t, bad-first, s.Events.Bad, tolerance+1e-9)
			counts := minuteCounts(t, e, "p", start, end)
			assert.Greater(t, len(counts), 45, "spread, not in lumps")
			for m, n := range counts {
				assert.LessOrEqual(t, n.Total, uint64(100*time.Minute/interval), m)
			}
		})
	}
}
