package batch

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
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSameValue(t *testing.T) {
	stale := Sample{Value: math.Float64frombits(value.StaleNaN)}
	one := Sample{Histogram: &histogram.Histogram{Count: 1}}
	two := Sample{Histogram: &histogram.Histogram{Count: 2}}
	float := Sample{FloatHistogram: &histogram.FloatHistogram{Count: 1}}
	for _, test := range []struct {
		a, b Sample
		want bool
	}{
		{Sample{Value: 1}, Sample{Value: 1}, true},
		{Sample{Value: 1}, Sample{Value: 2}, false},
		{stale, stale, true},
		{stale, Sample{Value: math.NaN()}, false},
		{one, one, true},
		{one, two, false},
		{one, float, false},
		{float, float, true},
		{float, Sample{}, false},
		{Sample{}, one, false},
	} {
		assert.Equal(t, test.want, test.a.SameValue(&test.b), "%+v %+v", test.a, test.b)
		assert.Equal(t, test.want, test.b.SameValue(&test.a), "%+v %+v", test.b, test.a)
	}
}

// TestBatch: samples are sorted by time, those of equal time keep their order, and a batch that returns to the pool keeps neither
// samples nor memory that the translator will overwrite.
func TestBatch(t *testing.T) {
	var pool Pool
	var known Families
	b := pool.Get(&known)
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
	assert.EqualValues(t, 1, b.Samples[0].Exemplars[0].Value)
	b.Sort()
	assert.Equal(t, []int32{1, 3, 2, 0, 4}, b.Order)
	assert.Contains(t, known.Describe("", -1), "m")

	kept := b.Samples[:cap(b.Samples)]
	pool.Put(b)
	assert.Empty(t, b.Samples)
	assert.Equal(t, make([]Sample, len(kept)), kept, "nothing is held back from the garbage collector")
}

func TestFamilies(t *testing.T) {
	var f Families
	assert.Empty(t, f.Describe("", -1))
	f.learn("", metadata.Metadata{Help: "nameless"})
	f.learn("a", metadata.Metadata{Type: model.MetricTypeCounter, Help: "old"})
	f.learn("a", metadata.Metadata{Type: model.MetricTypeCounter, Help: "new", Unit: "seconds"})
	f.learn("b", metadata.Metadata{})
	assert.Equal(t, map[string][]Description{"a": {{Type: "counter", Help: "new", Unit: "seconds"}}}, f.Describe("a", -1))
	assert.Len(t, f.Describe("", -1), 2)
	assert.Len(t, f.Describe("", 1), 1)
	assert.Empty(t, f.Describe("", 0))
	assert.Empty(t, f.Describe("c", -1))

	for i := range maxFamilies {
		f.learn(fmt.Sprint("m", i), metadata.Metadata{})
	}
	assert.Len(t, f.Describe("", -1), maxFamilies, "identifiers in names do not fill the memory")
	f.learn("a", metadata.Metadata{Help: "newest"})
	assert.Equal(t, "newest", f.Describe("a", -1)["a"][0].Help, "what is known is kept current")
}
