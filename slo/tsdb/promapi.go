package tsdb

import (
	"net/http"
	"runtime"

	"github.com/prometheus/common/route"
	promconfig "github.com/prometheus/prometheus/config"
	promtsdb "github.com/prometheus/prometheus/tsdb"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/slo/tsdb/internal/promlog"
)

// prometheusVersion is what this package was built with, by Prometheus' own numbering. Grafana reads it to learn what
// the API can do.
const prometheusVersion = "3.14.0"

// newPrometheusAPI returns Prometheus' own handler of its API. Parts of it would panic, as nothing here scrapes,
// evaluates rules or lets anybody write over HTTP: only the paths that routes names may reach it.
//
// It is costly to make, as it renders OpenAPI documents whether they are asked for or not (45 ms, 60 MB of garbage).
func newPrometheusAPI(e *embedded) http.Handler {
	started := clock.Now()
	api := apiv1.NewAPI(
		e.engine.limited(e.config.MaxConcurrentQueries), e.db,
		nil, nil, // nothing is appended
		e.db,          // exemplars
		nil, nil, nil, // scrape pools, targets, alertmanagers
		func() promconfig.Config { return promconfig.DefaultConfig },
		map[string]string{}, // flags
		apiv1.GlobalURLOptions{},
		func(h http.HandlerFunc) http.HandlerFunc { return h }, // ready, or Start would not have returned
		&stats{DB: e.db, stats: e.stats}, e.config.Directory,
		false, false, 0, // neither administration nor search
		promlog.New(e.logger),
		nil,     // rules
		0, 1, 0, // remote read
		false, // no agent
		nil,   // no cross-origin requests: see routes
		func() (apiv1.RuntimeInfo, error) {
			return apiv1.RuntimeInfo{
				StartTime:           started,
				ServerTime:          clock.Now(),
				ReloadConfigSuccess: true,
				CorruptionCount:     int64(e.repaired),
				GoroutineCount:      runtime.NumGoroutine(),
				GOMAXPROCS:          runtime.GOMAXPROCS(0),
				StorageRetention:    e.config.Retention.String(),
			}, nil
		},
		&apiv1.PrometheusVersion{Version: prometheusVersion, GoVersion: runtime.Version()},
		nil, nil, // notifications
		e.registry, e.registry,
		nil,        // statistics as usual
		false, nil, // no remote write
		false, false, false, // no OTLP
		false, lookback, false, false,
		nil, nil,
		apiv1.OpenAPIOptions{IncludePaths: []string{"none"}}, // its description of itself is not served
		nil, // the usual parser
	)
	router := route.New().WithPrefix(apiPrefix)
	api.Register(router)
	return router
}

// stats gives the API the statistics of the database.
type stats struct {
	*promtsdb.DB
	stats *promtsdb.DBStats
}

// Stats implements apiv1.TSDBAdminStats.
func (s *stats) Stats(label string, limit int) (*promtsdb.Stats, error) {
	return s.Head().Stats(label, limit), nil
}

// WALReplayStatus implements apiv1.TSDBAdminStats.
func (s *stats) WALReplayStatus() (promtsdb.WALReplayStatus, error) {
	return s.stats.Head.WALReplayStatus.GetWALReplayStatus(), nil
}

// BlockMetas implements apiv1.TSDBAdminStats.
func (s *stats) BlockMetas() ([]promtsdb.BlockMeta, error) { return s.DB.BlockMetas(), nil }
