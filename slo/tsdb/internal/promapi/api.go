package promapi

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/index"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/prometheus/prometheus/util/httputil"

	"github.com/slowburn/slowburn/internal/gate"
)

// Settings are what the API reads from, and what it says of the gateway.
type Settings struct {
	Engines   []Engine // by how many samples they hold, fewest first
	Gate      *gate.Gate
	Limits    Limits
	Refused   func()                              // counts a request that the gate refused
	Ended     func(err error, took time.Duration) // counts a query
	Queryable storage.Queryable
	Exemplars storage.ExemplarQueryable
	Database  Database
	Metrics   prometheus.Gatherer // Prometheus' own, for the number of chunks
	Build     Build
	Runtime   func() Runtime
}

// Engine evaluates queries, each of which may hold MaxSamples samples.
type Engine struct {
	promql.QueryEngine
	MaxSamples int64
}

// Limits bounds one request.
type Limits struct {
	Length       int           // of an expression, in bytes
	Response     int           // bytes, before compression
	Time         time.Duration // for all that is computed
	SubqueryStep time.Duration // of subqueries that have none
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

// answer is the result of a handler. With nil data it has no content.
type answer struct {
	data     any
	warnings annotations.Annotations
	close    func() // gives back what data points to
}

// handler answers a request. An error without a kind of its own is one of the evaluation.
type handler func(*http.Request) (answer, error)

// costly is a handler that needs a turn at the gate.
type costly func(*http.Request, *gate.Turn) (answer, error)

// Paths are the handlers, by their path below /api/v1/, in the grammar of http.ServeMux. Answers are compressed for clients
// that ask for it.
func (a *API) Paths() map[string]http.Handler {
	d := door{a.settings.Gate, a.settings.Limits, a.settings.Refused}
	out := make(map[string]http.Handler)
	for path, h := range map[string]costly{
		"query":               a.query,
		"query_range":         a.queryRange,
		"query_exemplars":     a.queryExemplars,
		"format_query":        a.formatQuery,
		"parse_query":         a.parseQuery,
		"labels":              a.labelNames,
		"label/{name}/values": a.labelValues,
		"series":              a.series,
		"status/tsdb":         a.statusTSDB,
	} {
		out[path] = d.gated(h)
	}
	for path, h := range map[string]handler{
		"status/buildinfo":   func(*http.Request) (answer, error) { return answer{data: a.settings.Build}, nil },
		"status/runtimeinfo": func(*http.Request) (answer, error) { return answer{data: a.settings.Runtime()}, nil },
		"status/flags":       func(*http.Request) (answer, error) { return answer{data: map[string]string{}}, nil },
		"status/tsdb/blocks": a.statusBlocks,
		"status/walreplay":   a.statusReplay,
	} {
		out[path] = httputil.CompressionHandler{Handler: d.free(h)}
	}
	return out
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
