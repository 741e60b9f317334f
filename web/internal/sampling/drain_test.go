package sampling

import (
	"net/http"
	"testing"
	"time"

	"github.com/slowburn/slowburn/web/api"

	"github.com/stretchr/testify/assert"

	"github.com/slowburn/slowburn/processor/tailsampling"
	"github.com/slowburn/slowburn/web/internal/webtest"
)

// drained is a processor that is drained later than the other.
type drained struct{ webtest.Sampler }

func (*drained) StartDrain() tailsampling.DrainState {
	at := webtest.Noon.Add(time.Minute)
	return tailsampling.DrainState{Draining: true, Since: &at, Done: true, Destinations: []tailsampling.Undelivered{{Destination: "otlp_http/archive"}}}
}

// TestDrainSeveralProcessors: a gateway is drained when all its processors are.
func TestDrainSeveralProcessors(t *testing.T) {
	world := webtest.Everything()
	world.Pipelines["tail_sampling/2"] = &drained{}
	h := world.Serve(Routes)
	state := webtest.Decode[api.Drain](t, webtest.Ask(t, h, http.MethodPost, "/api/sampling/v1/drain"))
	assert.True(t, state.Draining)
	assert.False(t, state.Done)
	assert.Equal(t, webtest.Noon, *state.Since)
	assert.Equal(t, int64(3), state.UndeliveredTraces)
	assert.Len(t, state.Destinations, 2)

	world = webtest.Running{Pipelines: map[string]any{"tail_sampling": &drained{}}}
	state = webtest.Decode[api.Drain](t, webtest.Ask(t, world.Serve(Routes), http.MethodPost, "/api/sampling/v1/drain"))
	assert.True(t, state.Done)

	state = webtest.Decode[api.Drain](t, webtest.Ask(t, webtest.Everything().Serve(Routes), http.MethodPost, "/api/sampling/v1/drain/resume"))
	assert.False(t, state.Draining)
	assert.False(t, state.Done)
}
