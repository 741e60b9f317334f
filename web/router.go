package web

import (
	"io/fs"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"github.com/klauspost/compress/gzhttp"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/web/api"
)

// newHandler is all that is served: the routes below base, with their answers compressed for clients that want it.
func newHandler(all *components, files fs.FS, base string, log *zap.Logger) (http.Handler, error) {
	pages, err := newDashboard(files)
	if err != nil {
		return nil, err
	}
	compress, err := gzhttp.NewWrapper(gzhttp.EnableZstd(false)) // an encoder of zstd holds megabytes per connection
	if err != nil {
		return nil, err
	}
	return compress(below(base, newRouter(all, pages, log))), nil
}

// newRouter lays out every path; openapi.yaml describes them.
func newRouter(all *components, pages http.Handler, log *zap.Logger) chi.Router {
	r := chi.NewRouter()
	r.Use(recoverer(log), middleware.GetHead)
	r.NotFound(nothingThere)
	r.MethodNotAllowed(onlyGet(writeProblem))

	r.Get("/healthz", healthz)
	r.Get("/readyz", readyz(all, true))
	r.Get("/metrics", metricsElsewhere)
	r.Get("/api/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(api.OpenAPI)
	})
	r.Get("/api/slo/v1/objectives", listObjectives(all))
	r.Get("/api/slo/v1/objectives/{name}", getObjective(all))
	r.Get("/api/slo/v1/objectives/{name}/history", getHistory(all))
	r.Get("/api/traces/v1/services", listServices(all))
	r.Get("/api/traces/v1/search", searchTraces(all))
	r.Get("/api/traces/v1/traces/{trace_id}", getTrace(all))
	samplingRoutes(r, all)
	r.Get("/api/alerts/v1/alerts", listAlerts(all))
	r.Get("/api/alerts/v1/deliveries", listDeliveries(all))
	r.Handle("/api/v1/*", prometheusAPI(all)) // with every method: it knows best
	r.Route("/jaeger/api", func(r chi.Router) { jaegerRoutes(r, all) })

	// Only GET: with all methods these would take requests from the routes above that have the wrong one.
	r.Get("/api/*", nothingThere)
	r.Get("/jaeger/*", nothingThere)
	r.Get("/*", pages.ServeHTTP)
	return r
}

func nothingThere(w http.ResponseWriter, r *http.Request) {
	if slices.Contains(actions, r.URL.Path) {
		onlyGet(writeProblem)(w, r)
		return
	}
	writeProblem(w, http.StatusNotFound, "There is nothing at %s: api/openapi.yaml lists what is there.", r.URL.Path)
}

// samplingRoutes are about tail_sampling. Those that change something take no request that a browser sends from a page of
// another site.
func samplingRoutes(r chi.Router, all *components) {
	r.Get("/api/sampling/v1/status", withSampler(all, getSamplingStatus))
	r.Get("/api/sampling/v1/cost", withSampler(all, getSamplingCost))
	r.Get("/api/sampling/v1/policies", withSampler(all, getPolicies))
	r.Get("/api/sampling/v1/shadow", withSampler(all, getShadow))
	r.Get("/api/sampling/v1/decisions/{trace_id}", getDecision(all))
	own := r.With(ownPagesOnly)
	own.Post("/api/sampling/v1/policies/reload", withSampler(all, reloadPolicies))
	own.Post("/api/sampling/v1/shadow/promote", withSampler(all, promoteShadow))
}

// actions are the paths that only take POST.
var actions = []string{"/api/sampling/v1/policies/reload", "/api/sampling/v1/shadow/promote"}

// ownPagesOnly refuses what a browser sends on behalf of another site, whose pages must not change anything here.
func ownPagesOnly(next http.Handler) http.Handler {
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, http.StatusForbidden, "The request comes from a page of another site: send it from the dashboard's own address, "+
			"or with a tool that is no browser.")
	}))
	return guard.Handler(next)
}

// metricsElsewhere tells a scraper with a guessed address where the gateway's own metrics are.
func metricsElsewhere(w http.ResponseWriter, _ *http.Request) {
	writeProblem(w, http.StatusNotFound, "The gateway's own metrics are not at this address: scrape the one of service::telemetry::metrics, "+
		"http://127.0.0.1:8888/metrics by default.")
}

// onlyGet answers other methods than those that the routes have, which is GET but for actions.
func onlyGet(fail failure) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		allow, use := "GET, HEAD", http.MethodGet
		if slices.Contains(actions, r.URL.Path) {
			allow, use = http.MethodPost, http.MethodPost
		}
		w.Header().Set("Allow", allow)
		fail(w, http.StatusMethodNotAllowed, "%s cannot be used on %s: use %s.", r.Method, r.URL.Path, use)
	}
}

// below serves next below the path base.
func below(base string, next http.Handler) http.Handler {
	if base == "" {
		return next
	}
	stripped := http.StripPrefix(base, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.EscapedPath(); {
		case strings.HasPrefix(path, base+"/"):
			stripped.ServeHTTP(w, r)
		case path == "/healthz" || path == "/readyz" || path == "/metrics": // asked of the process, not of the proxy in front of it
			next.ServeHTTP(w, r)
		case path == "/" || path == base: // the pages link relatively, so the slash matters
			http.Redirect(w, r, base+"/", http.StatusFound)
		default:
			writeProblem(w, http.StatusNotFound, "There is nothing at %s: all is below %s/ (web::base_path).", r.URL.Path, base)
		}
	})
}
