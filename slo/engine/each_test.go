package engine

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine/internal/samples"
)

const eachService = `
objectives:
  - {name: all, target: 99, window: 1d, availability: {}}
  - {name: each, target: 99, window: 1d, for_each: service, limit: 3, labels: {team: shop}, availability: {kind: server}}
receivers: [{name: pager, webhook: {endpoint: "http://127.0.0.1:1/"}}]`

// serve adds a minute of a service's events, as the connector sli counts them.
func serve(db *fakeTSDB, service string, at time.Time, total, bad float64) {
	db.mu.Lock()
	defer db.mu.Unlock()
	for metric, v := range map[string]float64{samples.TotalMetric: total, samples.BadMetric: bad} {
		for _, objective := range []string{"all", "each"} {
			key := metric + objective + service
			s := db.series[key]
			if s == nil {
				s = &model.SampleStream{Metric: model.Metric{"__name__": model.LabelValue(metric), "objective": model.LabelValue(objective),
					"service_name": model.LabelValue(service)}}
				s.Values = []model.SamplePair{{Timestamp: model.TimeFromUnix(at.Unix() - 30)}}
				db.series[key] = s
			}
			v += float64(s.Values[len(s.Values)-1].Value)
			s.Values = append(s.Values, model.SamplePair{Timestamp: model.TimeFromUnix(at.Unix()), Value: model.SampleValue(v)})
			v -= float64(s.Values[len(s.Values)-2].Value)
		}
	}
}

func names(e *Extension) (list []string) {
	for _, s := range e.Statuses().Objectives {
		list = append(list, s.Name)
	}
	return list
}

// A definition makes an objective per service, which counts the service's events from its first, alerts by itself, and is there again after
// a restart. The connector counts under the definition.
func TestAnObjectiveForEachService(t *testing.T) {
	db := newFakeTSDB()
	c := parse(t, eachService)
	e := openAt(t, c, db, noon)
	assert.Equal(t, []string{"all"}, names(e))
	require.Len(t, e.Objectives(), 2)
	assert.Equal(t, slo.Each{By: "service", Limit: 3}, e.Objectives()[1].Each)
	evaluate := func(minute int) {
		t.Helper()
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Duration(minute)*time.Minute+c.Lateness), true, true)))
	}
	for m := 1; m <= 30; m++ {
		at := noon.Add(time.Duration(m)*time.Minute - time.Second)
		serve(db, "checkout", at, 1000, 500)
		if m > 10 {
			serve(db, "a/b c", at, 100, 0)
		}
		if m == 20 {
			closeIt(t, e)
			e = openAt(t, c, db, at)
			assert.ElementsMatch(t, []string{"all", "each:checkout", "each:a%2Fb%20c"}, names(e), "at once")
		}
		evaluate(m)
	}
	defer func() { closeIt(t, e) }()
	for name, want := range map[string]Events{
		"each:checkout": {Total: 30_000, Bad: 15_000}, "each:a%2Fb%20c": {Total: 2000}, "all": {Total: 32_000, Bad: 15_000},
	} {
		s, ok := e.Status(name)
		require.True(t, ok, name)
		assert.Equal(t, want, s.Events, name)
		assert.Equal(t, StateOK, s.State, s.Message)
		h, err := e.History(name, noon, noon.Add(time.Hour), time.Minute)
		require.NoError(t, err)
		assert.NotEmpty(t, h.Points)
	}
	s, _ := e.Status("each:a%2Fb%20c")
	assert.Equal(t, "a/b c", s.Service)
	assert.Equal(t, "a/b c", s.Indicator.Service)
	assert.Equal(t, map[string]string{"team": "shop"}, s.Labels)
	_, err := e.History("each", noon, noon, time.Minute)
	require.ErrorIs(t, err, ErrUnknownObjective, "a definition has no events of its own")

	assert.NotEmpty(t, toldOf(t, e, "each:checkout"))
	assert.Empty(t, toldOf(t, e, "each:a%2Fb%20c"))
	alerts, err := e.Alerts()
	require.NoError(t, err)
	services := map[string]bool{}
	for _, a := range alerts.Alerts {
		services[a.Service] = true
	}
	assert.True(t, services["checkout"], "the page names the service")
}

