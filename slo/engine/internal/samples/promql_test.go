package samples

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/slowburn/slowburn/slo"
	"github.com/slowburn/slowburn/slo/ledger"
)

var indicator = slo.Indicator{Type: slo.PromQL, TotalQuery: "total[{{.window}}]", BadQuery: "bad[{{.window}}]", Resolution: 2 * time.Minute}

func pair(m ledger.Minute, v float64) model.SamplePair {
	return model.SamplePair{Timestamp: model.TimeFromUnix(m.End().Unix()), Value: model.SampleValue(v)}
}

// TestReadPromQL checks how a database's answers become counts. Each minute is the mean over the resolution, two minutes.
func TestReadPromQL(t *testing.T) {
	for name, c := range map[string]struct {
		answer model.Value
		to     ledger.Minute
		want   []float64
		not    []int // minutes without a measurement
		doubt  string
	}{
		"a vector is added up":     {model.Vector{{Value: 3}, {Value: 5}}, first + 1, []float64{4}, nil, ""},
		"an empty one":             {model.Vector{}, first + 1, []float64{0}, []int{0}, ""},
		"nothing happened":         {model.Vector{{Value: 0}}, first + 1, []float64{0}, nil, ""},
		"no number alone":          {model.Vector{{Value: model.SampleValue(math.NaN())}}, first + 1, []float64{0}, []int{0}, "promql::total gives NaN"},
		"no number":                {model.Vector{{Value: model.SampleValue(math.NaN())}, {Value: 2}}, first + 1, []float64{0}, []int{0}, "promql::total gives NaN"},
		"infinite":                 {model.Vector{{Value: model.SampleValue(math.Inf(1))}, {Value: 2}}, first + 1, []float64{0}, []int{0}, "promql::total gives +Inf"},
		"less than nothing":        {model.Vector{{Value: -4}, {Value: 2}}, first + 1, []float64{0}, []int{0}, "promql::total gives -4"},
		"hidden among many":        {model.Vector{{Value: -400}, {Value: 2000}}, first + 1, []float64{0}, []int{0}, "promql::total gives -400"},
		"rounded below nothing":    {model.Vector{{Value: -0.5}, {Value: 2.5}}, first + 1, []float64{1}, nil, ""},
		"a scalar":                 {&model.Scalar{Value: 6}, first + 1, []float64{3}, nil, ""},
		"a histogram":              {model.Vector{{Histogram: &model.SampleHistogram{Count: 3}}}, first + 1, []float64{0}, []int{0}, "write histogram_count"},
		"histograms":               {model.Matrix{{Histograms: []model.SampleHistogramPair{{Timestamp: model.TimeFromUnix(first.End().Unix())}}}}, first + 2, []float64{0, 0}, []int{0, 1}, "promql::total gives a histogram"},
		"several minutes":          {model.Matrix{{Values: []model.SamplePair{pair(first, 2), pair(first+2, 4)}}, {Values: []model.SamplePair{pair(first, 8)}}}, first + 3, []float64{5, 0, 2}, []int{1}, ""},
		"one bad minute of three":  {model.Matrix{{Values: []model.SamplePair{pair(first, 2), pair(first+1, -20), pair(first+2, 4)}}}, first + 3, []float64{1, 0, 2}, []int{1}, "12:02"},
		"minutes not asked for":    {model.Matrix{{Values: []model.SamplePair{pair(first-1, 2), pair(first, 4), pair(first+2, 6)}}}, first + 2, []float64{2, 0}, []int{1}, ""},
		"a matrix that is no more": {model.Matrix{}, first + 2, []float64{0, 0}, []int{0, 1}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			q := &answers{value: c.answer}
			got, doubt, err := ReadPromQL(t.Context(), q, indicator, first, c.to)
			require.NoError(t, err)
			assert.Contains(t, doubt.Text, c.doubt)
			assert.Equal(t, c.doubt == "", doubt == Doubt{}, doubt)
			want := newCounts(first, c.to)
			for i, n := range c.want {
				want.Deltas[i], want.Measured[i] = ledger.Delta{Total: n, Bad: n}, !slices.Contains(c.not, i)
			}
			sums := make([]ledger.Delta, len(c.want))
			for _, d := range got.Parts {
				if d.Bad {
					sums[d.Minute-first].Bad += d.N
				} else {
					sums[d.Minute-first].Total += d.N
				}
			}
			assert.Equal(t, want.Deltas, sums, "the parts")
			got.Parts = nil
			assert.Equal(t, want, got)
		})
	}
}

