package samples

import (
	"context"
	"fmt"
	"testing"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/teststorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/spec"
)

// prometheus is Prometheus' own engine over a storage.
type prometheus struct {
	engine  *promql.Engine
	storage storage.Storage
}

func (p prometheus) Query(ctx context.Context, expr string, at time.Time) (model.Value, error) {
	q, err := p.engine.NewInstantQuery(ctx, p.storage, nil, expr, at)
	if err != nil {
		return nil, err
	}
	return answered(ctx, q)
}

func (p prometheus) QueryRange(ctx context.Context, expr string, r promv1.Range) (model.Value, error) {
	q, err := p.engine.NewRangeQuery(ctx, p.storage, nil, expr, r.Start, r.End, r.Step)
	if err != nil {
		return nil, err
	}
	return answered(ctx, q)
}

func answered(ctx context.Context, q promql.Query) (model.Value, error) {
	defer q.Close()
	result := q.Exec(ctx)
	switch v := result.Value.(type) {
	case promql.Scalar:
		return &model.Scalar{Value: model.SampleValue(v.V), Timestamp: model.Time(v.T)}, result.Err
	case promql.Vector:
		vector := model.Vector{}
		for _, s := range v {
			vector = append(vector, &model.Sample{Value: model.SampleValue(s.F), Timestamp: model.Time(s.T)})
		}
		return vector, result.Err
	case promql.Matrix:
		matrix := model.Matrix{}
		for _, s := range v {
			stream := &model.SampleStream{}
			for _, p := range s.Floats {
				stream.Values = append(stream.Values, model.SamplePair{Timestamp: model.Time(p.T), Value: model.SampleValue(p.F)})
			}
			matrix = append(matrix, stream)
		}
		return matrix, result.Err
	default:
		return nil, fmt.Errorf("a %T: %w", v, result.Err)
	}
}

// counted are the true numbers of events of a shop.
const (
	shopMinutes    = 180
	instances      = 2
	checksPerHour  = 60 * 4
	failedChecks   = 90
	slowMinutes    = 30
	requestsTotal  = 15_490 * instances
	requestsFailed = 1_549 * instances
	requestsQuick  = 13_941 * instances
)

// shop writes the samples of a shop: instances that count requests for two hours between two quiet half hours, the second of which begins
// anew in the middle. Samples come at an interval.
func shop(t *testing.T, interval time.Duration) Querier {
	t.Helper()
	db := teststorage.New(t)
	app := db.Appender(t.Context())
	write := func(at time.Time, v float64, pairs ...string) {
		_, err := app.Append(0, labels.FromStrings(pairs...), at.UnixMilli(), v)
		require.NoError(t, err)
	}
	for i := range instances {
		instance := fmt.Sprint(i)
		born := noon.Add(time.Duration(3+i) * time.Second)
		for at := born; at.Before(noon.Add(shopMinutes * time.Minute)); at = at.Add(interval) {
			share := min(max(at.Sub(noon.Add(30*time.Minute)).Minutes()/120, 0), 1)
			if i == 1 { // the counters begin anew after an hour and a half
				if anew := 0.5; share > anew {
					share -= anew
				}
			}
			all := share * requestsTotal / instances
			for code, of := range map[string]float64{"200": 0.7, "302": 0.2, "503": 0.1} {
				write(at, all*of, "__name__", "http_requests_total", "instance", instance, "code", code)
			}
			for bound, of := range map[string]float64{"0.3": 0.9, "1.0": 0.95, "+Inf": 1} {
				write(at, all*of, "__name__", "http_duration_seconds_bucket", "instance", instance, "le", bound)
			}
			write(at, all, "__name__", "http_duration_seconds_count", "instance", instance)
			write(at, all/10, "__name__", "http_duration_seconds_sum", "instance", instance)
			h := &histogram.FloatHistogram{Schema: histogram.CustomBucketsSchema, Count: all, Sum: all / 10, CustomValues: []float64{0.3, 1},
				PositiveSpans: []histogram.Span{{Length: 3}}, PositiveBuckets: []float64{all * 0.9, all * 0.05, all * 0.05}}
			_, err := app.AppendHistogram(0, labels.FromStrings("__name__", "native_seconds", "instance", instance), at.UnixMilli(), nil, h)
			require.NoError(t, err)
		}
	}
	for k, at := 0, noon.Add(7*time.Second); at.Before(noon.Add(shopMinutes * time.Minute)); k, at = k+1, at.Add(15*time.Second) {
		up, latency := 1.0, 0.1
		if k >= 300 && k < 300+failedChecks {
			up = 0
		}
		if k >= 400 && k < 400+4*slowMinutes {
			latency = 2
		}
		write(at, up, "__name__", "probe_success")
		write(at, latency, "__name__", "probe_latency")
	}
	require.NoError(t, app.Commit())
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 50_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute,
		Parser: parser.NewParser(parser.Options{})})
	return prometheus{engine, db}
}

