package objectives

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/alert"
	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

func ptr[T any](v T) *T { return &v }

// status is a healthy objective with the default tiers, after change.
func status(name string, change ...func(*engine.Status)) engine.Status {
	window := 30 * 24 * time.Hour
	s := engine.Status{
		Definition: engine.Definition{
			Name: name, Service: "checkout", Labels: map[string]string{"team": "shop"}, Target: 0.999,
			Window: slo.FormatDuration(window), WindowSeconds: int64(window.Seconds()),
			Indicator: engine.Indicator{Type: slo.Availability, Service: "checkout", Kind: "server", Operations: []string{"POST /orders"}},
		},
		EvaluatedUntil: &webtest.Noon, LastMeasuredAt: &webtest.Noon, State: engine.StateOK, Events: engine.Events{Total: 123_456_789, Bad: 34_567},
		ErrorRatio: ptr(0.00028), Budget: engine.Budget{RemainingRatio: 0.72000123, Policy: slo.Normal}, Alert: engine.AlertState{State: alert.Inactive},
	}
	for _, w := range []time.Duration{5 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour, 72 * time.Hour, window} {
		s.BurnRates = append(s.BurnRates, engine.BurnRate{Window: slo.FormatDuration(w), WindowSeconds: int64(w.Seconds()), Total: 1000, Bad: 1,
			ErrorRatio: ptr(0.00012345678), BurnRate: ptr(0.12345678)})
	}
	for _, t := range []engine.Tier{
		{Severity: slo.Page, LongWindow: "1h", ShortWindow: "5m", Factor: 14.4}, {Severity: slo.Page, LongWindow: "6h", ShortWindow: "30m", Factor: 6},
		{Severity: slo.Ticket, LongWindow: "1d", ShortWindow: "2h", Factor: 3}, {Severity: slo.Ticket, LongWindow: "3d", ShortWindow: "6h", Factor: 1},
	} {
		t.Reachable = true
		s.Tiers = append(s.Tiers, t)
	}
	for _, c := range change {
		c(&s)
	}
	return s
}

func firing(severity slo.Severity) func(*engine.Status) {
	return func(s *engine.Status) {
		s.Alert = engine.AlertState{State: alert.Firing, Severity: severity, Since: ptr(webtest.Noon.Add(123_456_789)), Summary: strings.Repeat("burns ", 50)}
		s.Tiers[0].Active, s.Tiers[1].Active = true, true
	}
}

func remaining(ratio float64) func(*engine.Status) {
	return func(s *engine.Status) { s.Budget.RemainingRatio, s.Budget.Policy = ratio, slo.Policy(ratio) }
}

func without(state engine.State) func(*engine.Status) {
	return func(s *engine.Status) {
		s.State, s.Message = state, "Nothing has been measured since 2026-01-31T11:00:00Z: "+strings.Repeat("no span matched ", 20)
	}
}

func neverMeasured(s *engine.Status) { s.Events = engine.Events{} }

// inOrder has an objective of each kind, by urgency; they are named by their place.
func inOrder() []engine.Status {
	pendingWith := func(severity slo.Severity) func(*engine.Status) {
		return func(s *engine.Status) { firing(severity)(s); s.Alert.State = alert.Pending }
	}
	list := []engine.Status{
		status("page", firing(slo.Page)), status("spent ticket", firing(slo.Ticket), remaining(-0.2)), status("ticket", firing(slo.Ticket)),
		status("pending page", pendingWith(slo.Page)), status("pending ticket", pendingWith(slo.Ticket), remaining(0.1)),
		status("broken", without(engine.StateError)), status("overspent", remaining(-0.5)), status("low", remaining(0.06)),
		status("stopped", without(engine.StateNoData)), status("fine"), status("fine"), status("silent", without(engine.StateNoData), neverMeasured),
	}
	for i := range list {
		list[i].Name = fmt.Sprintf("%02d %s", i, list[i].Name)
	}
	return list
}

