package batch

import (
	"math"
	"slices"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
)

// Sample is one sample on its way into the database: a float, or where one of the histograms is set, a native histogram.
type Sample struct {
	Labels         labels.Labels
	Start, Time    int64 // Unix ms
	Value          float64
	Histogram      *histogram.Histogram
	FloatHistogram *histogram.FloatHistogram
	Exemplars      []exemplar.Exemplar
}

// SameValue reports whether two samples of the same series and time are the same sample.
func (s *Sample) SameValue(o *Sample) bool {
	switch {
	case s.Histogram != nil:
		return o.Histogram != nil && s.Histogram.Equals(o.Histogram)
	case s.FloatHistogram != nil:
		return o.FloatHistogram != nil && s.FloatHistogram.Equals(o.FloatHistogram)
	default:
		return o.Histogram == nil && o.FloatHistogram == nil && math.Float64bits(s.Value) == math.Float64bits(o.Value)
	}
}

// Buckets returns how many buckets the sample has, 0 for a float.
func (s *Sample) Buckets() int {
	switch {
	case s.Histogram != nil:
		return len(s.Histogram.PositiveBuckets) + len(s.Histogram.NegativeBuckets)
	case s.FloatHistogram != nil:
		return len(s.FloatHistogram.PositiveBuckets) + len(s.FloatHistogram.NegativeBuckets)
	default:
		return 0
	}
}

// Batch holds the samples of one request. It implements storage.AppenderV2 for the translator, which keeps the order of the
// request, while the database needs each series in the order of time.
type Batch struct {
	Samples []Sample
	Order   []int32 // of Samples, by time, filled by Sort
	// Seen is the last sample of each series that the user appended, by its place in Samples.
	Seen map[storage.SeriesRef]int32
	// families records what each metric is.
	families *Families
	family   string // the last one recorded
	// onlyInfo restricts Append to samples of target_info.
	onlyInfo bool
}

// targetInfo is the metric that has the attributes of a resource.
const targetInfo = "target_info"

// Append implements storage.AppenderV2.
func (b *Batch) Append(
	_ storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, opts storage.AOptions,
) (storage.SeriesRef, error) {
	if b.onlyInfo && opts.MetricFamilyName != targetInfo {
		return 0, nil
	}
	b.Samples = append(b.Samples, Sample{
		Labels: ls, Start: st, Time: t, Value: v, Histogram: h, FloatHistogram: fh,
		Exemplars: slices.Clone(opts.Exemplars), // the translator reuses its slice
	})
	if b.family != opts.MetricFamilyName {
		b.family = opts.MetricFamilyName
		b.families.learn(b.family, opts.Metadata)
	}
	return 0, nil
}

// Commit implements storage.AppenderV2. The samples are committed by the user of the batch.
func (*Batch) Commit() error { return nil }

// Rollback implements storage.AppenderV2.
func (*Batch) Rollback() error { return nil }

// Sort fills Order. Samples of the same time keep the order of the request.
func (b *Batch) Sort() {
	b.Order = b.Order[:0]
	for i := range b.Samples {
		b.Order = append(b.Order, int32(i))
	}
	slices.SortStableFunc(b.Order, func(x, y int32) int {
		switch tx, ty := b.Samples[x].Time, b.Samples[y].Time; {
		case tx < ty:
			return -1
		case tx > ty:
			return 1
		default:
			return 0
		}
	})
}
