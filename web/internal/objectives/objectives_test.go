package objectives

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slowburn/slowburn/web/api"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"go.opentelemetry.io/collector/component"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/slo/ledger/parts"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	history   = "/api/slo/v1/objectives/quiet/history"
	breakdown = "/api/slo/v1/objectives/quiet/breakdown"
)

// TestBreakdownParameters: the default is the version, and the range that the engine chooses.
func TestBreakdownParameters(t *testing.T) {
	world := webtest.Everything()
	h := world.Serve(Routes)
	asked := &world.Extensions["slo"].(*webtest.Engine).Asked
	for query, by := range map[string][]parts.Dimension{
		"":                     {parts.Version},
		"?by=reason":           {parts.Reason},
		"?by=service, version": {parts.Service, parts.Version},
	} {
		w := webtest.Get(t, h, breakdown+strings.ReplaceAll(query, " ", "%20"))
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		assert.Equal(t, by, asked.By, query)
		assert.Zero(t, asked.Start)
		assert.Zero(t, asked.End)
		answer := webtest.Decode[api.Breakdown](t, w)
		assert.Len(t, answer.Rows[0].Values, len(by))
	}
	webtest.Get(t, h, breakdown+"?start=2026-01-31T11:00:00Z&end=2026-01-31T12:00:00Z")
	assert.Equal(t, time.Hour, asked.End.Sub(asked.Start))
}

// TestHistoryRange: the defaults are the last hour, in about 300 points of whole minutes.
func TestHistoryRange(t *testing.T) {
	world := webtest.Everything()
	h := world.Serve(Routes)
	asked := &world.Extensions["slo"].(*webtest.Engine).Asked
	for _, c := range []struct {
		query string
		span  time.Duration
		step  time.Duration
	}{
		{"", time.Hour, time.Minute},
		{"?start=2026-01-31T00:00:00Z&end=2026-01-31T12:00:00Z", 12 * time.Hour, 2 * time.Minute},
		{"?start=2026-01-01T12:00:00Z&end=2026-01-31T12:00:00Z", 30 * 24 * time.Hour, 144 * time.Minute},
		{"?start=2026-01-31T00:00:00Z&end=2026-01-31T12:00:00Z&step=3600", 12 * time.Hour, time.Hour},
		{"?end=2026-01-31T12:00:00Z", time.Hour, time.Minute},
		{"?start=2026-01-31T12:00:00Z&end=2026-01-31T11:00:00Z", -time.Hour, time.Minute}, // the engine refuses it
	} {
		w := webtest.Get(t, h, "/api/slo/v1/objectives/checkout%2Favailability%20%28v2%29/history"+c.query)
		require.Equal(t, http.StatusOK, w.Code, w.Body.String())
		assert.Equal(t, "checkout/availability (v2)", asked.Name)
		assert.Equal(t, c.span, asked.End.Sub(asked.Start), c.query)
		assert.Equal(t, c.step, asked.Step, c.query)
	}
}

// TestAnswers: answers contain everything that the engine reports.
func TestAnswers(t *testing.T) {
	world := webtest.Everything()
	e := world.Extensions["slo"].(*webtest.Engine)
	h := world.Serve(Routes)
	list := api.ObjectivesOf(e.List)
	require.NotEmpty(t, list.Objectives[0].Coverage.Gaps)
	list.Objectives[0].Coverage.Gaps = nil
	list.Total, list.Matched = 2, 2
	assert.Equal(t, list, webtest.Decode[api.Objectives](t, webtest.Get(t, h, "/api/slo/v1/objectives")), "all but the lists of gaps")
	assert.Equal(t, api.ObjectiveOf(e.List.Objectives[0]), webtest.Decode[api.Objective](t,
		webtest.Get(t, h, "/api/slo/v1/objectives/checkout%2Favailability%20%28v2%29")))
	assert.Len(t, webtest.Decode[api.Alerts](t, webtest.Get(t, h, "/api/alerts/v1/alerts")).Alerts, 2)
	assert.Len(t, webtest.Decode[api.Deliveries](t, webtest.Get(t, h, "/api/alerts/v1/deliveries")).Deliveries, 3)
}

// fragile is a component that counts spans and warns that counts would not survive a crash.
type fragile struct{}

func (fragile) Volatile() string {
	return "counts since 12:03 would not survive a crash: the disk is full"
}

