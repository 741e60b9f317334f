package web

import "net/http"

// prometheus is an extension that serves Prometheus' HTTP API.
type prometheus interface {
	PrometheusAPI() http.Handler
}

// prometheusAPI serves /api/v1/, in Prometheus' own format down to the errors.
func prometheusAPI(all *components) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, ok := find[prometheus](all)
		if !ok {
			writeProblem(w, http.StatusNotFound, "No tsdb extension is running: define one under extensions and name it in service::extensions.")
			return
		}
		p.PrometheusAPI().ServeHTTP(w, r)
	}
}
