package tsdb

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

const apiPrefix = "/api/v1"

// The types of errors in Prometheus' API.
const (
	errorBadData     = "bad_data"
	errorNotFound    = "not_found"
	errorUnavailable = "unavailable"
)

var (
	// queryPaths take their parameters from the URL or from a form that is posted.
	queryPaths = []string{"query", "query_range", "query_exemplars", "format_query", "parse_query", "labels", "series"}
	// readPaths are what else Grafana and other clients read, wherever the data are.
	readPaths = []string{"label/{name}/values", "metadata", "rules", "alerts", "status/buildinfo"}
	// statusPaths describe the embedded database itself.
	statusPaths = []string{"status/runtimeinfo", "status/flags", "status/tsdb", "status/tsdb/blocks", "status/walreplay"}

	// emptyAnswers is the answer about parts of Prometheus that the embedded database does not have. Alerts of objectives
	// are in the gateway's own API.
	emptyAnswers = map[string]string{
		"rules":            `{"groups":[]}`,
		"alerts":           `{"alerts":[]}`,
		"alertmanagers":    `{"activeAlertmanagers":[],"droppedAlertmanagers":[]}`,
		"scrape_pools":     `{"scrapePools":[]}`,
		"targets":          `{"activeTargets":[],"droppedTargets":[],"droppedTargetCounts":{}}`,
		"targets/metadata": `[]`,
	}
)

// newMux serves the paths that all backends have with the handlers that h returns, and all others with an error.
func newMux(h func(path string) http.Handler) *http.ServeMux {
	mux := http.NewServeMux()
	for _, p := range queryPaths {
		mux.Handle("GET "+apiPrefix+"/"+p, h(p))
		mux.Handle("POST "+apiPrefix+"/"+p, h(p))
	}
	mux.HandleFunc("/", notServed)
	return mux
}

// routes serves the API of the embedded database.
func (e *embedded) routes(prometheus map[string]http.Handler) http.Handler {
	mux := newMux(func(p string) http.Handler { return prometheus[p] })
	for p, answer := range emptyAnswers {
		mux.HandleFunc("GET "+apiPrefix+"/"+p, func(w http.ResponseWriter, _ *http.Request) {
			writeData(w, json.RawMessage(answer))
		})
	}
	for _, p := range append(readPaths, statusPaths...) {
		if h := prometheus[p]; h != nil {
			mux.Handle("GET "+apiPrefix+"/"+p, h)
		}
	}
	mux.HandleFunc("GET "+apiPrefix+"/metadata", e.serveMetadata)
	return mux
}

func (e *embedded) serveMetadata(w http.ResponseWriter, r *http.Request) {
	limit := -1
	if s := r.FormValue("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			writeError(w, http.StatusBadRequest, errorBadData, "limit must be a number")
			return
		}
		limit = n
	}
	writeData(w, e.families.Describe(r.FormValue("metric"), limit))
}

func notServed(w http.ResponseWriter, r *http.Request) {
	advice := "see docs/metrics.md for what is"
	switch p := strings.TrimPrefix(r.URL.Path, apiPrefix+"/"); {
	case p == "write" || strings.HasPrefix(p, "otlp/"):
		advice = "send metrics over OTLP to the receiver otlp"
	case strings.HasPrefix(p, "admin/"):
		advice = "the time series database is not administered over HTTP"
	}
	writeError(w, http.StatusNotFound, errorNotFound, fmt.Sprintf("%s %s is not served here: %s", r.Method, r.URL.Path, advice))
}

// response is the envelope of Prometheus' API.
type response struct {
	Status    string `json:"status"`
	Data      any    `json:"data,omitempty"`
	ErrorType string `json:"errorType,omitempty"`
	Error     string `json:"error,omitempty"`
}

func writeData(w http.ResponseWriter, data any) {
	write(w, http.StatusOK, response{Status: "success", Data: data})
}

func writeError(w http.ResponseWriter, code int, errorType, message string) {
	write(w, code, response{Status: "error", ErrorType: errorType, Error: message})
}

func write(w http.ResponseWriter, code int, r response) {
	body, err := json.Marshal(r)
	if err != nil { // no type here that JSON has no form for
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write(body) // the client has gone, and nobody is left to tell
}
