package promapi

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/index"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/prometheus/prometheus/util/httputil"
)

// Settings are what the API reads from, and what it says of the gateway.
type Settings struct {
	Engine    promql.QueryEngine
	Queryable storage.Queryable
	Exemplars storage.ExemplarQueryable
	Database  Database
	Metrics   prometheus.Gatherer // Prometheus' own, for the number of chunks
	Build     Build
	Runtime   func() Runtime
}

// Database is what status paths read.
type Database interface {
	BlockMetas() []tsdb.BlockMeta
	Stats(label string, limit int) *tsdb.Stats
	WALReplayStatus() tsdb.WALReplayStatus
}

// API is Prometheus' HTTP API. Its handlers are safe for concurrent use.
type API struct {
	settings Settings
	parser   parser.Parser
}

// New returns the API over what is set.
func New(set Settings) *API {
	return &API{settings: set, parser: parser.NewParser(parser.Options{})}
}

// answer is what a handler found. Data of nil is an answer without content.
type answer struct {
	data     any
	warnings annotations.Annotations
	close    func() // gives back what data points to
}

// handler answers a request; an error that is no *Error is one of the evaluation.
type handler func(*http.Request) (answer, error)

// Paths are the handlers, by their path below /api/v1/, in the grammar of http.ServeMux. Answers are compressed for clients
// that ask for it.
func (a *API) Paths() map[string]http.Handler {
	paths := map[string]handler{
		"query":               a.query,
		"query_range":         a.queryRange,
		"query_exemplars":     a.queryExemplars,
		"format_query":        a.formatQuery,
		"parse_query":         a.parseQuery,
		"labels":              a.labelNames,
		"label/{name}/values": a.labelValues,
		"series":              a.series,
		"status/buildinfo":    func(*http.Request) (answer, error) { return answer{data: a.settings.Build}, nil },
		"status/runtimeinfo":  func(*http.Request) (answer, error) { return answer{data: a.settings.Runtime()}, nil },
		"status/flags":        func(*http.Request) (answer, error) { return answer{data: map[string]string{}}, nil },
		"status/tsdb":         a.statusTSDB,
		"status/tsdb/blocks":  a.statusBlocks,
		"status/walreplay":    a.statusReplay,
	}
	out := make(map[string]http.Handler, len(paths))
	for path, h := range paths {
		out[path] = httputil.CompressionHandler{Handler: h}
	}
	return out
}

// ServeHTTP implements http.Handler.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	found, err := h(r)
	if found.close != nil {
		defer found.close()
	}
	switch {
	case err != nil:
		respondError(w, err)
	case found.data == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		respond(w, found, r.FormValue("query"))
	}
}

// statOf is one line of a database's statistics.
type statOf struct {
	Name  string `json:"name"`
	Value uint64 `json:"value"`
}

func statsOf(stats []index.Stat) []statOf {
	out := make([]statOf, 0, len(stats))
	for _, s := range stats {
		out = append(out, statOf{s.Name, s.Count})
	}
	return out
}
