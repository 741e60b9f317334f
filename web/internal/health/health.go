// Package health is /healthz and /readyz: Live and Ready. What is ready is what the components say of themselves, see
// host.Prober.
package health

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/host"
	"github.com/slowburn/slowburn/web/api"
	"github.com/slowburn/slowburn/web/internal/known"
)

// probeTimeout bounds how long /readyz waits. It is less than the second after which Kubernetes gives up, so that what
// hangs behind the dashboard, such as a remote Prometheus, cannot make the gateway look unready.
const probeTimeout = 800 * time.Millisecond

// Live says that the process lives, and nothing more.
func Live(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// Ready tells whether the gateway can take spans, 503 where not, and, where it is to list them, what each component that
// can tell its health found.
func Ready(all *known.Components, list bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), probeTimeout)
		defer cancel()
		answer := probeAll(ctx, all)
		status := http.StatusOK
		if !answer.Ready {
			status = http.StatusServiceUnavailable
		}
		if !list {
			answer.Components = []api.ComponentHealth{}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer) // fails only where the client has gone
	}
}

// probeAll asks all components at once. Of one that cannot tell, it counts whether it is part of a pipeline: spans pass
// through those and nothing else.
func probeAll(ctx context.Context, all *known.Components) api.Readiness {
	type question struct {
		known.Component
		answer chan host.Health
	}
	var asked []question
	for _, n := range all.All() {
		if p, ok := n.Value.(host.Prober); ok {
			q := question{n, make(chan host.Health, 1)}
			asked = append(asked, q)
			go func() { q.answer <- probe(ctx, p, n.Pipeline) }()
		}
	}
	out := api.Readiness{Ready: true, Components: []api.ComponentHealth{}}
	receiving := false
	for _, q := range asked {
		var health host.Health
		select {
		case health = <-q.answer:
		case <-ctx.Done():
			health = host.Health{Blocking: q.Pipeline, Message: fmt.Sprintf("did not answer within %s", probeTimeout)}
			select {
			case health = <-q.answer: // both were ready
			default:
			}
		}
		receiving = receiving || q.ID.Type().String() == "otlp"
		out.Ready = out.Ready && (health.OK || !health.Blocking)
		out.Components = append(out.Components, api.ComponentHealth{
			ID: q.ID.String(), OK: health.OK, Blocking: health.Blocking, Message: health.Message, Advice: health.Advice,
		})
	}
	if doubt := clock.Look().Doubt; doubt != "" {
		out.Components = append(out.Components, api.ComponentHealth{ID: "clock", Message: doubt})
	}
	if !receiving {
		out.Ready = false
		out.Components = append(out.Components, api.ComponentHealth{ID: "otlp", Blocking: true, Message: "no otlp receiver has started yet"})
	}
	return out
}

// probe asks one component. One that panics is not well, and must not take the gateway with it.
func probe(ctx context.Context, p host.Prober, pipeline bool) (health host.Health) {
	defer func() {
		if panicked := recover(); panicked != nil {
			health = host.Health{Blocking: pipeline, Message: fmt.Sprintf("failed to tell its health: %v", panicked)}
		}
	}()
	return p.Probe(ctx)
}
