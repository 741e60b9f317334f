package web

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component"

	"github.com/slowburn/slowburn/internal/host"
)

func TestHealthz(t *testing.T) {
	w := get(t, running{}.handler(t, pages, ""), "/healthz")
	assert.Equal(t, http.StatusOK, w.Code)
	assert.Equal(t, "ok\n", w.Body.String())
}

func TestReadyz(t *testing.T) {
	bad := func(blocking bool) *probing { return &probing{health: host.Health{Blocking: blocking, Message: "bad"}} }
	listening := componentHealth{"otlp", true, true, "listening"}
	for name, c := range map[string]struct {
		extensions map[string]component.Component
		pipelines  map[string]any
		ready      bool
		want       []componentHealth
	}{
		"nothing has started": {
			want: []componentHealth{{"otlp", false, true, "no otlp receiver has started yet"}},
		},
		"well": {
			extensions: map[string]component.Component{"tsdb": healthy("queries"), "zpages": nothing{}},
			pipelines:  map[string]any{"otlp": healthy("listening"), "trace_store": healthy("stores"), "debug": "cannot tell"},
			ready:      true,
			want:       []componentHealth{{"tsdb", true, true, "queries"}, listening, {"trace_store", true, true, "stores"}},
		},
		"any receiver counts": {
			pipelines: map[string]any{"otlp/internal": healthy("listening")},
			ready:     true,
			want:      []componentHealth{{"otlp/internal", true, true, "listening"}},
		},
		"the receiver is down": {
			pipelines: map[string]any{"otlp": bad(true)},
			want:      []componentHealth{{"otlp", false, true, "bad"}},
		},
		"the sampler takes no spans": {
			pipelines: map[string]any{"otlp": healthy("listening"), "tail_sampling": bad(true)},
			want:      []componentHealth{listening, {"tail_sampling", false, true, "bad"}},
		},
		"a webhook receiver fails": {
			extensions: map[string]component.Component{"slo": bad(false)},
			pipelines:  map[string]any{"otlp": healthy("listening")},
			ready:      true,
			want:       []componentHealth{{"slo", false, false, "bad"}, listening},
		},
		"an extension hangs": {
			extensions: map[string]component.Component{"tsdb": &probing{hangs: true}},
			pipelines:  map[string]any{"otlp": healthy("listening")},
			ready:      true,
			want:       []componentHealth{{"tsdb", false, false, "did not answer within 800ms"}, listening},
		},
		"the sampler hangs": {
			pipelines: map[string]any{"otlp": healthy("listening"), "tail_sampling": &probing{hangs: true}},
			want:      []componentHealth{listening, {"tail_sampling", false, true, "did not answer within 800ms"}},
		},
		"an extension panics": {
			extensions: map[string]component.Component{"slo": &probing{panics: true}},
			pipelines:  map[string]any{"otlp": healthy("listening")},
			ready:      true,
			want:       []componentHealth{{"slo", false, false, "failed to tell its health: no health"}, listening},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // who answers has all the time it needs
				w := get(t, running{c.extensions, c.pipelines}.handler(t, pages, ""), "/readyz")
				want := http.StatusServiceUnavailable
				if c.ready {
					want = http.StatusOK
				}
				assert.Equal(t, want, w.Code)
				assert.Equal(t, "no-store", w.Header().Get("Cache-Control"))
				assert.Equal(t, readiness{c.ready, c.want}, decode[readiness](t, w))
				time.Sleep(hangs) // then nobody does any more
			})
		})
	}
}

// TestReadyzAsksAtOnce: what hangs must not take the time of the others.
func TestReadyzAsksAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func() *probing {
			done := make(chan struct{})
			time.AfterFunc(probeTimeout-time.Millisecond, func() { close(done) })
			return &probing{health: host.Health{OK: true}, wait: done}
		}
		world := running{
			extensions: map[string]component.Component{"slo": slow(), "tsdb": slow()},
			pipelines:  map[string]any{"otlp": slow(), "trace_store": slow()},
		}
		w := get(t, world.handler(t, pages, ""), "/readyz")
		assert.Equal(t, http.StatusOK, w.Code, w.Body.String())
	})
}

// TestComponentsComeAndGo: two may share an ID, and the one that stops is taken off.
func TestComponentsComeAndGo(t *testing.T) {
	first, second := healthy("first"), healthy("second")
	id := component.MustNewID("otlp")
	all := running{}.components()
	all.add(id, first)
	all.add(id, second)
	assert.Len(t, all.all(), 2)
	all.remove(id, first)
	assert.Equal(t, []named{{id, second, true}}, all.all())
	all.remove(component.MustNewIDWithName("otlp", "other"), second)
	assert.Len(t, all.all(), 1)
	all.remove(id, second)
	assert.Empty(t, all.all())
}
