// Package sampling is /api/sampling/v1/: what tail_sampling did and why, and changes to its policies. A Sampler is what it
// asks, Routes what it serves.
package sampling

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/rest"
)

// Routes are about tail_sampling. Those that change something take no request that a browser sends from a page of
// another site.
func Routes(r chi.Router, all *known.Components) {
	r.Get("/api/sampling/v1/status", with(all, getStatus))
	r.Get("/api/sampling/v1/cost", with(all, getCost))
	r.Get("/api/sampling/v1/policies", with(all, getPolicies))
	r.Get("/api/sampling/v1/shadow", with(all, getShadow))
	r.Get("/api/sampling/v1/decisions/{trace_id}", getDecision(all))
	r.Get("/api/sampling/v1/destinations", deliverers(all, getDestinations))
	own := r.With(ownPagesOnly)
	own.Post("/api/sampling/v1/policies/reload", with(all, reloadPolicies))
	own.Post("/api/sampling/v1/shadow/promote", with(all, promoteShadow))
	own.Post("/api/sampling/v1/refused/retry", deliverers(all, retryAllRefused))
	own.Post("/api/sampling/v1/drain", drainers(all, Drainer.StartDrain))
	own.Post("/api/sampling/v1/drain/resume", drainers(all, Drainer.StopDrain))
	own.Post("/api/sampling/v1/refused/{trace_id}/retry", deliverers(all, retryRefused))
}

// ownPagesOnly refuses what a browser sends on behalf of another site, whose pages must not change anything here.
func ownPagesOnly(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		rest.WriteProblem(w, http.StatusForbidden, "The request comes from a page of another site: send it from the dashboard's own address, "+
			"or with a tool that is no browser.")
	}))
	return guard.Handler(next)
}
