// Package health serves /healthz and /readyz: Live and Ready. The components report their own readiness, see host.Prober.
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

// probeTimeout bounds how long /readyz waits. It is below the second after which Kubernetes gives up, so that a hanging
// dependency of the dashboard, such as a remote Prometheus, does not make the gateway look unready.
const probeTimeout = 800 * time.Millisecond

// Live answers 200 while the process runs.
func Live(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// Ready answers whether the gateway can accept spans, with 503 if not. With list it adds the health of each component that
// can report it.
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

// probeAll probes all components at once. A component without an answer makes the gateway unready only if it is part of a
// pipeline, as spans pass through these alone.
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

// probe probes one component. A panic counts as bad health, and does not end the gateway.
func probe(ctx context.Context, p host.Prober, pipeline bool) (health host.Health) {
	defer func() {
		if panicked := recover(); panicked != nil {
			health = host.Health{Blocking: pipeline, Message: fmt.Sprintf("failed to tell its health: %v", panicked)}
		}
	}()
	return p.Probe(ctx)
}
