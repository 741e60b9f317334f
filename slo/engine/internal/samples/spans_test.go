package samples

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"testing"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/ledger/parts"
)

var (
	noon  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	first = ledger.Elapsed(noon)
)

// database holds series of raw samples, and answers only the query for those.
type database struct {
	series  model.Matrix
	windows []string // the range and end time of each query
}

// sample holds the samples of one instance's series, as pairs of seconds after noon and a value.
func (d *database) sample(metric, objective, instance string, samples ...[2]float64) {
	s := &model.SampleStream{Metric: model.Metric{
		model.MetricNameLabel: model.LabelValue(metric), "objective": model.LabelValue(objective), "instance": model.LabelValue(instance),
	}}
	for _, v := range samples {
		at := model.TimeFromUnix(noon.Unix()).Add(time.Duration(v[0] * float64(time.Second)))
		s.Values = append(s.Values, model.SamplePair{Timestamp: at, Value: model.SampleValue(v[1])})
	}
	d.series = append(d.series, s)
}

var rangeRE = regexp.MustCompile(`^\{__name__=~"slowburn_sli_events_total\|slowburn_sli_bad_events_total"\}\[(\w+)\]$`)

func (d *database) Query(_ context.Context, expr string, at time.Time) (model.Value, error) {
	m := rangeRE.FindStringSubmatch(expr)
	if m == nil {
		return nil, errors.New("unknown expression " + expr)
	}
	window, err := slo.ParseDuration(m[1])
	if err != nil {
		return nil, err
	}
	d.windows = append(d.windows, m[1]+" until "+at.Format("15:04"))
	var matrix model.Matrix
	for _, s := range d.series {
		out := &model.SampleStream{Metric: s.Metric}
		for _, v := range s.Values {
			if t := v.Timestamp.Time(); t.After(at.Add(-window)) && !t.After(at) {
				out.Values = append(out.Values, v)
			}
		}
		if len(out.Values) > 0 {
			matrix = append(matrix, out)
		}
	}
	return matrix, nil
}

func (d *database) QueryRange(context.Context, string, promv1.Range) (model.Value, error) {
	return nil, errors.New("raw samples are not asked for by steps")
}

func TestSeriesRules(t *testing.T) {
	for name, c := range map[string]struct {
		samples [][2]float64 // seconds after noon, value
		want    []float64    // total per minute
	}{
		"zero first counts the first value":           {[][2]float64{{10, 0}, {20, 7}}, []float64{7, 0, 0}},
		"born at a value, that value counts nothing":  {[][2]float64{{20, 7}, {30, 9}}, []float64{2, 0, 0}},
		"the value before the first minute":           {[][2]float64{{-10, 100}, {10, 103}}, []float64{3, 0, 0}},
		"a minute has its end":                        {[][2]float64{{0, 0}, {60, 5}, {70, 6}}, []float64{5, 1, 0}},
		"a reset counts in full":                      {[][2]float64{{0, 50}, {30, 60}, {40, 4}, {50, 6}, {70, 7}}, []float64{16, 1, 0}},
		"a reset to zero":                             {[][2]float64{{0, 50}, {30, 0}, {50, 6}}, []float64{6, 0, 0}},
		"a gap counts where it ends":                  {[][2]float64{{0, 0}, {10, 1}, {130, 9}}, []float64{1, 0, 8}},
		"NaN and infinity are no samples":             {[][2]float64{{0, 0}, {10, math.NaN()}, {20, math.Inf(1)}, {25, math.Inf(-1)}, {30, 3}}, []float64{3, 0, 0}},
		"what is not over is left":                    {[][2]float64{{0, 0}, {170, 3}, {190, 9}}, []float64{0, 0, 3}},
		"a head-sampled span counts as more than one": {[][2]float64{{0, 0}, {10, 2.5}, {20, 5}}, []float64{5, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, metric := range []string{TotalMetric, BadMetric} {
				db := new(database)
				db.sample(metric, "a", "i", c.samples...)
				events := func(d ledger.Delta) float64 {
					if metric == BadMetric {
						d.Total, d.Bad = d.Bad, d.Total
					}
					assert.Zero(t, d.Bad, "of the other metric")
					return d.Total
				}
				// Reading all minutes at once and one by one gives the same.
				counts, _, err := ReadSpans(t.Context(), db, Cursors{}, first, first+3, 60, 60, 15)
				require.NoError(t, err)
				known := Cursors{}
				for m := range ledger.Minute(3) {
					one, moved, err := ReadSpans(t.Context(), db, known, first+m, first+m+1, 60, 60, 15)
					require.NoError(t, err)
					maps.Copy(known, moved)
					var got float64
					if one["a"] != nil {
						require.Len(t, one["a"].Deltas, 1)
						got = events(one["a"].Deltas[0])
					}
					assert.Equal(t, c.want[m], got, "minute %d", m)
					assert.Equal(t, c.want[m], events(counts["a"].Deltas[m]), "minute %d of all", m)
				}
			}
		})
	}
}

