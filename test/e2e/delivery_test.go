//go:build e2e

package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/slowburn/slowburn/web/api"
)

// Of five destinations one refuses, one hangs, and one has no listener. The two others and the dashboard get each trace once, within
// seconds, however many traces wait for the three. The three get everything when they accept spans again.
func TestOneDestinationDelaysNoOther(t *testing.T) {
	t.Parallel()
	const waiting = 3400 // traces, 40,800 spans
	refusing, hanging, healthy := startBackend(t), startBackend(t), startBackend(t)
	nobody := freePort(t)
	g := startExporting(t, exporters(
		exporter{id: "otlp_grpc/refusing", endpoint: refusing.grpc},
		exporter{id: "otlp_http/hanging", endpoint: hanging.http},
		exporter{id: "otlp_grpc/nobody", endpoint: nobody},
		exporter{id: "otlp_grpc/healthy", endpoint: healthy.grpc, options: "headers: {tenant: grpc}"},
		exporter{id: "otlp_http/healthy", endpoint: healthy.http, options: "headers: {tenant: http}"},
	))
	refusing.answer(t, away)
	hanging.answer(t, rule{Hang: true})

	made := newTraffic(61)
	sent := made.traces(waiting, boring)
	g.sendAll(t, sent)
	time.Sleep(5 * time.Second) // by then the traces are decided, and wait
	last := made.traces(10, boring)
	g.sendAll(t, last)
	g.awaitDashboard(t, 15*time.Second, last)
	sent = append(sent, last...)
	healthy.awaitAll(t, soon, sent, "grpc")
	healthy.awaitAll(t, soon, sent, "http")

	refusing.answer(t)
	hanging.answer(t)
	late := startBackendAt(t, nobody, freePort(t))
	refusing.awaitAll(t, 2*soon, sent)
	hanging.awaitAll(t, 2*soon, sent)
	late.awaitAll(t, 2*soon, sent)
}

// If a backend refuses the gateway itself for two seconds, no trace is lost, and /readyz names the destination with status 200.
func TestRefusedGatewayLosesNothing(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	rules := map[string]rule{
		"otlp_grpc/unauthenticated": {Code: codes.Unauthenticated, Text: "who are you"},
		"otlp_grpc/denied":          {Code: codes.PermissionDenied, Text: "not you"},
		"otlp_grpc/unimplemented":   {Code: codes.Unimplemented, Text: "no such service"},
		"otlp_http/401":             {Status: http.StatusUnauthorized, Text: "who are you"},
		"otlp_http/403":             {Status: http.StatusForbidden, Text: "not you"},
		"otlp_http/404":             {Status: http.StatusNotFound, Text: "no such page"},
		"otlp_http/405":             {Status: http.StatusMethodNotAllowed, Text: "not that way"},
		"otlp_http/501":             {Status: http.StatusNotImplemented, Text: "not yet"},
	}
	var all []exporter
	for id, r := range rules {
		endpoint := b.grpc
		if r.Status != 0 {
			endpoint = b.http
		}
		all = append(all, exporter{id: id, endpoint: endpoint, options: "headers: {tenant: " + id + "}"})
		b.answerTenant(t, id, r)
	}
	g := startExporting(t, exporters(all...))
	made := newTraffic(62)
	sent := made.traces(50, boring)
	g.sendAll(t, sent)
	for id, r := range rules {
		assert.Eventually(t, func() bool { return b.state(t, id).Requests > 0 }, soon, 20*time.Millisecond, id)
		var ready readyState
		assert.Eventually(t, func() bool {
			ready = g.readyz(t)
			return ready.names(id)
		}, 5*time.Second, 50*time.Millisecond, "/readyz does not name %s: %+v", id, ready)
		assert.Equal(t, http.StatusOK, ready.status)
		assert.True(t, ready.names(r.Text), "/readyz has the backend's words: %+v", ready)
	}
	time.Sleep(2 * time.Second) // the backends refuse for this time
	more := made.traces(50, boring)
	g.sendAll(t, more)
	for id := range rules {
		b.answerTenant(t, id)
	}
	for id := range rules {
		b.awaitAll(t, soon, append(sent, more...), id)
	}
	require.Eventually(t, func() bool { return !g.readyz(t).names("otlp_") }, soon, 100*time.Millisecond,
		"/readyz still names destinations that accept spans")
}

