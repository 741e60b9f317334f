package samples

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
	"github.com/slowburn/slowburn/slo/ledger/parts"
)

// TestReadRatio checks how the values of a ratio become parts of minutes, and which values are none.
func TestReadRatio(t *testing.T) {
	in := slo.Indicator{Type: slo.PromQL, RatioQuery: "ratio[{{.window}}]", Resolution: 5 * time.Minute}
	series := func(values ...float64) *model.SampleStream {
		s := new(model.SampleStream)
		for i, v := range values {
			s.Values = append(s.Values, pair(first+ledger.Minute(i), v))
		}
		return s
	}
	whole := func(bad float64) ledger.Delta { return ledger.Delta{Total: 1e6, Bad: bad} }
	nan := math.NaN()
	for name, c := range map[string]struct {
		answer   model.Value
		deltas   []ledger.Delta
		measured []bool
		problem  string
	}{
		"a ratio":                  {model.Vector{{Value: 0.0125}}, []ledger.Delta{whole(12_500)}, []bool{true}, ""},
		"a scalar":                 {&model.Scalar{Value: 1}, []ledger.Delta{whole(1e6)}, []bool{true}, ""},
		"rounded":                  {model.Vector{{Value: 1.0000000002}}, []ledger.Delta{whole(1e6)}, []bool{true}, ""},
		"rounded below":            {model.Vector{{Value: -1e-9}}, []ledger.Delta{whole(0)}, []bool{true}, ""},
		"no value":                 {model.Vector{}, []ledger.Delta{{}}, []bool{false}, ""},
		"0/0":                      {model.Vector{{Value: model.SampleValue(nan)}}, []ledger.Delta{{}}, []bool{false}, ""},
		"1/0":                      {model.Vector{{Value: model.SampleValue(math.Inf(1))}}, []ledger.Delta{{}}, []bool{false}, "gives +Inf, which is no ratio from 0 to 1"},
		"a percentage":             {model.Vector{{Value: 12.5}}, []ledger.Delta{{}}, []bool{false}, "At 2026-03-01T12:01:00Z the query promql::error_ratio gives 12.5, which is no ratio from 0 to 1; divide"},
		"negative":                 {model.Vector{{Value: -0.5}}, []ledger.Delta{{}}, []bool{false}, "gives -0.5, which is no ratio"},
		"several series":           {model.Vector{{Value: 0.5}, {Value: 0.25}}, []ledger.Delta{{}}, []bool{false}, "gives 2 series, of which one alone can be the ratio"},
		"minutes":                  {model.Matrix{series(0, nan, 0.5)}, []ledger.Delta{whole(0), {}, whole(500_000)}, []bool{true, false, true}, ""},
		"a problem that is over":   {model.Matrix{series(0, 2, 0.5)}, []ledger.Delta{whole(0), {}, whole(500_000)}, []bool{true, false, true}, ""},
		"a problem that goes on":   {model.Matrix{series(0, 2, nan)}, []ledger.Delta{whole(0), {}, {}}, []bool{true, false, false}, "At 2026-03-01T12:02:00Z"},
		"one series after another": {model.Matrix{series(0.5), {Values: []model.SamplePair{pair(first+1, 0.25)}}}, []ledger.Delta{whole(500_000), whole(250_000)}, []bool{true, true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, _, err := ReadPromQL(t.Context(), &answers{value: c.answer}, in, first, first+ledger.Minute(len(c.deltas)))
			require.NoError(t, err)
			assert.Equal(t, c.measured, got.Measured)
			for i, d := range c.deltas {
				assert.InDelta(t, d.Total, got.Deltas[i].Total, 1e-6)
				assert.InDelta(t, d.Bad, got.Deltas[i].Bad, 1e-3)
			}
			if c.problem == "" {
				assert.Empty(t, got.Problem)
			}
			assert.Contains(t, got.Problem, c.problem)
		})
	}
}

// A gap in a gauge is searched minute by minute: the value at the end of a window says nothing of the window.
func TestFoundRatio(t *testing.T) {
	for query, want := range map[string]string{
		"sum(rate(b[{{.window}}])) / sum(rate(a[{{.window}}]))": "sum(rate(b[4h5m])) / sum(rate(a[4h5m]))",
		" 1 - avg(up)": "count_over_time((1 - avg(up))[4h5m:1m])",
	} {
		q := &answers{value: model.Vector{}}
		some, err := FoundPromQL(t.Context(), q, slo.Indicator{Type: slo.PromQL, RatioQuery: query, Resolution: 5 * time.Minute}, first, first+240)
		require.NoError(t, err)
		assert.False(t, some)
		assert.Equal(t, []string{want + " at 16:00"}, q.instant)
	}
}

// TestCounting checks which minutes the connector sli counted from their start to their end.
func TestCounting(t *testing.T) {
	const y, n = true, false
	beat := func(seconds ...float64) []model.SamplePair {
		var list []model.SamplePair
		for _, s := range seconds {
			list = append(list, model.SamplePair{Timestamp: model.TimeFromUnixNano(noon.Add(time.Duration(s * float64(time.Second))).UnixNano())})
		}
		return list
	}
	for name, c := range map[string]struct {
		beats [][]model.SamplePair
		want  []bool
	}{
		"none":                      {nil, []bool{n, n, n}},
		"always":                    {[][]model.SamplePair{beat(0, 60, 120, 180)}, []bool{y, y, y}},
		"every half minute":         {[][]model.SamplePair{beat(0, 30, 60, 90, 120, 150, 180)}, []bool{y, y, y}},
		"it began":                  {[][]model.SamplePair{beat(30, 60, 120, 180)}, []bool{n, y, y}},
		"it ended":                  {[][]model.SamplePair{beat(0, 60, 90)}, []bool{y, n, n}},
		"off the grid":              {[][]model.SamplePair{beat(0.5, 60.5, 120.5)}, []bool{n, n, n}},
		"a flush failed":            {[][]model.SamplePair{beat(0, 60, 130, 180)}, []bool{y, n, n}},
		"restarted within a minute": {[][]model.SamplePair{beat(0, 20, 50, 60, 120)}, []bool{y, y, n}},
		"two":                       {[][]model.SamplePair{beat(0, 60, 120, 180), beat(0, 60, 120, 180)}, []bool{y, y, y}},
		"the second begins":         {[][]model.SamplePair{beat(0, 60, 120, 180), beat(90, 120, 180)}, []bool{y, n, y}},
		"the first ends":            {[][]model.SamplePair{beat(0, 60), beat(0, 60, 120, 180)}, []bool{y, n, y}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, countingOf(c.beats, first, first+3))
		})
	}
}

// A heartbeat says that a minute was measured, and counts nothing.
func TestReadHeartbeat(t *testing.T) {
	db := new(database)
	db.sample(TotalMetric, "a", "x", [2]float64{0, 0}, [2]float64{60, 0}, [2]float64{120, 0})
	db.series[0].Metric[heartbeatLabel] = "true"
	db.sample(TotalMetric, "a", "x", [2]float64{0, 0}, [2]float64{30, 4})
	db.sample(TotalMetric, "b", "x", [2]float64{0, 0}, [2]float64{60, 4})
	counts, _, err := ReadSpans(t.Context(), db, Cursors{}, first, first+2, 60, 60, 15)
	require.NoError(t, err)
	assert.Equal(t, &Counts{Deltas: []ledger.Delta{{Total: 4}, {}}, Measured: []bool{true, true}, Counting: []bool{true, true},
		Parts: []parts.Delta{{Minute: first, N: 4}}}, counts["a"])
	assert.Nil(t, counts["b"].Counting)
}
