//go:build e2e

package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/slowburn/slowburn/web/api"
)

// webhook is a receiver of alerts that fails its first request, and stores the later ones.
type webhook struct {
	mu       sync.Mutex
	requests int
	taken    []notification
}

// notification has the tested fields of Alertmanager's webhook, version 4.
type notification struct {
	key string

	Version string `json:"version"`
	Status  string `json:"status"`
	Alerts  []struct {
		Status      string            `json:"status"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
		StartsAt    time.Time         `json:"startsAt"`
		EndsAt      time.Time         `json:"endsAt"`
		Fingerprint string            `json:"fingerprint"`
	} `json:"alerts"`
}

func (h *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	n := notification{key: r.Header.Get("Idempotency-Key")}
	if err != nil || json.Unmarshal(body, &n) != nil {
		http.Error(w, "not a notification", http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.requests++
	if h.requests == 1 {
		http.Error(w, "not yet", http.StatusServiceUnavailable)
		return
	}
	h.taken = append(h.taken, n)
}

func (h *webhook) all() []notification {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.taken)
}

func (g *gateway) objective(t *testing.T) api.Objective {
	t.Helper()
	var o api.Objective
	g.get(t, "/api/slo/v1/objectives/orders", &o)
	return o
}

func (g *gateway) breakdown(t *testing.T) api.Breakdown {
	t.Helper()
	var b api.Breakdown
	g.get(t, "/api/slo/v1/objectives/orders/breakdown?by=service,reason", &b)
	return b
}

// A burst of errors raises the burn rate to the computed value, and sends one firing and one resolved notification. A restart of
// the gateway in between loses neither budget nor alert.
func TestErrorBurstBurnsBudgetAndAlerts(t *testing.T) {
	t.Parallel()
	hook := &webhook{}
	server := httptest.NewServer(hook)
	defer server.Close()
	g := startGateway(t, []string{"E2E_WEBHOOK=" + server.URL}, "testdata/sampling.yaml", "testdata/objective.yaml")

	const total, bad = 400, 120
	g.requests(t, total, bad)
	await := func(what string, within time.Duration, met func() bool) {
		t.Helper()
		require.Eventually(t, met, within, 500*time.Millisecond, what)
	}
	await("the burst is not counted", patience, func() bool { return g.objective(t).Events.Total == total })

	// 120 of 400 is a ratio of 0.3, which burns a budget of 0.01 at a rate of 30. The budget is that of 30 days at this traffic.
	before := g.objective(t)
	assert.EqualValues(t, bad, before.Events.Bad)
	require.Positive(t, before.Coverage.CoveredSeconds)
	expected := float64(total) * 30 * 24 * 3600 / float64(before.Coverage.CoveredSeconds)
	assert.InEpsilon(t, expected, before.Budget.ExpectedEvents, 1e-9)
	assert.InDelta(t, 1-bad/(0.01*expected), before.Budget.RemainingRatio, 1e-9)
	assert.True(t, before.Budget.Young)
	assert.EqualValues(t, "normal", before.Budget.Policy, "minutes after the start the budget of 30 days is there")
	for _, rate := range before.BurnRates {
		if rate.Window == "1h" || rate.Window == "30d" {
			assert.EqualValues(t, total, rate.Total, rate.Window)
			assert.EqualValues(t, bad, rate.Bad, rate.Window)
			require.NotNil(t, rate.BurnRate)
			assert.InDelta(t, 30.0, *rate.BurnRate, 1e-9, rate.Window)
		}
	}
	assert.EqualValues(t, "firing", before.Alert.State)
	assert.EqualValues(t, "page", before.Alert.Severity)
	burned := g.breakdown(t)
	assert.EqualValues(t, "alert", burned.Basis)
	require.Len(t, burned.Rows, 1)
	assert.Equal(t, before.Events, burned.Rows[0].Events)
	assert.Equal(t, "checkout", burned.Rows[0].Values["service"])
	assert.Zero(t, burned.Uncovered)
	await("no notification of the alert", patience, func() bool { return len(hook.all()) == 1 })

	g.stop(t)
	g.start(t)
	after := g.objective(t)
	assert.Equal(t, before.Events, after.Events, "the restart lost budget")
	assert.EqualValues(t, "firing", after.Alert.State, "the restart lost the alert")
	assert.Equal(t, burned.Rows[0].Events, g.breakdown(t).Rows[0].Events, "the restart lost parts")

	g.requests(t, 50, 0)
	await("the alert is not resolved", 2*patience, func() bool { return len(hook.all()) == 2 })
	await("the requests after the restart are not counted", patience, func() bool { return g.objective(t).Events.Total == total+50 })
	assert.EqualValues(t, bad, g.objective(t).Events.Bad)
	assert.EqualValues(t, "resolved", g.objective(t).Alert.State)

	got := hook.all()
	require.Len(t, got, 2, "each transition is delivered once to a receiver that accepts it")
	for i, status := range []string{"firing", "resolved"} {
		assert.Equal(t, "4", got[i].Version)
		assert.Equal(t, status, got[i].Status)
		require.Len(t, got[i].Alerts, 1)
		assert.Equal(t, status, got[i].Alerts[0].Status)
		assert.Equal(t, "orders", got[i].Alerts[0].Labels["objective"])
		assert.NotEmpty(t, got[i].key)
	}
	assert.NotEqual(t, got[0].key, got[1].key, "each transition has a key of its own")
	assert.Equal(t, got[0].Alerts[0].Fingerprint, got[1].Alerts[0].Fingerprint)
	assert.Equal(t, got[0].Alerts[0].StartsAt, got[1].Alerts[0].StartsAt)
	assert.True(t, got[0].Alerts[0].EndsAt.IsZero())
	assert.True(t, got[1].Alerts[0].EndsAt.After(got[1].Alerts[0].StartsAt))
}

// requests sends server spans of the service checkout, each as its own trace.
func (g *gateway) requests(t *testing.T, total, bad int) {
	t.Helper()
	made := newTraffic(uint64(time.Now().UnixNano()))
	td := ptrace.NewTraces()
	spans := newScope(td, "checkout")
	for i := range total {
		span := spans.AppendEmpty()
		id := pcommon.TraceID{1}
		for j := 1; j < len(id); j++ {
			id[j] = byte(made.rng.Uint32())
		}
		span.SetTraceID(id)
		span.SetSpanID(pcommon.SpanID(id[:8]))
		made.fill(span, 0, time.Now(), 50*time.Millisecond)
		if i < bad {
			span.Status().SetCode(ptrace.StatusCodeError)
		}
	}
	g.sendJSON(t, td)
}
