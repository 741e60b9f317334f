package web

import (
	"fmt"
	"net/http"

	"github.com/slowburn/slowburn/web/internal/known"
	"github.com/slowburn/slowburn/web/internal/rest"
)

// prometheus is an extension that serves Prometheus' HTTP API.
type prometheus interface {
	PrometheusAPI() http.Handler
}

// prometheusError is an error in the form of Prometheus' API.
type prometheusError struct {
	Status string `json:"status"`
	Type   string `json:"errorType"`
	Error  string `json:"error"`
}

// writePrometheusError writes an error in Prometheus' format.
func writePrometheusError(w http.ResponseWriter, status int, format string, args ...any) {
	rest.WriteError(w, "application/json", status, prometheusError{"error", "bad_data", fmt.Sprintf(format, args...)})
}

// prometheusAPI serves /api/v1/, in Prometheus' own format down to the errors.
func prometheusAPI(all *known.Components) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p, ok := known.Find[prometheus](all)
		if !ok {
			rest.WriteError(w, "application/json", http.StatusNotFound, prometheusError{"error", "not_found",
				"no tsdb extension is running: define one under extensions and name it in service::extensions"})
			return
		}
		p.PrometheusAPI().ServeHTTP(w, r)
	}
}
