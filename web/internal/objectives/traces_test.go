package objectives

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

// exemplarsAnswer has four exemplars, two of the stored trace, in the form of Prometheus.
var exemplarsAnswer = `{"status":"success","data":[
	{"seriesLabels":{"service_name":"cart","span_name":"add","service_version":"1.9","reason":"500"},"exemplars":[
		{"labels":{"trace_id":"` + webtest.KeptID.String() + `","span_id":"0000000000000001","duration_ms":"12.5"},"value":"1","timestamp":1767225600.25},
		{"labels":{"trace_id":"` + webtest.GoneID.String() + `","span_id":"0000000000000002"},"value":"1","timestamp":1767225602}]},
	{"seriesLabels":{"service_name":"cart","span_name":"pay","reason":"503"},"exemplars":[
		{"labels":{"trace_id":"` + webtest.KeptID.String() + `","span_id":"0000000000000003"},"value":"1","timestamp":1767225601},
		{"labels":{},"value":"1","timestamp":1767225603}]}]}`

const tracesOfCheckout = "/api/slo/v1/objectives/checkout%2Favailability%20%28v2%29/traces"

// TestTraces: the traces are those exemplars that are stored, newest first, each trace once.
func TestTraces(t *testing.T) {
	world := webtest.Everything()
	database := world.Extensions["tsdb"].(*webtest.Prometheus)
	database.Exemplars = exemplarsAnswer
	h := world.Serve(TraceRoutes)
	got := webtest.Decode[api.ObjectiveTraces](t, webtest.Get(t, h, tracesOfCheckout))
	require.Equal(t, []api.ObjectiveTrace{{
		TraceID: webtest.KeptID.String(), SpanID: "0000000000000003", At: time.Unix(1767225601, 0).UTC(), Service: "cart", Operation: "pay", Reason: "503",
	}}, got.Traces)
	require.Equal(t, got, webtest.Decode[api.ObjectiveTraces](t, webtest.Get(t, h, tracesOfCheckout+"?limit=200&start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z")))
	database.Exemplars = `{"status":"success","data":[]}`
	require.JSONEq(t, `{"traces":[]}`, webtest.Get(t, h, tracesOfCheckout).Body.String())
}

func TestTracesProblems(t *testing.T) {
	world := webtest.Everything()
	database := world.Extensions["tsdb"].(*webtest.Prometheus)
	h := world.Serve(TraceRoutes)
	for _, c := range []struct {
		target, answer string
		status         int
		says           string
	}{
		{"/api/slo/v1/objectives/nobody/traces", "", 404, `There is no objective`},
		{tracesOfCheckout + "?limit=0", "", 400, "limit=0"},
		{tracesOfCheckout + "?page=2", "", 400, "page"},
		{tracesOfCheckout, `{"status":"error","error":"too many queries"}`, 503, "cannot be read: too many queries"},
		{tracesOfCheckout, `<html>`, 503, "read the answer, of status 502"},
	} {
		database.Exemplars, database.Status = c.answer, http.StatusBadGateway
		w := webtest.Get(t, h, c.target)
		require.Equal(t, c.status, w.Code, w.Body.String())
		require.Contains(t, w.Body.String(), c.says)
	}
}

// TestTracesOfPromQL: an objective that queries PromQL has no exemplars.
func TestTracesOfPromQL(t *testing.T) {
	world := webtest.Everything()
	world.Extensions["tsdb"].(*webtest.Prometheus).Exemplars = exemplarsAnswer
	e := world.Extensions["slo"].(*webtest.Engine)
	for i := range e.List.Objectives {
		e.List.Objectives[i].Indicator.Type = slo.PromQL
	}
	require.JSONEq(t, `{"traces":[]}`, webtest.Get(t, world.Serve(TraceRoutes), tracesOfCheckout).Body.String())
}

// TestBadEventsOf: the series of an objective for each service are those of its definition and service.
func TestBadEventsOf(t *testing.T) {
	list := []slo.Objective{{Name: "served", Each: slo.Each{By: slo.ByService, Limit: 50}}, {Name: "checkout"}}
	for name, want := range map[string]string{
		"checkout":       `slowburn_sli_bad_events_total{objective="checkout"}`,
		"served:cart":    `slowburn_sli_bad_events_total{objective="served",service_name="cart"}`,
		"served:a%2F%22": `slowburn_sli_bad_events_total{objective="served",service_name="a/\""}`,
	} {
		require.Equal(t, want, badEventsOf(list, name), name)
	}
}
