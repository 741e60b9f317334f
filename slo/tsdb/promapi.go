package tsdb

import (
	"net/http"
	"runtime"

	promtsdb "github.com/prometheus/prometheus/tsdb"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/slo/tsdb/internal/promapi"
)

// prometheusVersion is what this package was built with, by Prometheus' own numbering. Grafana reads it to learn what
// the API can do.
const prometheusVersion = "3.14.0"

// newPrometheusAPI returns the handlers of Prometheus' API, by path.
func newPrometheusAPI(e *embedded) map[string]http.Handler {
	started := clock.Now()
	return promapi.New(promapi.Settings{
		Engine:    e.engine.limited(e.config.MaxConcurrentQueries),
		Queryable: e.db,
		Exemplars: e.db,
		Database:  &stats{DB: e.db, stats: e.stats},
		Metrics:   e.registry,
		Build:     promapi.Build{Version: prometheusVersion, GoVersion: runtime.Version()},
		Runtime: func() promapi.Runtime {
			return promapi.Runtime{
				StartTime:           started,
				ServerTime:          clock.Wall(),
				ReloadConfigSuccess: true,
				CorruptionCount:     int64(e.repaired),
				GoroutineCount:      runtime.NumGoroutine(),
				GOMAXPROCS:          runtime.GOMAXPROCS(0),
				StorageRetention:    e.config.Retention.String(),
			}
		},
	}).Paths()
}

// stats gives the API the statistics of the database.
type stats struct {
	*promtsdb.DB
	stats *promtsdb.DBStats
}

// Stats implements promapi.Database.
func (s *stats) Stats(label string, limit int) *promtsdb.Stats { return s.Head().Stats(label, limit) }

// WALReplayStatus implements promapi.Database.
func (s *stats) WALReplayStatus() promtsdb.WALReplayStatus {
	return s.stats.Head.WALReplayStatus.GetWALReplayStatus()
}