// serving serves the routes with these objectives.
func serving(objectives []engine.Status) http.Handler {
	world := webtest.Everything()
	world.Extensions["slo"].(*webtest.Engine).List.Objectives = objectives
	return world.Serve(Routes)
}

func overview(t *testing.T, h http.Handler, query string) api.Overview {
	t.Helper()
	w := webtest.Get(t, h, "/api/slo/v1/overview"+query)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	return webtest.Decode[api.Overview](t, w)
}

func names(rows []api.ObjectiveRow) (list []string) {
	for _, r := range rows {
		list = append(list, r.Name)
	}
	return list
}

// The order of urgency is the same from any order, and pages of any size are the list.
func TestOrderAndPages(t *testing.T) {
	sorted := inOrder()
	var want []string
	for _, s := range sorted {
		want = append(want, s.Name)
	}
	for shift := range sorted {
		turned := append(slices.Clone(sorted[shift:]), sorted[:shift]...)
		slices.Reverse(turned)
		h := serving(turned)
		require.Equal(t, want, names(overview(t, h, "").Rows))
		for _, sort := range []string{"urgency", "name", "configured"} {
			whole := names(overview(t, h, "?sort="+sort).Rows)
			for _, limit := range []int{1, 5, len(want), len(want) + 1} {
				var got []string
				cursor := ""
				for {
					o := overview(t, h, fmt.Sprintf("?sort=%s&limit=%d&cursor=%s", sort, limit, cursor))
					assert.Equal(t, len(want), o.Matched)
					assert.Equal(t, len(want), o.Total)
					got = append(got, names(o.Rows)...)
					if cursor = o.NextCursor; cursor == "" {
						break
					}
				}
				assert.Equal(t, whole, got, "%s, %d a page", sort, limit)
			}
		}
	}
}

// A page goes on where the one before ended, whatever changed its urgency or was removed meanwhile.
func TestPagesOfAChangingList(t *testing.T) {
	list := inOrder()
	first := overview(t, serving(list), "?limit=7")
	list = slices.Delete(list, 6, 7) // the last of the page
	second := overview(t, serving(list), "?cursor="+first.NextCursor)
	assert.Equal(t, "07 low", second.Rows[0].Name)
}

func TestFilters(t *testing.T) {
	list := inOrder()
	list[1].Service, list[1].Labels, list[1].Description = "search", map[string]string{"team": "find", "tier": "1"}, "People find what they look for"
	h := serving(list)
	for query, want := range map[string]int{
		"":                                   12,
		"q=TICKET":                           3,
		"q=ticket+spent":                     1,
		"q=people":                           1,
		"q=team%3Dfind":                      1,
		"q=nothing":                          0,
		"service=search":                     1,
		"service=search&service=checkout":    12,
		"service=sear":                       0,
		"label=team%3Dshop":                  11,
		"label=team%3Dfind&label=tier%3D1":   1,
		"label=team%3Dfind&label=tier%3D2":   0,
		"label=team%3D":                      0,
		"state=no_data":                      2,
		"state=no_data&state=error":          3,
		"alert=firing":                       3,
		"alert=firing&severity=page":         1,
		"alert=pending&severity=ticket":      1,
		"urgency=ok":                         2,
		"urgency=overspent&urgency=low":      2,
		"urgency=ticket&q=spent&state=ok":    1,
		"urgency=":                           12,
		"q=fine&limit=1&sort=name&service=a": 0,
	} {
		o := overview(t, h, "?"+query)
		assert.Equal(t, want, o.Matched, query)
		assert.Len(t, o.Rows, want, query)
		assert.Equal(t, 12, o.Total, query)
		full := webtest.Decode[api.Objectives](t, webtest.Get(t, h, "/api/slo/v1/objectives?"+query))
		assert.Equal(t, want, full.Matched, query)
		assert.Equal(t, api.ObjectivesUrgency{Page: 1, Ticket: 2, Pending: 2, Error: 1, Overspent: 1, Low: 1, OK: 2, NoData: 2}, o.ByUrgency)
	}
}