func (fragile) ClocksOff() []slo.ClockOff {
	noon := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	return []slo.ClockOff{
		{Service: "checkout", Instance: "a", Behind: 3 * time.Hour, Since: noon.Add(time.Minute)},
		{Service: "checkout", Instance: "b", Behind: 2 * time.Hour, Since: noon},
		{Service: "payment", Behind: time.Hour, Since: noon},
	}
}

func (fragile) Lost() string { return "counting began anew at 11:02: the file was damaged" }

// TestVolatileCounts checks that each objective that counts spans, and no other, says so if counts would not survive, or did not.
func TestVolatileCounts(t *testing.T) {
	world := webtest.Everything()
	e := world.Extensions["slo"].(*webtest.Engine)
	e.List.Objectives = slices.Clone(e.List.Objectives)
	e.List.Objectives[1].Indicator.Type = slo.PromQL
	world.Extensions["fragile"] = struct {
		component.Component
		fragile
	}{}
	h := world.Serve(Routes)
	all := webtest.Decode[api.Objectives](t, webtest.Get(t, h, "/api/slo/v1/objectives")).Objectives
	assert.Equal(t, fragile{}.Volatile(), all[0].VolatileCounts)
	assert.Equal(t, fragile{}.Lost(), all[0].LostCounts)
	off := []api.ClockOff{{Service: "checkout", Processes: 2, BehindSeconds: 10_800, Since: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}}
	assert.Equal(t, off, all[0].ClocksOff, "those of its service")
	assert.Equal(t, []api.ClockOff{}, all[1].ClocksOff, "it is counted by queries")
	assert.Empty(t, all[1].VolatileCounts, "it is counted by queries")
	assert.Empty(t, all[1].LostCounts, "it is counted by queries")
	one := webtest.Decode[api.Objective](t, webtest.Get(t, h, "/api/slo/v1/objectives/checkout%2Favailability%20%28v2%29"))
	assert.Equal(t, fragile{}.Volatile(), one.VolatileCounts)
	assert.Equal(t, fragile{}.Lost(), one.LostCounts)
}

// TestProblems sends requests that cannot be answered.
func TestProblems(t *testing.T) {
	engineFails := func(err error) webtest.Running {
		r := webtest.Everything()
		r.Extensions["slo"].(*webtest.Engine).Err = err
		return r
	}
	all, none, broken := webtest.Everything(), webtest.Running{}, errors.New("the disk is gone")
	for _, c := range []struct {
		world  webtest.Running
		target string
		status int
		detail string
	}{
		{none, "/api/slo/v1/objectives", 404, "No slo extension is running: define one"},
		{none, "/api/slo/v1/objectives/a", 404, "No slo extension"},
		{none, history, 404, "No slo extension"},
		{none, "/api/alerts/v1/alerts", 404, "No slo extension"},
		{none, "/api/alerts/v1/deliveries", 404, "No slo extension"},
		{all, "/api/slo/v1/objectives/nope", 404, `There is no objective "nope"`},
		{all, "/api/slo/v1/objectives/nope/history", 404, "there is no objective of this name"},
		{none, breakdown, 404, "No slo extension"},
		{all, "/api/slo/v1/objectives/nope/breakdown", 404, "there is no objective of this name"},
		{all, breakdown + "?by=pod", 400, "by=pod: it must be one or several of service, operation, version and reason"},
		{all, breakdown + "?by=version,version", 400, "once each"},
		{all, breakdown + "?by=,", 400, "by=,: it must be"},
		{all, breakdown + "?start=yesterday", 400, "start=yesterday: it must be a time"},
		{all, breakdown + "?step=60", 400, `there is no parameter "step"`},
		{engineFails(engine.ErrNotRunning), breakdown, 503, "is not running"},
		{all, history + "?start=yesterday", 400, "start=yesterday: it must be a time"},
		{all, history + "?end=1700000000", 400, "end=1700000000: it must be a time"},
		{all, history + "?step=5", 400, "step=5: it must be a whole number from 60"},
		{all, history + "?step=1m", 400, "step=1m: it must be a whole number"},
		{engineFails(engine.ErrNotRunning), "/api/alerts/v1/alerts", 503, "is not running"},
		{engineFails(broken), "/api/alerts/v1/deliveries", 500, "the disk is gone"},
		{engineFails(fmt.Errorf("%w: too many points", engine.ErrBadRange)), history, 400, "too many points"},
	} {
		t.Run(fmt.Sprint(c.status, c.target), func(t *testing.T) {
			webtest.RequireProblem(t, webtest.Get(t, c.world.Serve(Routes), c.target), c.status, c.detail)
		})
	}
}
