package samples

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

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
	}{
		"a vector is added up":     {model.Vector{{Value: 3}, {Value: 5}}, first + 1, []float64{4}, nil},
		"an empty one":             {model.Vector{}, first + 1, []float64{0}, []int{0}},
		"nothing happened":         {model.Vector{{Value: 0}}, first + 1, []float64{0}, nil},
		"no number alone":          {model.Vector{{Value: model.SampleValue(math.NaN())}}, first + 1, []float64{0}, []int{0}},
		"no number":                {model.Vector{{Value: model.SampleValue(math.NaN())}, {Value: 2}}, first + 1, []float64{1}, nil},
		"infinite":                 {model.Vector{{Value: model.SampleValue(math.Inf(1))}, {Value: 2}}, first + 1, []float64{1}, nil},
		"less than nothing":        {model.Vector{{Value: -4}, {Value: 2}}, first + 1, []float64{1}, nil},
		"a scalar":                 {&model.Scalar{Value: 6}, first + 1, []float64{3}, nil},
		"several minutes":          {model.Matrix{{Values: []model.SamplePair{pair(first, 2), pair(first+2, 4)}}, {Values: []model.SamplePair{pair(first, 8)}}}, first + 3, []float64{5, 0, 2}, []int{1}},
		"minutes not asked for":    {model.Matrix{{Values: []model.SamplePair{pair(first-1, 2), pair(first, 4), pair(first+2, 6)}}}, first + 2, []float64{2, 0}, []int{1}},
		"a matrix that is no more": {model.Matrix{}, first + 2, []float64{0, 0}, []int{0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			q := &answers{value: c.answer}
			got, err := ReadPromQL(t.Context(), q, indicator, first, c.to)
			require.NoError(t, err)
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
	_, err := ReadPromQL(t.Context(), q, indicator, first, first+1)
	require.NoError(t, err)
	assert.Equal(t, []string{"total[2m] at 12:01", "bad[2m] at 12:01"}, q.instant)
	assert.Empty(t, q.ranges)
	q = &answers{value: model.Matrix{}}
	_, err = ReadPromQL(t.Context(), q, indicator, first, first+10)
	require.NoError(t, err)
	assert.Equal(t, []string{"total[2m] 12:01-12:10 1m0s", "bad[2m] 12:01-12:10 1m0s"}, q.ranges)
	assert.Empty(t, q.instant)
}

func TestReadPromQLErrors(t *testing.T) {
	_, err := ReadPromQL(t.Context(), &answers{err: errors.New("down")}, indicator, first, first+1)
	require.EqualError(t, err, "promql::total: down")
	_, err = ReadPromQL(t.Context(), &answers{value: &model.String{}}, indicator, first, first+1)
	require.EqualError(t, err, "promql::total: the time series database answered with a string to a query for a number")
}
