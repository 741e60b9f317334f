package tsdb

import (
	"net/http"
	"runtime"

	promtsdb "github.com/prometheus/prometheus/tsdb"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/slo/tsdb/internal/cancelable"
	"github.com/slowburn/slowburn/slo/tsdb/internal/promapi"
	"github.com/slowburn/slowburn/slo/tsdb/internal/promlog"
)

// prometheusVersion is what this package was built with, by Prometheus' own numbering. Grafana reads it to learn what
// the API can do.
const prometheusVersion = "3.14.0"

// newPrometheusAPI returns the handlers of Prometheus' API, by path.
func newPrometheusAPI(e *embedded) map[string]http.Handler {
	started := clock.Now()
	return promapi.New(promapi.Settings{
		Engines:   e.engines(),
		Gate:      e.gate,
		Limits:    e.config.Query.limits(e.config.QueryTimeout),
		Refused:   func() { e.engine.count("refused") },
		Ended:     e.engine.ended,
		Queryable: cancelable.Queryable{Queryable: e.db},
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

// engineSizes are how many eightieths of all samples each engine may hold. By bounds.Plan's reckoning 64 of them fit query::memory
// where selected series have many samples each, and 16 where they have one.
var engineSizes = [...]int64{1, 2, 4, 8, 16, 32, 64, 80}

// engines evaluate the queries of the API, those first that may hold the fewest samples: a query begins with little, and takes
// more of what all share when it needs it.
func (e *embedded) engines() (list []promapi.Engine) {
	most := e.config.Query.samples()
	for _, size := range engineSizes {
		samples := max(1, most*size/engineSizes[len(engineSizes)-1])
		sized := newEngine(e.config, samples, e.db, promlog.New(e.logger), e.telemetry)
		sized.broken = e.report
		list = append(list, promapi.Engine{QueryEngine: sized.QueryEngine, MaxSamples: samples}) // which the API measures
	}
	return list
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