// TestEachSpellingCountsTheTruth checks that whatever spelling of a query is accepted counts what happened, in Prometheus' own engine, at
// several resolutions: those of Sloth, Pyrra, OpenSLO and the mixins.
func TestEachSpellingCountsTheTruth(t *testing.T) {
	const probes = checksPerHour * shopMinutes / 60
	queries := map[string]float64{
		`sum(increase(http_requests_total[{{.window}}]))`:                                                                                            requestsTotal,
		`sum(rate(http_requests_total[{{.window}}]))`:                                                                                                requestsTotal,
		`sum(irate(http_requests_total[{{.window}}]))`:                                                                                               requestsTotal,
		`sum by (code) (rate(http_requests_total[{{.window}}]))`:                                                                                     requestsTotal,
		`rate(http_requests_total[{{ .window }}])`:                                                                                                   requestsTotal,
		`sum(rate(http_duration_seconds_count{instance=~".+"}[{{.window}}]))`:                                                                        requestsTotal,
		`sum(rate(http_requests_total{code=~"(5..|429)"}[{{.window}}]))`:                                                                             requestsFailed,
		`sum(rate(http_requests_total{code=~"5.."}[{{.window}}])) or vector(0)`:                                                                      requestsFailed,
		`sum(rate(http_requests_total[{{.window}}])) - sum(rate(http_requests_total{code!~"5.."}[{{.window}}]))`:                                     requestsFailed,
		`scalar(sum(rate(http_requests_total{code="503"}[{{.window}}])))`:                                                                            requestsFailed,
		`sum(rate(http_duration_seconds_bucket{le="0.3"}[{{.window}}]))`:                                                                             requestsQuick,
		`sum(rate(http_duration_seconds_bucket{le=~"0.3|0.30"}[{{.window}}]))`:                                                                       requestsQuick,
		`clamp_min(sum(increase(http_duration_seconds_count[{{.window}}])) - sum(increase(http_duration_seconds_bucket{le="0.3"}[{{.window}}])), 0)`: requestsTotal - requestsQuick,
		`sum(histogram_count(rate(native_seconds[{{.window}}])))`:                                                                                    requestsTotal,
		`sum(histogram_fraction(0, 0.3, rate(native_seconds[{{.window}}])) * histogram_count(rate(native_seconds[{{.window}}])))`:                    requestsQuick,
		`(1 - histogram_fraction(0, 0.3, sum(irate(native_seconds[{{.window}}])))) * histogram_count(sum(irate(native_seconds[{{.window}}])))`:       requestsTotal - requestsQuick,
		`0.5 * sum(rate(http_requests_total[{{.window}}])) + sum(rate(http_requests_total[{{.window}}])) / 2`:                                        requestsTotal,
		`sum(rate(http_requests_total[{{.window}}]) and on(instance) http_requests_total)`:                                                           requestsTotal,
		`label_replace(sum by (instance) (rate(http_requests_total[{{.window}}])), "i", "$1", "instance", "(.*)")`:                                   requestsTotal,
		`sum(rate(http_requests_total[{{.window}}] offset 2m))`:                                                                                      requestsTotal,
		`sum(count_over_time(probe_success[{{.window}}]))`:                                                                                           probes,
		`sum(count_over_time(probe_success[{{.window}}])) - sum(sum_over_time(probe_success[{{.window}}]))`:                                          failedChecks,
		`count_over_time((probe_latency > 1)[{{.window}}:1m])`:                                                                                       slowMinutes,
		`sum_over_time((probe_latency > bool 1)[{{.window}}:1m])`:                                                                                    slowMinutes,
	}
	// These have two samples within a minute.
	quick := map[string]float64{
		`sum_over_time(sum(increase(http_requests_total[1m]))[{{.window}}:1m])`: requestsTotal,
		`sum_over_time(sum(increase(http_requests_total[2m]))[{{.window}}:2m])`: requestsTotal,
	}
	for _, interval := range []time.Duration{15 * time.Second, time.Minute} {
		db := shop(t, interval)
		for _, resolution := range []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute} {
			if resolution < 2*interval {
				continue // an increase needs two samples
			}
			for query, want := range queries {
				t.Run(fmt.Sprint(interval, resolution, query), func(t *testing.T) { check(t, db, query, resolution, want) })
			}
			if interval < time.Minute && resolution%(2*time.Minute) == 0 {
				for query, want := range quick {
					t.Run(fmt.Sprint(interval, resolution, query), func(t *testing.T) { check(t, db, query, resolution, want) })
				}
			}
		}
	}
	t.Run("the difference of a counter that does not begin anew", func(t *testing.T) {
		check(t, shop(t, time.Minute), `sum(http_requests_total{instance="0"} - http_requests_total{instance="0"} offset {{.window}})`, 5*time.Minute, requestsTotal/instances)
	})
}

// check counts a query's events in a shop, all at once and, for the first hour, minute by minute.
func check(t *testing.T, db Querier, query string, resolution time.Duration, want float64) {
	t.Helper()
	objectives, err := spec.Load([]spec.Objective{{Name: "shop", Target: 99, Each: spec.Each{Limit: 1}, Window: slo.Duration(30 * 24 * time.Hour),
		PromQL: &spec.PromQL{Bad: query, Total: query, Resolution: slo.Duration(resolution)}}}, nil)
	require.NoError(t, err)
	in := objectives[0].Indicator
	start := ledger.Elapsed(noon)
	counts, doubt, err := ReadPromQL(t.Context(), db, in, start, start+shopMinutes+15)
	require.NoError(t, err)
	require.Zero(t, doubt)
	var sum ledger.Delta
	for _, d := range counts.Deltas {
		sum.Total += d.Total
		sum.Bad += d.Bad
	}
	assert.InEpsilon(t, want, sum.Total, 0.025, "increase() extrapolates")
	assert.InDelta(t, sum.Total, sum.Bad, 1e-6)
	for _, minute := range []ledger.Minute{40, 41} {
		one, _, err := ReadPromQL(t.Context(), db, in, start+minute, start+minute+1)
		require.NoError(t, err)
		assert.InDelta(t, counts.Deltas[minute].Total, one.Deltas[0].Total, 1e-6)
	}
}