// The list without parameters is all objectives as they are configured, and with a limit it has pages too.
func TestPagesOfTheList(t *testing.T) {
	list := inOrder()
	slices.Reverse(list)
	h := serving(list)
	whole := webtest.Decode[api.Objectives](t, webtest.Get(t, h, "/api/slo/v1/objectives"))
	assert.Len(t, whole.Objectives, 12)
	assert.Equal(t, "11 silent", whole.Objectives[0].Name)
	assert.Empty(t, whole.NextCursor)
	first := webtest.Decode[api.Objectives](t, webtest.Get(t, h, "/api/slo/v1/objectives?limit=5&sort=urgency"))
	assert.Len(t, first.Objectives, 5)
	assert.Equal(t, "00 page", first.Objectives[0].Name)
	second := webtest.Decode[api.Objectives](t, webtest.Get(t, h, "/api/slo/v1/objectives?limit=5&sort=urgency&cursor="+first.NextCursor))
	assert.Equal(t, "05 broken", second.Objectives[0].Name)
}

func TestBadSelections(t *testing.T) {
	h := serving(inOrder())
	next := overview(t, h, "?limit=1").NextCursor
	for query, want := range map[string]string{
		"serivce=a":                "there is no parameter",
		"state=fine":               "state=fine: it must be one of ok, no_data, error",
		"alert=on":                 "alert=on: it must be one of inactive, pending, firing, resolved",
		"severity=critical":        "it must be one of page, ticket",
		"urgency=high":             "it must be one of page, ticket, pending",
		"label=team":               "label=team: it must be a label and its value, such as team=shop",
		"sort=size":                "it must be one of configured, urgency, name",
		"limit=0":                  "it must be a whole number from 1 to 1000",
		"cursor=x":                 "it must be the next_cursor of a page with the same sort",
		"cursor=!":                 "it must be the next_cursor of a page with the same sort",
		"sort=name&cursor=" + next: "it must be the next_cursor of a page with the same sort",
	} {
		for _, path := range []string{"/api/slo/v1/overview?", "/api/slo/v1/objectives?"} {
			webtest.RequireProblem(t, webtest.Get(t, h, path+query), http.StatusBadRequest, want)
		}
	}
}

func TestRow(t *testing.T) {
	h := serving([]engine.Status{status("a", firing(slo.Page), remaining(-123.456789), without(engine.StateNoData)), status("b", func(s *engine.Status) { s.Service = "" })})
	o := overview(t, h, "")
	require.Len(t, o.Promises, 1)
	assert.Equal(t, api.ObjectivePromise{Type: slo.Availability, Kind: "server", Target: 0.999, Window: "30d"}, o.Promises[0])
	require.Len(t, o.Meters, 2)
	rate := ptr(0.1235)
	assert.Equal(t, api.ObjectiveRow{
		Name: "a", Service: "checkout", Urgency: "page", State: engine.StateNoData, Message: ptr(0), Since: &webtest.Noon, Policy: slo.Exhausted,
		RemainingRatio: ptr(-123.5), Total: 123_456_789, Bad: 34_567, BurnRates: []*float64{rate, rate, rate, rate},
	}, o.Rows[0])
	require.Len(t, o.Messages, 1)
	assert.True(t, strings.HasPrefix(o.Messages[0], "Nothing has been measured since 2026-01-31T11:00:00Z"), o.Messages[0])
	assert.Equal(t, []api.MeterWindow{{Window: "5m", Factor: ptr(14.4), Severity: slo.Page}, {Window: "30m", Factor: ptr(6.0), Severity: slo.Page},
		{Window: "1h", Factor: ptr(14.4), Severity: slo.Page}, {Window: "6h", Factor: ptr(6.0), Severity: slo.Page}}, o.Meters[o.Rows[0].Meter].Windows, "of the active tiers")
	assert.Equal(t, []api.MeterWindow{{Window: "5m", Factor: ptr(14.4), Severity: slo.Page}, {Window: "1h", Factor: ptr(14.4), Severity: slo.Page},
		{Window: "6h", Factor: ptr(6.0), Severity: slo.Page}, {Window: "3d", Factor: ptr(1.0), Severity: slo.Ticket}}, o.Meters[o.Rows[1].Meter].Windows)
}

