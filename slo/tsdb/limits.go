package tsdb

import (
	"time"

	"github.com/slowburn/slowburn/internal/cgroup"
	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/slo/tsdb/internal/admit"
)

// LimitsConfig bounds a request of metrics and its series. Data points above a limit are rejected, counted, and reported to their
// sender; the rest of the request is stored. The gateway's own metrics are exempt.
type LimitsConfig struct {
	// Labels is how many labels a series may have.
	Labels int `mapstructure:"labels"`
	// LabelName is how long the name of a label may be.
	LabelName units.Size `mapstructure:"label_name"`
	// LabelValue is how long the value of a label, or the name of a metric, may be.
	LabelValue units.Size `mapstructure:"label_value"`
	// LabelsSize is how long all labels of a series may be together.
	LabelsSize units.Size `mapstructure:"labels_size"`
	// Buckets is how many buckets, or quantiles, a data point may have.
	Buckets int `mapstructure:"buckets"`
	// SamplesPerRequest is how many samples a request may have. A classic histogram's data point is several.
	SamplesPerRequest int `mapstructure:"samples_per_request"`
}

func defaultLimits() LimitsConfig {
	return LimitsConfig{Labels: 64, LabelName: 256, LabelValue: 4 << 10, LabelsSize: 16 << 10, Buckets: 512, SamplesPerRequest: 500_000}
}

// The least and the most that limits may be: the most is what the database bears without a panic, at the sizes of a Part.
const (
	minLabels, maxLabels         = 10, 1 << 10
	minLabelText, maxLabelsSize  = 64, 1 << 20
	minBuckets, maxBuckets       = 10, 1 << 16
	minSamples, maxSamplesAtOnce = 1000, 1 << 30
	minSeries, maxSeriesKey      = 1000, 100_000_000
)

func (l *LimitsConfig) validate(wrong func(format string, args ...any)) {
	between := func(key string, n, lowest, highest int) {
		if n < lowest || n > highest {
			wrong("limits::%s: %d is not from %d to %d; write a number between", key, n, lowest, highest)
		}
	}
	between("labels", l.Labels, minLabels, maxLabels)
	between("buckets", l.Buckets, minBuckets, maxBuckets)
	between("samples_per_request", l.SamplesPerRequest, minSamples, maxSamplesAtOnce)
	for _, s := range []struct {
		key  string
		size units.Size
	}{{"label_name", l.LabelName}, {"label_value", l.LabelValue}, {"labels_size", l.LabelsSize}} {
		if s.size < minLabelText || s.size > maxLabelsSize {
			wrong("limits::%s: %s is not from %s to %s; write a size between", s.key, s.size, units.Size(minLabelText), units.Size(maxLabelsSize))
		}
	}
}

func (l *LimitsConfig) admit() admit.Limits {
	return admit.Limits{
		Labels: l.Labels, Name: int(l.LabelName), Value: int(l.LabelValue), Size: int(l.LabelsSize),
		Buckets: l.Buckets, Samples: l.SamplesPerRequest,
	}
}

const (
	// seriesBytes is what a unit of a series takes in memory, measured (TestSeriesBytes), with the share of the collector's garbage.
	seriesBytes = 2 << 10
	// seriesShare is which part of the memory limit the series of others have by default.
	seriesShare = 16
	// leastSeries and mostSeries bound the default of max_series.
	leastSeries, mostSeries = 5_000, 500_000
)

// maxSeries returns MaxSeries, or its default if it is 0.
func (c *Config) maxSeries() int {
	if c.MaxSeries > 0 {
		return c.MaxSeries
	}
	limit, ok := cgroup.Limit()
	if !ok {
		return mostSeries
	}
	return seriesWithin(limit)
}

func seriesWithin(limit int64) int {
	return int(min(max(limit/seriesShare/seriesBytes, leastSeries), mostSeries))
}

// window returns the times that samples may have.
func (c *Config) window(now time.Time) admit.Window {
	return admit.Window{Oldest: now.Add(-time.Duration(c.Retention)), Newest: now.Add(maxAhead)}
}

// MemoryShare returns the most memory of other senders' series and requests, in bytes, and the key of their number. A remote
// database takes none.
func (c *Config) MemoryShare() (key string, bytes int64) {
	if c.Remote.HasValue() {
		return "max_series", 0
	}
	const requests = 16 << 20 // parts of requests on their way
	return "max_series", int64(c.maxSeries())*seriesBytes + requests
}
