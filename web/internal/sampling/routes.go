// Package sampling serves /api/sampling/v1/: the decisions of tail_sampling and their reasons, and changes to its policies. Its
// entry point is Routes; a Sampler answers its questions.
package sampling

import (
	"github.com/go-chi/chi/v5"

	"github.com/slowburn/slowburn/web/internal/known"
)

// Routes are about tail_sampling. Those that change something take POST: package doors lets operators in alone.
func Routes(r chi.Router, all *known.Components) {
	r.Get("/api/sampling/v1/status", with(all, getStatus))
	r.Get("/api/sampling/v1/cost", with(all, getCost))
	r.Get("/api/sampling/v1/policies", with(all, getPolicies))
	r.Get("/api/sampling/v1/shadow", with(all, getShadow))
	r.Get("/api/sampling/v1/decisions/{trace_id}", getDecision(all))
	r.Get("/api/sampling/v1/destinations", deliverers(all, getDestinations))
	r.Post("/api/sampling/v1/policies/reload", with(all, reloadPolicies))
	r.Post("/api/sampling/v1/shadow/promote", with(all, promoteShadow))
	r.Post("/api/sampling/v1/refused/retry", deliverers(all, retryAllRefused))
	r.Post("/api/sampling/v1/drain", drainers(all, Drainer.StartDrain))
	r.Post("/api/sampling/v1/drain/resume", drainers(all, Drainer.StopDrain))
	r.Post("/api/sampling/v1/refused/{trace_id}/retry", deliverers(all, retryRefused))
}