// If a backend refuses the gateway for longer than refusal_patience, the oldest traces are given up, those without an error first.
// They are counted, and /readyz reports them with status 200. Younger traces arrive when the backend accepts traces again.
func TestPatienceRunsOut(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	rules := map[string]rule{
		"otlp_grpc/denied": {Code: codes.PermissionDenied, Text: "not you"},
		"otlp_http/401":    {Status: http.StatusUnauthorized, Text: "who are you"},
	}
	all := []exporter{{id: "otlp_grpc/healthy", endpoint: b.grpc, options: "headers: {tenant: healthy}"}}
	for id, r := range rules {
		endpoint := b.grpc
		if r.Status != 0 {
			endpoint = b.http
		}
		all = append(all, exporter{id: id, endpoint: endpoint, options: "headers: {tenant: " + id + "}"})
		b.answerTenant(t, id, r)
	}
	g := startExporting(t, "yaml:processors::tail_sampling::refusal_patience: 4s", exporters(all...))
	made := newTraffic(77)
	old := made.traces(30, boring)
	g.sendAll(t, old)
	b.awaitAll(t, soon, old, "healthy")
	for id := range rules {
		assert.Eventually(t, func() bool { return int(g.destinations(t).of(t, id).UndeliveredTraces) == len(old) }, 2*soon, 100*time.Millisecond, id)
		ready := g.readyz(t)
		assert.Equal(t, http.StatusOK, ready.status)
		assert.True(t, ready.names("refusal_patience"), "%+v", ready)
	}
	for id := range rules {
		b.answerTenant(t, id)
	}
	young := made.traces(30, boring)
	g.sendAll(t, young)
	for id := range rules {
		b.awaitAll(t, 2*soon, young, id)
		assert.EqualValues(t, len(old), g.destinations(t).of(t, id).UndeliveredTraces, id)
	}
	assert.Zero(t, g.destinations(t).of(t, "otlp_grpc/healthy").UndeliveredTraces)
}

// If the backend refuses one trace permanently, all others arrive. The refused trace is listed with the backend's text, and is sent
// again on request.
func TestRefusalIsAboutOneTrace(t *testing.T) {
	for name, answer := range map[string]rule{
		"otlp_grpc/internal": {Code: codes.Internal, Text: "cannot index this"},
		"otlp_grpc/invalid":  {Code: codes.InvalidArgument, Text: "cannot read this"},
		"otlp_http/500":      {Status: http.StatusInternalServerError, Text: "cannot index this"},
		"otlp_http/400":      {Status: http.StatusBadRequest, Text: "cannot read this"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startBackend(t)
			e := exporter{id: name, endpoint: b.grpc}
			if answer.Status != 0 {
				e.endpoint = b.http
			}
			g := startExporting(t, exporters(e))
			sent := newTraffic(63).traces(200, boring)
			refusedID := traceID(sent[77]).String()
			answer.TraceID = refusedID
			b.answer(t, answer)
			g.sendAll(t, sent)
			b.awaitAll(t, soon, append(sent[:77:77], sent[78:]...))
			var seen destinations
			require.Eventually(t, func() bool {
				seen = g.destinations(t)
				return len(seen.Refused) > 0
			}, soon, 200*time.Millisecond, "the refused trace is not listed")
			require.Len(t, seen.Refused, 1)
			assert.Equal(t, refusedID, seen.Refused[0].TraceID)
			assert.Equal(t, name, seen.Refused[0].Destination)
			assert.EqualValues(t, spansPerTrace, seen.Refused[0].Spans)
			assert.Contains(t, seen.Refused[0].Text, answer.Text)
			assert.EqualValues(t, 1, seen.of(t, name).RefusedTraces)

			// The trace stays in the log: the gateway retries it after the next start, and lists it when the backend has accepted others.
			g.restart(t)
			more := newTraffic(163).traces(20, boring)
			g.sendAll(t, more)
			b.awaitAll(t, soon, more)
			require.Eventually(t, func() bool { return len(g.destinations(t).Refused) == 1 }, soon, 200*time.Millisecond,
				"the refused trace is not listed after a restart")
			b.answer(t)
			if answer.Status != 0 {
				status, body := g.request(t, http.MethodPost, "/api/sampling/v1/refused/"+refusedID+"/retry")
				require.Equal(t, 2, status/100, "%s", body)
			} else {
				out, err := g.command("retry", refusedID)
				require.NoError(t, err, out)
			}
			b.awaitAll(t, soon, sent)
			require.Eventually(t, func() bool { return len(g.destinations(t).Refused) == 0 }, soon, 200*time.Millisecond)
			status, _ := g.request(t, http.MethodPost, "/api/sampling/v1/refused/"+refusedID+"/retry")
			assert.Equal(t, http.StatusNotFound, status, "a trace that was delivered is still listed as refused")
		})
	}
}

// Spans that the backend rejects from an accepted request are counted and reported.
func TestPartialSuccessIsCounted(t *testing.T) {
	t.Parallel()
	b := startBackend(t)
	g := startExporting(t, exporters(
		exporter{id: "otlp_grpc/partial", endpoint: b.grpc, options: "headers: {tenant: grpc}"},
		exporter{id: "otlp_http/partial", endpoint: b.http, options: "headers: {tenant: http}"},
	))
	for _, tenant := range []string{"grpc", "http"} {
		b.answerTenant(t, tenant, rule{Reject: 3, Times: 1, Text: "three are too old"})
	}
	sent := newTraffic(64).traces(20, boring)
	g.sendAll(t, sent)
	for id, tenant := range map[string]string{"otlp_grpc/partial": "grpc", "otlp_http/partial": "http"} {
		b.awaitAll(t, soon, sent, tenant) // no span is sent again
		var d api.Destination
		require.Eventually(t, func() bool {
			d = g.destinations(t).of(t, id)
			return d.RejectedSpans > 0
		}, soon, 100*time.Millisecond)
		assert.EqualValues(t, 3, d.RejectedSpans)
		assert.Contains(t, d.RejectedWhy, "three are too old")
	}
}