// TestSeriesOfAnObjectiveAddUp checks that instances are summed per objective.
func TestSeriesOfAnObjectiveAddUp(t *testing.T) {
	db := new(database)
	db.sample(TotalMetric, "a", "x", [2]float64{0, 0}, [2]float64{30, 10})
	db.sample(TotalMetric, "a", "y", [2]float64{0, 0}, [2]float64{30, 5}, [2]float64{90, 6})
	db.sample(BadMetric, "a", "x", [2]float64{0, 0}, [2]float64{30, 2})
	db.sample(TotalMetric, "b", "x", [2]float64{0, 0}, [2]float64{30, 1})
	counts, moved, err := ReadSpans(t.Context(), db, Cursors{}, first, first+2, 60, 60, 15)
	require.NoError(t, err)
	assert.Equal(t, map[string]*Counts{
		"a": {Deltas: []ledger.Delta{{Total: 15, Bad: 2}, {Total: 1}}, Measured: []bool{true, true},
			Parts: []parts.Delta{{Minute: first, N: 15}, {Minute: first + 1, N: 1}, {Minute: first, Bad: true, N: 2}}},
		"b": {Deltas: []ledger.Delta{{Total: 1}, {}}, Measured: []bool{true, false}, Parts: []parts.Delta{{Minute: first, N: 1}}},
	}, counts)
	assert.Len(t, moved, 4)
	assert.Equal(t, Cursor{At: noon.Add(90 * time.Second).UnixMilli(), Value: 6}, moved[db.series[1].Metric.Fingerprint()])
	assert.Equal(t, []string{"7m until 12:02"}, db.windows, "two minutes, and five before")

	again, moved, err := ReadSpans(t.Context(), db, moved, first+2, first+3, 60, 60, 15)
	require.NoError(t, err)
	assert.Empty(t, moved, "there is nothing behind the cursors")
	assert.Equal(t, map[string]*Counts{"a": newCounts(0, 1), "b": newCounts(0, 1)}, again, "nor was anything measured")
}

// TestLateSampleCountsInItsMinute checks that a sample that comes after its minute was evaluated counts there yet.
func TestLateSampleCountsInItsMinute(t *testing.T) {
	db := new(database)
	db.sample(TotalMetric, "a", "x", [2]float64{0, 0}, [2]float64{50, 3}, [2]float64{70, 4})
	known := Cursors{db.series[0].Metric.Fingerprint(): {At: noon.UnixMilli()}}
	counts, _, err := ReadSpans(t.Context(), db, known, first+1, first+2, 60, 60, 15)
	require.NoError(t, err)
	assert.Equal(t, &Counts{Deltas: []ledger.Delta{{Total: 1}}, Measured: []bool{true}, Parts: []parts.Delta{{Minute: first, N: 3}, {Minute: first + 1, N: 1}},
		Earlier: []Earlier{{first + 1, ledger.Earlier{Minute: first, Delta: ledger.Delta{Total: 3}}}}}, counts["a"])
}

// TestBirths checks when the birth of a series is looked for further back.
func TestBirths(t *testing.T) {
	at := func(minute, value float64) [2]float64 { return [2]float64{60*minute - 1, value} }
	seen := func(db *database) Cursors { return Cursors{db.series[0].Metric.Fingerprint(): {At: noon.UnixMilli()}} }
	none := func(*database) Cursors { return Cursors{} }
	const read, hour = "6m until 12:01", "55m until 11:55"
	for name, c := range map[string]struct {
		known         func(*database) Cursors
		births, batch ledger.Minute
		samples       [][2]float64
		want          float64
		windows       []string
	}{
		"born in an outage":             {seen, 60, 60, [][2]float64{at(-20, 0), at(1, 7)}, 7, []string{read, hour}},
		"born at a value":               {seen, 60, 60, [][2]float64{at(-20, 1), at(1, 7)}, 0, []string{read, hour}},
		"born before what is looked at": {seen, 60, 60, [][2]float64{at(-70, 0), at(1, 7)}, 0, []string{read, hour}},
		"born just now":                 {seen, 60, 60, [][2]float64{at(0, 0), at(1, 7)}, 7, []string{read}},
		"a new ledger":                  {none, 0, 60, [][2]float64{at(-20, 0), at(1, 7)}, 0, []string{read}},
		"a ledger of five minutes":      {none, 5, 60, [][2]float64{at(-20, 0), at(1, 7)}, 0, []string{read}},
		"a ledger of ten minutes":       {none, 10, 60, [][2]float64{at(-20, 0), at(1, 7)}, 0, []string{read, "5m until 11:55"}},
		"the first in an old ledger":    {none, 60, 60, [][2]float64{at(-20, 0), at(1, 7)}, 7, []string{read, hour}},
		"just more than was looked at":  {seen, 6, 60, [][2]float64{at(-5, 0), at(1, 7)}, 7, []string{read, "1m until 11:55"}},
		"after an outage that shrank the batch": {seen, 60, 1, [][2]float64{at(-20, 0), at(1, 7)}, 7,
			[]string{read, "6m until 11:55", "6m until 11:49", "6m until 11:43"}},
		"values on the way to its zero": {seen, 60, 1, [][2]float64{at(-20, 0), at(-19, 2), at(-9, 3), at(1, 7)}, 7,
			[]string{read, "6m until 11:55", "6m until 11:49", "6m until 11:43"}},
		"counters that began anew on the way": {seen, 60, 1, [][2]float64{at(-20, 0), at(-14, 9), at(-9, 4), at(1, 7)}, 16,
			[]string{read, "6m until 11:55", "6m until 11:49", "6m until 11:43"}},
		"all of the hour in parts": {seen, 60, 15, [][2]float64{at(-70, 0), at(1, 7)}, 0,
			[]string{read, "20m until 11:55", "20m until 11:35", "15m until 11:15"}},
	} {
		t.Run(name, func(t *testing.T) {
			db := new(database)
			db.sample(TotalMetric, "known", "x", [2]float64{0, 0})
			db.sample(TotalMetric, "a", "x", c.samples...)
			counts, _, err := ReadSpans(t.Context(), db, c.known(db), first, first+1, c.births, c.batch, 15)
			require.NoError(t, err)
			total := counts["a"].Deltas[0].Total
			for _, e := range counts["a"].Earlier { // those of samples that came late
				assert.Less(t, e.Minute, first)
				total += e.Total
			}
			assert.Equal(t, c.want, total)
			assert.Equal(t, c.windows, db.windows)
		})
	}
}

