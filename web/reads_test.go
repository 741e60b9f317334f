package web

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/gate"
	"github.com/slowburn/slowburn/web/internal/reads"
	"github.com/slowburn/slowburn/web/internal/rest"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

// TestCheapRequestsDoNotWait: while costly requests queue, probes, live counters, pages and the contract are answered, and costly
// requests are refused in the form of their API.
func TestCheapRequestsDoNotWait(t *testing.T) {
	config := reads.Default()
	config.Queue, config.QueueTimeout = 0, time.Minute
	limits, err := reads.New(config, gate.NewSlots(1))
	require.NoError(t, err)
	h, err := newHandler(webtest.Everything().Components(), limits, http.NotFoundHandler(), webtest.Pages, "", zap.NewNop())
	require.NoError(t, err)
	inTurn := make(chan bool)
	done := make(chan bool)
	blocker := limits.Costly(nil)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inTurn <- true; <-done }))
	blocked := make(chan bool)
	go func() { webtest.Get(t, blocker, "/"); close(blocked) }()
	<-inTurn
	for _, path := range []string{
		"/healthz", "/readyz", "/", "/api/openapi.yaml", "/api/sampling/v1/status", "/api/sampling/v1/cost", "/api/sampling/v1/policies",
		"/api/sampling/v1/decisions/" + webtest.KeptID.String(), "/api/v1/query",
	} {
		assert.Equal(t, http.StatusOK, webtest.Get(t, h, path).Code, path)
	}
	for _, path := range []string{
		"/api/traces/v1/services", "/api/traces/v1/search", "/api/traces/v1/traces/" + webtest.ExampleHex, "/api/slo/v1/objectives/a/history",
	} {
		w := webtest.Get(t, h, path)
		webtest.RequireProblem(t, w, http.StatusServiceUnavailable, "busy")
		assert.NotEmpty(t, w.Header().Get("Retry-After"), path)
	}
	w := webtest.Get(t, h, "/jaeger/api/traces")
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.Contains(t, w.Body.String(), `"errors":[{"code":503`)
	close(done)
	<-blocked
	assert.Equal(t, http.StatusOK, webtest.Get(t, h, "/api/traces/v1/services").Code)
}

type slotsOf struct{ slots *gate.Slots }

func (s slotsOf) Slots() *gate.Slots                        { return s.slots }
func (slotsOf) Start(context.Context, component.Host) error { return nil }
func (slotsOf) Shutdown(context.Context) error              { return nil }

// TestSlotsAreShared: while a query of metrics has the last slot, no trace is read.
func TestSlotsAreShared(t *testing.T) {
	for _, slots := range []*gate.Slots{nil, gate.NewSlots(1)} {
		world := webtest.Everything()
		world.Extensions["tsdb"] = slotsOf{slots}
		config := reads.Default()
		config.Queue, config.QueueTimeout = 0, time.Minute
		limits, err := newLimits(config, world.Components())
		require.NoError(t, err)
		h := limits.Costly(rest.WriteProblem)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		want := http.StatusOK
		if slots != nil {
			turn, err := gate.New(gate.Settings{Slots: slots, Timeout: time.Minute, Memory: 1}).Enter(t.Context())
			require.NoError(t, err)
			defer turn.Leave()
			want = http.StatusServiceUnavailable
		}
		assert.Equal(t, want, webtest.Get(t, h, "/").Code)
	}
}
