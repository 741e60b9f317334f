package promapi

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/slowburn/slowburn/internal/gate"
)

// Build is the answer of status/buildinfo. Grafana reads the version to learn what the API can do.
type Build struct {
	Version   string `json:"version"`
	Revision  string `json:"revision"`
	Branch    string `json:"branch"`
	BuildUser string `json:"buildUser"`
	BuildDate string `json:"buildDate"`
	GoVersion string `json:"goVersion"`
}

// Runtime is the answer of status/runtimeinfo.
type Runtime struct {
	StartTime           time.Time `json:"startTime"`
	CWD                 string    `json:"CWD"`
	Hostname            string    `json:"hostname"`
	ServerTime          time.Time `json:"serverTime"`
	ReloadConfigSuccess bool      `json:"reloadConfigSuccess"`
	LastConfigTime      time.Time `json:"lastConfigTime"`
	CorruptionCount     int64     `json:"corruptionCount"`
	GoroutineCount      int       `json:"goroutineCount"`
	GOMAXPROCS          int       `json:"GOMAXPROCS"`
	GOMEMLIMIT          int64     `json:"GOMEMLIMIT"`
	GOGC                string    `json:"GOGC"`
	GODEBUG             string    `json:"GODEBUG"`
	StorageRetention    string    `json:"storageRetention"`
}

type headStats struct {
	NumSeries     uint64 `json:"numSeries"`
	NumLabelPairs int    `json:"numLabelPairs"`
	ChunkCount    int64  `json:"chunkCount"`
	MinTime       int64  `json:"minTime"` // ms
	MaxTime       int64  `json:"maxTime"` // ms
}

type tsdbStatus struct {
	Head                        headStats `json:"headStats"`
	SeriesCountByMetricName     []statOf  `json:"seriesCountByMetricName"`
	LabelValueCountByLabelName  []statOf  `json:"labelValueCountByLabelName"`
	MemoryInBytesByLabelName    []statOf  `json:"memoryInBytesByLabelName"`
	SeriesCountByLabelValuePair []statOf  `json:"seriesCountByLabelValuePair"`
}

func (a *API) statusTSDB(r *http.Request, _ *gate.Turn) (answer, error) {
	const usual, most = 10, 10_000
	limit := usual
	if text := r.FormValue("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 {
			return answer{}, badRequest{errors.New("limit must be a positive number")}
		}
		if limit > most {
			return answer{}, badRequest{fmt.Errorf("limit must not exceed %d", most)}
		}
	}
	s := a.settings.Database.Stats(model.MetricNameLabel, limit)
	postings := s.IndexPostingStats
	return answer{data: tsdbStatus{
		Head: headStats{
			NumSeries: s.NumSeries, NumLabelPairs: postings.NumLabelPairs, ChunkCount: a.chunks(), MinTime: s.MinTime, MaxTime: s.MaxTime,
		},
		SeriesCountByMetricName:     statsOf(postings.CardinalityMetricsStats),
		LabelValueCountByLabelName:  statsOf(postings.CardinalityLabelStats),
		MemoryInBytesByLabelName:    statsOf(postings.LabelValueStats),
		SeriesCountByLabelValuePair: statsOf(postings.LabelValuePairsStats),
	}}, nil
}

// chunks is how many chunks the head has, which only its metric tells.
func (a *API) chunks() int64 {
	families, err := a.settings.Metrics.Gather()
	if err != nil {
		return 0 // only a metric that breaks its own rules
	}
	for _, family := range families {
		if family.GetName() == "prometheus_tsdb_head_chunks" && len(family.GetMetric()) > 0 {
			return int64(family.GetMetric()[0].GetGauge().GetValue())
		}
	}
	return 0
}

func (a *API) statusBlocks(*http.Request) (answer, error) {
	return answer{data: map[string][]tsdb.BlockMeta{"blocks": a.settings.Database.BlockMetas()}}, nil
}

func (a *API) statusReplay(*http.Request) (answer, error) {
	s := a.settings.Database.WALReplayStatus()
	return answer{data: struct {
		Min     int `json:"min"`
		Max     int `json:"max"`
		Current int `json:"current"`
	}{s.Min, s.Max, s.Current}}, nil
}