// TestBirthsWhereTheDatabaseFails checks that nothing is counted while the births cannot be read: the minutes are read again.
func TestBirthsWhereTheDatabaseFails(t *testing.T) {
	db := new(database)
	db.sample(TotalMetric, "a", "x", [2]float64{-1200, 0}, [2]float64{59, 7})
	counts, moved, err := ReadSpans(t.Context(), &failing{database: db, after: 1}, Cursors{}, first, first+1, 60, 60, 15)
	require.EqualError(t, err, "down")
	assert.Nil(t, counts)
	assert.Nil(t, moved)
}

// failing fails after some queries.
type failing struct {
	*database
	after int
}

func (f *failing) Query(ctx context.Context, expr string, at time.Time) (model.Value, error) {
	if f.after--; f.after < 0 {
		return nil, errors.New("down")
	}
	return f.database.Query(ctx, expr, at)
}

// answers gives one answer to every query.
type answers struct {
	value   model.Value
	err     error
	instant []string
	ranges  []string
}

func (a *answers) Query(_ context.Context, expr string, at time.Time) (model.Value, error) {
	a.instant = append(a.instant, expr+" at "+at.Format("15:04"))
	return a.value, a.err
}

func (a *answers) QueryRange(_ context.Context, expr string, r promv1.Range) (model.Value, error) {
	a.ranges = append(a.ranges, fmt.Sprint(expr, " ", r.Start.Format("15:04"), "-", r.End.Format("15:04"), " ", r.Step))
	return a.value, a.err
}

func TestReadSpansErrors(t *testing.T) {
	down := errors.New("down")
	_, _, err := ReadSpans(t.Context(), &answers{err: down}, Cursors{}, first, first+1, 60, 60, 15)
	require.ErrorIs(t, err, down)
	_, _, err = ReadSpans(t.Context(), &answers{value: model.Vector{}}, Cursors{}, first, first+1, 60, 60, 15)
	require.EqualError(t, err, "the time series database answered with a vector to a query for samples")
}

// TestSamplesOutsideTheRangeAreIgnored checks that samples outside the requested range are ignored.
func TestSamplesOutsideTheRangeAreIgnored(t *testing.T) {
	db := new(database)
	db.sample(TotalMetric, "a", "x", [2]float64{0, 0}, [2]float64{60, 2}, [2]float64{61, 5}, [2]float64{200, 9})
	counts, moved, err := ReadSpans(t.Context(), &answers{value: db.series}, Cursors{}, first, first+1, 60, 60, 15)
	require.NoError(t, err)
	assert.Equal(t, []ledger.Delta{{Total: 2}}, counts["a"].Deltas)
	assert.Equal(t, Cursors{db.series[0].Metric.Fingerprint(): {At: noon.Add(time.Minute).UnixMilli(), Value: 2}}, moved)
}

func TestOldCursors(t *testing.T) {
	week := 7 * 24 * time.Hour
	assert.False(t, Cursor{At: noon.UnixMilli()}.Old(noon))
	assert.False(t, Cursor{At: noon.UnixMilli()}.Old(noon.Add(week)))
	assert.True(t, Cursor{At: noon.UnixMilli()}.Old(noon.Add(week+time.Millisecond)))
}