// An objective without tiers has the usual windows, and one with tiers of its own theirs.
func TestWindowsOfARow(t *testing.T) {
	s := status("a")
	s.Tiers = nil
	assert.Equal(t, "5m  \n1h  \n6h  \n3d  \n", meterName(windowsOf(&s)))
	s.Tiers = []engine.Tier{{Severity: slo.Page, LongWindow: "2h", ShortWindow: "30m", Factor: 7, Reachable: true}, {Severity: slo.Ticket, LongWindow: "1d", ShortWindow: "2h", Factor: 1}}
	assert.Equal(t, "30m 7 page\n2h 7 page\n1d  \n", meterName(windowsOf(&s)), "a tier that cannot fire has no factor")
	s.BurnRates = nil
	assert.Empty(t, windowsOf(&s))
}

// A hundred of a thousand rows have at most 30 kB, whatever is wrong with them.
func TestSizeOfAPage(t *testing.T) {
	for name, change := range map[string]func(*engine.Status){
		"all is well":                  func(*engine.Status) {},
		"all page":                     func(s *engine.Status) { firing(slo.Page)(s); remaining(-123.456789)(s) },
		"none measured":                without(engine.StateNoData),
		"all broken":                   func(s *engine.Status) { firing(slo.Ticket)(s); without(engine.StateError)(s) },
		"all for reasons of their own": func(s *engine.Status) { without(engine.StateError)(s); s.Message = s.Name + s.Message },
		"all promise something else": func(s *engine.Status) {
			s.Target = 0.9 + float64(len(s.Name))*1e-3 + float64(s.Name[len(s.Name)-1])*1e-5 + float64(s.Name[len(s.Name)-2])*1e-7
		},
	} {
		var list []engine.Status
		for i := range 1000 {
			list = append(list, status(fmt.Sprintf("checkout-availability-of-orders-%04d", i), change))
		}
		h := serving(list)
		for _, query := range []string{"", "?limit=100&q=checkout", "?cursor=" + url.QueryEscape(overview(t, h, "").NextCursor)} {
			w := webtest.Get(t, h, "/api/slo/v1/overview"+query)
			assert.Len(t, webtest.Decode[api.Overview](t, w).Rows, 100)
			assert.LessOrEqual(t, w.Body.Len(), 30_000, "%s%s", name, query)
		}
	}
}

// thousand is a list as large as a gateway's may be.
func thousand() engine.Statuses {
	var all engine.Statuses
	for i := range 1000 {
		s := status(fmt.Sprintf("checkout-availability-of-orders-%04d", i*7919%1000), remaining(float64(i%137)/137))
		all.Objectives = append(all.Objectives, s)
	}
	return all
}

// A page of a thousand objectives takes no more allocations than its rows need: time in CI says little.
func TestCostOfAPage(t *testing.T) {
	all := thousand()
	s, err := parseSelection(url.Values{}, byUrgency, rowsPerPage)
	require.NoError(t, err)
	assert.Less(t, testing.AllocsPerRun(5, func() { overviewOf(all, &s) }), 4000.0)
}

func BenchmarkOverview(b *testing.B) {
	all := thousand()
	for _, q := range []string{"", "checkout 1"} {
		s, err := parseSelection(url.Values{"q": {q}}, byUrgency, rowsPerPage)
		require.NoError(b, err)
		b.Run("q="+q, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				text, err := json.Marshal(overviewOf(all, &s))
				if err != nil || len(text) == 0 {
					b.Fatal(err)
				}
			}
		})
	}
}
