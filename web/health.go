package web

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/slowburn/slowburn/internal/host"
)

// probeTimeout bounds how long /readyz waits for one component.
const probeTimeout = 2 * time.Second

// readiness is what /readyz answers.
type readiness struct {
	Ready      bool              `json:"ready"`
	Components []componentHealth `json:"components"`
}

// componentHealth is what one component found when it looked at itself.
type componentHealth struct {
	ID       string `json:"id"`
	OK       bool   `json:"ok"`
	Blocking bool   `json:"blocking"`
	Message  string `json:"message"`
}

// healthz says that the process lives, and nothing more.
func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// readyz lists each component that can tell its health: 503 where one of them keeps the gateway from taking spans.
func readyz(all *components) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer := readiness{Ready: true, Components: []componentHealth{}}
		receiving := false
		for _, n := range all.all() {
			prober, ok := n.c.(host.Prober)
			if !ok {
				continue
			}
			ctx, cancel := context.WithTimeout(r.Context(), probeTimeout)
			health := prober.Probe(ctx)
			cancel()
			receiving = receiving || n.id.Type().String() == "otlp"
			answer.Ready = answer.Ready && (health.OK || !health.Blocking)
			answer.Components = append(answer.Components, componentHealth{n.id.String(), health.OK, health.Blocking, health.Message})
		}
		if !receiving {
			answer.Ready = false
			answer.Components = append(answer.Components, componentHealth{"otlp", false, true, "no otlp receiver has started yet"})
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		if !answer.Ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(answer)
	}
}
