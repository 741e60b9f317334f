package web

import (
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/slowburn/slowburn/web/api"
)

// newRouter lays out every path; openapi.yaml describes them.
func newRouter(all *components, base string) (http.Handler, error) {
	ui, err := uiHandler(base)
	if err != nil {
		return nil, err
	}
	r := chi.NewRouter()
	r.Use(securityHeaders, middleware.Recoverer, middleware.Compress(5))

	r.Get("/healthz", healthz)
	r.Get("/readyz", readyz(all))
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
	r.Get("/api/sampling/v1/status", getSamplingStatus(all))
	r.Get("/api/alerts/v1/alerts", listAlerts(all))
	r.Get("/api/alerts/v1/deliveries", listDeliveries(all))
	r.Handle("/api/v1/*", prometheusAPI(all))
	r.Route("/jaeger/api", func(r chi.Router) { jaegerRoutes(r, all) })

	noRoute := func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, http.StatusNotFound, "There is nothing at %s: api/openapi.yaml lists what is there.", r.URL.Path)
	}
	r.HandleFunc("/api/*", noRoute)
	r.HandleFunc("/jaeger/*", noRoute)
	r.Get("/*", ui.ServeHTTP)
	r.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, http.StatusMethodNotAllowed, "%s cannot be used on %s: use GET.", r.Method, r.URL.Path)
	})
	if base == "" {
		return r, nil
	}
	outer := chi.NewRouter()
	outer.Mount(base, http.StripPrefix(base, r))
	outer.Get("/healthz", healthz) // orchestrators ask the process, not the proxy in front of it
	outer.Get("/readyz", readyz(all))
	outer.Get("/", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, base+"/", http.StatusFound) })
	return outer, nil
}
