package tsdb

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/storage/remote/otlptranslator/prometheusremotewrite"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// sample is one sample on its way into the database: a float, or where h or fh is set, a native histogram.
type sample struct {
	labels    labels.Labels
	start, t  int64 // Unix ms
	v         float64
	h         *histogram.Histogram
	fh        *histogram.FloatHistogram
	exemplars []exemplar.Exemplar
}

// sameValue says whether two samples of the same series and time are the same sample.
func (s *sample) sameValue(o *sample) bool {
	switch {
	case s.h != nil:
		return o.h != nil && s.h.Equals(o.h)
	case s.fh != nil:
		return o.fh != nil && s.fh.Equals(o.fh)
	default:
		return o.h == nil && o.fh == nil && math.Float64bits(s.v) == math.Float64bits(o.v)
	}
}

// batch is the samples of one request. It poses as an appender that the translator writes to, as the translator keeps
// the order of the request while the database needs each series in the order of time.
type batch struct {
	samples []sample
	order   []int32 // of samples, by time, filled by sort
	// seen is the last sample of each series that was appended, by its place in samples, see commit.
	seen map[storage.SeriesRef]int32
	// families learns what each metric is.
	families *families
	family   string // learnt last
}

// Append implements storage.AppenderV2.
func (b *batch) Append(
	_ storage.SeriesRef, ls labels.Labels, st, t int64, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, opts storage.AOptions,
) (storage.SeriesRef, error) {
	b.samples = append(b.samples, sample{
		labels: ls, start: st, t: t, v: v, h: h, fh: fh,
		exemplars: slices.Clone(opts.Exemplars), // the translator reuses its slice
	})
	if b.family != opts.MetricFamilyName {
		b.family = opts.MetricFamilyName
		b.families.learn(b.family, opts.Metadata)
	}
	return 0, nil
}

// Commit implements storage.AppenderV2. The samples are committed by embedded.commit.
func (*batch) Commit() error { return nil }

// Rollback implements storage.AppenderV2.
func (*batch) Rollback() error { return nil }

// sort fills order. Samples of the same time keep the order of the request.
func (b *batch) sort() {
	b.order = b.order[:0]
	for i := range b.samples {
		b.order = append(b.order, int32(i))
	}
	slices.SortStableFunc(b.order, func(x, y int32) int {
		switch tx, ty := b.samples[x].t, b.samples[y].t; {
		case tx < ty:
			return -1
		case tx > ty:
			return 1
		default:
			return 0
		}
	})
}

// batchPool keeps batches for the next request, so that a flush of the same series every few seconds reuses them.
type batchPool struct{ pool sync.Pool }

func (p *batchPool) get(f *families) *batch {
	b, ok := p.pool.Get().(*batch)
	if !ok {
		b = &batch{seen: map[storage.SeriesRef]int32{}}
	}
	b.families = f
	return b
}

func (p *batchPool) put(b *batch) {
	clear(b.samples)
	clear(b.seen)
	b.samples, b.order, b.families, b.family = b.samples[:0], b.order[:0], nil, ""
	p.pool.Put(b)
}

// translate writes the metrics to the batch as Prometheus translates them: names with units and _total, dots as
// underscores, exponential histograms as native ones, target_info for the other resource attributes. It returns what
// was doubtful, and as a joined error what could not be translated, which hinders nothing else.
func translate(ctx context.Context, md pmetric.Metrics, promote []string, to *batch) (warnings []string, untranslatable error) {
	annotations, err := prometheusremotewrite.NewPrometheusConverter(to).FromMetrics(ctx, md, prometheusremotewrite.Settings{
		AddMetricSuffixes: config.DefaultOTLPConfig.TranslationStrategy.ShouldAddSuffixes(),
		AllowUTF8:         !config.DefaultOTLPConfig.TranslationStrategy.ShouldEscape(),
		PromoteResourceAttributes: prometheusremotewrite.NewPromoteResourceAttributes(config.OTLPConfig{
			PromoteResourceAttributes: promote,
		}),
		LookbackDelta:                        lookback,
		LabelNameUnderscoreSanitization:      config.DefaultOTLPConfig.LabelNameUnderscoreSanitization,
		LabelNamePreserveMultipleUnderscores: config.DefaultOTLPConfig.LabelNamePreserveMultipleUnderscores,
	})
	warnings, _ = annotations.AsStrings("", 0, 0)
	return warnings, err
}
