package health

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slowburn/slowburn/web/api"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/goleak"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func served(world webtest.Running) http.Handler {
	return world.Serve(func(r chi.Router, all *known.Components) {
		r.Get("/healthz", Live)
		r.Get("/readyz", Ready(all, true))
		r.Get("/unlisted", Ready(all, false))
	})
}

func TestHealthz(t *testing.T) {
	w := webtest.Get(t, served(webtest.Running{}), "/healthz")
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "ok\n", w.Body.String())
}

// A clock in doubt is reported, and the gateway stays ready.
func TestDoubtedClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := served(webtest.Running{Pipelines: map[string]any{"otlp": webtest.Healthy("listening")}})
		clock.NotBefore(time.Now().Add(time.Hour), "slo.db")
		got := webtest.Decode[api.Readiness](t, webtest.Get(t, h, "/readyz"))
		assert.True(t, got.Ready)
		assert.Len(t, got.Components, 2)
		c := got.Components[1]
		assert.Equal(t, "clock", c.ID)
		assert.False(t, c.OK || c.Blocking)
		assert.Contains(t, c.Message, "the machine's clock is 1h0m0s behind slo.db")
		time.Sleep(clock.DoubtTime)
		assert.Len(t, webtest.Decode[api.Readiness](t, webtest.Get(t, h, "/readyz")).Components, 1)
	})
}

// found is a component's health.
func found(id string, ok, blocking bool, message, advice string) api.ComponentHealth {
	return api.ComponentHealth{ID: id, OK: ok, Blocking: blocking, Message: message, Advice: advice}
}

func TestReadyz(t *testing.T) {
	bad := func(blocking bool) *webtest.Prober {
		return &webtest.Prober{Health: host.Health{Blocking: blocking, Message: "bad"}}
	}
	listening := found("otlp", true, true, "listening", "")
	for name, c := range map[string]struct {
		extensions map[string]component.Component
		pipelines  map[string]any
		ready      bool
		want       []api.ComponentHealth
	}{
		"nothing has started": {
			want: []api.ComponentHealth{found("otlp", false, true, "no otlp receiver has started yet", "")},
		},
		"well": {
			extensions: map[string]component.Component{"tsdb": webtest.Healthy("queries"), "zpages": webtest.Component{}},
			pipelines:  map[string]any{"otlp": webtest.Healthy("listening"), "trace_store": webtest.Healthy("stores"), "debug": "cannot tell"},
			ready:      true,
			want:       []api.ComponentHealth{found("tsdb", true, true, "queries", ""), listening, found("trace_store", true, true, "stores", "")},
		},
		"any receiver counts": {
			pipelines: map[string]any{"otlp/internal": webtest.Healthy("listening")},
			ready:     true,
			want:      []api.ComponentHealth{found("otlp/internal", true, true, "listening", "")},
		},
		"advice is no trouble": {
			extensions: map[string]component.Component{"slo": &webtest.Prober{Health: host.Health{OK: true, Message: "works", Advice: "add a receiver"}}},
			pipelines:  map[string]any{"otlp": webtest.Healthy("listening")},
			ready:      true,
			want:       []api.ComponentHealth{found("slo", true, false, "works", "add a receiver"), listening},
		},
		"the receiver is down": {
			pipelines: map[string]any{"otlp": bad(true)},
			want:      []api.ComponentHealth{found("otlp", false, true, "bad", "")},
		},
		"the sampler takes no spans": {
			pipelines: map[string]any{"otlp": webtest.Healthy("listening"), "tail_sampling": bad(true)},
			want:      []api.ComponentHealth{listening, found("tail_sampling", false, true, "bad", "")},
		},
		"a webhook receiver fails": {
			extensions: map[string]component.Component{"slo": bad(false)},
			pipelines:  map[string]any{"otlp": webtest.Healthy("listening")},
			ready:      true,
			want:       []api.ComponentHealth{found("slo", false, false, "bad", ""), listening},
		},
		"an extension hangs": {
			extensions: map[string]component.Component{"tsdb": &webtest.Prober{Hangs: true}},
			pipelines:  map[string]any{"otlp": webtest.Healthy("listening")},
			ready:      true,
			want:       []api.ComponentHealth{found("tsdb", false, false, "did not answer within 800ms", ""), listening},
		},
		"the sampler hangs": {
			pipelines: map[string]any{"otlp": webtest.Healthy("listening"), "tail_sampling": &webtest.Prober{Hangs: true}},
			want:      []api.ComponentHealth{listening, found("tail_sampling", false, true, "did not answer within 800ms", "")},
		},
		"an extension panics": {
			extensions: map[string]component.Component{"slo": &webtest.Prober{Panics: true}},
			pipelines:  map[string]any{"otlp": webtest.Healthy("listening")},
			ready:      true,
			want:       []api.ComponentHealth{found("slo", false, false, "failed to tell its health: no health", ""), listening},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // a component that answers may use all the time
				w := webtest.Get(t, served(webtest.Running{Extensions: c.extensions, Pipelines: c.pipelines}), "/readyz")
				want := http.StatusServiceUnavailable
				if c.ready {
					want = http.StatusOK
				}
				assert.Equal(t, want, w.Code)
				assert.Equal(t, api.Readiness{Ready: c.ready, Components: c.want}, webtest.Decode[api.Readiness](t, w))
				time.Sleep(webtest.HangTime) // then the others time out
			})
		})
	}
}

// TestReadyzProbesConcurrently: a probe that hangs must not use the time of the others.
func TestReadyzProbesConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func() *webtest.Prober {
			done := make(chan struct{})
			time.AfterFunc(probeTimeout-time.Millisecond, func() { close(done) })
			return &webtest.Prober{Health: host.Health{OK: true}, Wait: done}
		}
		world := webtest.Running{
			Extensions: map[string]component.Component{"slo": slow(), "tsdb": slow()},
			Pipelines:  map[string]any{"otlp": slow(), "trace_store": slow()},
		}
		w := webtest.Get(t, served(world), "/readyz")
		assert.Equal(t, http.StatusOK, w.Code, w.Body.String())
	})
}

// TestReadyzWithoutCredentials: a caller without credentials learns whether the gateway is ready, and not its components.
func TestReadyzWithoutCredentials(t *testing.T) {
	w := webtest.Get(t, served(webtest.Everything()), "/unlisted")
	assert.JSONEq(t, `{"ready":true,"components":[]}`, w.Body.String())
	w = webtest.Get(t, served(webtest.Running{}), "/unlisted")
	assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	assert.JSONEq(t, `{"ready":false,"components":[]}`, w.Body.String())
}