// TestPromQLQueries checks the queries: an instant query at the end of one minute, a range query with steps of a minute for several.
func TestPromQLQueries(t *testing.T) {
	q := &answers{value: model.Matrix{}}
	_, _, err := ReadPromQL(t.Context(), q, indicator, first, first+1)
	require.NoError(t, err)
	assert.Equal(t, []string{"total[2m] at 12:01", "bad[2m] at 12:01"}, q.instant)
	assert.Empty(t, q.ranges)
	q = &answers{value: model.Matrix{}}
	_, _, err = ReadPromQL(t.Context(), q, indicator, first, first+10)
	require.NoError(t, err)
	assert.Equal(t, []string{"total[2m] 12:01-12:10 1m0s", "bad[2m] 12:01-12:10 1m0s"}, q.ranges)
	assert.Empty(t, q.instant)
}

func TestReadPromQLErrors(t *testing.T) {
	_, _, err := ReadPromQL(t.Context(), &answers{err: errors.New("down")}, indicator, first, first+1)
	require.EqualError(t, err, "promql::total: down")
	_, _, err = ReadPromQL(t.Context(), &answers{value: &model.String{}}, indicator, first, first+1)
	require.EqualError(t, err, "promql::total: the time series database answered with a string to a query for a number")
}

// TestBadAboveTotal checks which answers of the two queries can be true.
func TestBadAboveTotal(t *testing.T) {
	const none = math.MaxFloat64
	for name, c := range map[string]struct {
		bad, total float64
		want       ledger.Delta
		doubt      string
	}{
		"some are bad":                  {4, 10, ledger.Delta{Total: 5, Bad: 2}, ""},
		"all are":                       {10, 10, ledger.Delta{Total: 5, Bad: 5}, ""},
		"a little more by rounding":     {10.9, 10, ledger.Delta{Total: 5, Bad: 5}, ""},
		"a little more of many":         {1040, 1000, ledger.Delta{Total: 500, Bad: 500}, ""},
		"one event that total missed":   {1, 0, ledger.Delta{}, ""},
		"two events that total missed":  {2, 0, ledger.Delta{}, "promql::bad gives 2 and promql::total only 0"},
		"more":                          {1990, 10, ledger.Delta{}, "over 2m, promql::bad gives 1990 and promql::total only 10"},
		"a tenth more":                  {1100, 1000, ledger.Delta{}, "promql::bad gives 1100 and promql::total only 1000"},
		"no total":                      {12, none, ledger.Delta{}, "promql::bad gives 12 and promql::total no value"},
		"no total, and next to nothing": {0, none, ledger.Delta{}, ""},
		"no bad":                        {none, 10, ledger.Delta{Total: 5}, ""},
		"negative bad events":           {-30, 100, ledger.Delta{}, "promql::bad gives -30, and there are no negative events"},
		"good events by other rounding": {-3, 100, ledger.Delta{Total: 50}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, doubt, err := ReadPromQL(t.Context(), values{"total[2m]": c.total, "bad[2m]": c.bad}, indicator, first, first+1)
			require.NoError(t, err)
			assert.Equal(t, []ledger.Delta{c.want}, got.Deltas)
			assert.Equal(t, []bool{c.doubt == "" && c.total != none}, got.Measured)
			assert.Contains(t, doubt.Text, c.doubt)
			assert.Equal(t, c.doubt == "", doubt == Doubt{}, doubt)
		})
	}
}

// TestScalarWithoutData checks that scalar(), which gives NaN where there is no series, is no doubt.
func TestScalarWithoutData(t *testing.T) {
	in := indicator
	in.TotalQuery, in.BadQuery = "scalar(total[{{.window}}])", "scalar(bad[{{.window}}])"
	nan := math.NaN()
	got, doubt, err := ReadPromQL(t.Context(), values{"scalar(total[2m])": nan, "scalar(bad[2m])": nan}, in, first, first+1)
	require.NoError(t, err)
	assert.Equal(t, []bool{false}, got.Measured)
	assert.Zero(t, doubt)
}

// values is a database with a value for each expression; MaxFloat64 is none.
type values map[string]float64

func (v values) Query(_ context.Context, expr string, _ time.Time) (model.Value, error) {
	if v[expr] == math.MaxFloat64 {
		return model.Vector{}, nil
	}
	return model.Vector{{Value: model.SampleValue(v[expr])}}, nil
}

func (values) QueryRange(context.Context, string, promv1.Range) (model.Value, error) {
	return nil, errors.New("not asked for")
}
