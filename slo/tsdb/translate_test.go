package tsdb

import (
	"fmt"
	"math"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSameValue(t *testing.T) {
	stale := sample{v: math.Float64frombits(value.StaleNaN)}
	one := sample{h: &histogram.Histogram{Count: 1}}
	two := sample{h: &histogram.Histogram{Count: 2}}
	float := sample{fh: &histogram.FloatHistogram{Count: 1}}
	for _, test := range []struct {
		a, b sample
		want bool
	}{
		{sample{v: 1}, sample{v: 1}, true},
		{sample{v: 1}, sample{v: 2}, false},
		{stale, stale, true},
		{stale, sample{v: math.NaN()}, false},
		{one, one, true},
		{one, two, false},
		{one, float, false},
		{float, float, true},
		{float, sample{}, false},
		{sample{}, one, false},
	} {
		assert.Equal(t, test.want, test.a.sameValue(&test.b), "%+v %+v", test.a, test.b)
		assert.Equal(t, test.want, test.b.sameValue(&test.a), "%+v %+v", test.b, test.a)
	}
}

// TestBatch: samples are put in the order of time, those of one time stay as they came, and a batch that goes back
// keeps neither samples nor what the translator will overwrite.
func TestBatch(t *testing.T) {
	var pool batchPool
	var known families
	b := pool.get(&known)
	exemplars := []exemplar.Exemplar{{Value: 1}}
	for i, at := range []int64{30, 10, 20, 10, 30} {
		_, err := b.Append(0, labels.FromStrings("i", fmt.Sprint(i)), 0, at, 0, nil, nil, storage.AOptions{
			MetricFamilyName: "m", Metadata: metadata.Metadata{Help: "h"}, Exemplars: exemplars,
		})
		require.NoError(t, err)
	}
	require.NoError(t, b.Commit())
	require.NoError(t, b.Rollback())
	exemplars[0].Value = 2
	assert.EqualValues(t, 1, b.samples[0].exemplars[0].Value)
	b.sort()
	assert.Equal(t, []int32{1, 3, 2, 0, 4}, b.order)
	assert.Contains(t, known.describe("", -1), "m")

	kept := b.samples[:cap(b.samples)]
	pool.put(b)
	assert.Empty(t, b.samples)
	assert.Equal(t, make([]sample, len(kept)), kept, "nothing is held back from the garbage collector")
}

func TestFamilies(t *testing.T) {
	var f families
	assert.Empty(t, f.describe("", -1))
	f.learn("", metadata.Metadata{Help: "nameless"})
	f.learn("a", metadata.Metadata{Type: model.MetricTypeCounter, Help: "old"})
	f.learn("a", metadata.Metadata{Type: model.MetricTypeCounter, Help: "new", Unit: "seconds"})
	f.learn("b", metadata.Metadata{})
	assert.Equal(t, map[string][]description{"a": {{Type: "counter", Help: "new", Unit: "seconds"}}}, f.describe("a", -1))
	assert.Len(t, f.describe("", -1), 2)
	assert.Len(t, f.describe("", 1), 1)
	assert.Empty(t, f.describe("", 0))
	assert.Empty(t, f.describe("c", -1))

	for i := range maxFamilies {
		f.learn(fmt.Sprint("m", i), metadata.Metadata{})
	}
	assert.Len(t, f.describe("", -1), maxFamilies, "identifiers in names do not fill the memory")
	f.learn("a", metadata.Metadata{Help: "newest"})
	assert.Equal(t, "newest", f.describe("a", -1)["a"][0].Help, "what is known is kept current")
}