// A definition has no more objectives than its limit: those with the most events. What is beyond is visible.
func TestLimitOfServices(t *testing.T) {
	db := newFakeTSDB()
	c := parse(t, eachService)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	for i, service := range []string{"a", "b", "c", "d", "e"} {
		serve(db, service, noon.Add(50*time.Second), float64(10+i), 0)
	}
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Minute+c.Lateness), true, true)))
	assert.Equal(t, []string{"all", "each:e", "each:d", "each:c"}, names(e))
	assert.Contains(t, e.Probe(t.Context()).Message, "Objective each has its limit of 3 services: 2 more are not evaluated, such as b; raise its limit.")
	s, _ := e.Status("all")
	assert.EqualValues(t, 10+11+12+13+14, s.Events.Total)
}

// A service without traffic for a window is dropped, its alert resolves, and it is back, with its history, when there is traffic.
func TestServicesWithoutTrafficAreDropped(t *testing.T) {
	db := newFakeTSDB()
	c := parse(t, eachService)
	e := openAt(t, c, db, noon)
	defer func() { closeIt(t, e) }()
	at := func(d time.Duration, restart bool) {
		t.Helper()
		if restart {
			closeIt(t, e)
			e = openAt(t, c, db, noon.Add(d))
		}
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(d+c.Lateness), true, true)))
	}
	serve(db, "gone", noon.Add(30*time.Second), 1000, 0)
	serve(db, "gone", noon.Add(50*time.Second), 1000, 1000)
	serve(db, "stays", noon.Add(50*time.Second), 1000, 0)
	at(time.Minute, false)
	require.Equal(t, []string{"all", "each:gone", "each:stays"}, names(e))
	for h := range 30 {
		serve(db, "stays", noon.Add(time.Duration(h+1)*time.Hour), 1000, 0)
		at(time.Duration(h+1)*time.Hour+time.Minute, h == 29)
		if h < 22 {
			assert.Contains(t, names(e), "each:gone", h)
		}
		if h > 26 {
			assert.NotContains(t, names(e), "each:gone", h)
			_, found := e.Status("each:gone")
			assert.False(t, found)
		}
	}
	alerts, err := e.Alerts()
	require.NoError(t, err)
	for _, a := range alerts.Alerts {
		if a.Objective == "each:gone" {
			assert.NotNil(t, a.EndsAt, a)
		}
	}
	serve(db, "gone", noon.Add(30*time.Hour+70*time.Second), 5, 0)
	at(30*time.Hour+2*time.Minute, false)
	s, found := e.Status("each:gone")
	require.True(t, found)
	assert.EqualValues(t, 5, s.Events.Total)
	h, err := e.History("each:gone", noon, noon.Add(time.Hour), time.Hour)
	require.NoError(t, err)
	require.NotEmpty(t, h.Points)
	assert.EqualValues(t, 2000, h.Points[0].Total)
}

// A database that is away is asked once an evaluation, also while there is no service yet.
func TestNoServicesYet(t *testing.T) {
	db := newFakeTSDB()
	c := parse(t, `objectives: [{name: each, target: 99, for_each: service, latency: {threshold: 1s}}]`)
	e := openAt(t, c, db, noon)
	defer closeIt(t, e)
	db.fail(errors.New("away"))
	for m := range 3 {
		db.queries = nil
		require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(time.Duration(m+2)*time.Minute), true, true)))
		assert.Len(t, db.queries, 1)
	}
	db.fail(nil)
	serve(db, "a", noon.Add(90*time.Second), 7, 0)
	require.NoError(t, e.evaluator.evaluate(t.Context(), believed(noon.Add(5*time.Minute), true, true)))
	assert.Equal(t, []string{"each:a"}, names(e))
	s, _ := e.Status("each:a")
	assert.EqualValues(t, 7, s.Events.Total, fmt.Sprint(s))
}
