package admit

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// point holds the parts of a data point of any type that limits apply to.
type point struct {
	attributes pcommon.Map
	at         pcommon.Timestamp
	exemplars  pmetric.ExemplarSlice
	// buckets is how many it has, quantiles included; samples how many it becomes.
	buckets, samples int
}

var noExemplars = pmetric.NewExemplarSlice()

// points are the data points of a metric.
type points struct {
	n  int
	at func(i int) point
	// copy appends a point to a metric of the same type, and returns the exemplars of the copy.
	copy func(i int, to pmetric.Metric) pmetric.ExemplarSlice
}

func pointsOf(m pmetric.Metric) points {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return numbers(m.Gauge().DataPoints(), func(to pmetric.Metric) pmetric.NumberDataPointSlice { return to.Gauge().DataPoints() })
	case pmetric.MetricTypeSum:
		return numbers(m.Sum().DataPoints(), func(to pmetric.Metric) pmetric.NumberDataPointSlice { return to.Sum().DataPoints() })
	case pmetric.MetricTypeHistogram:
		return histograms(m.Histogram().DataPoints())
	case pmetric.MetricTypeExponentialHistogram:
		return exponentials(m.ExponentialHistogram().DataPoints())
	case pmetric.MetricTypeSummary:
		return summaries(m.Summary().DataPoints())
	default:
		return points{}
	}
}

func numbers(all pmetric.NumberDataPointSlice, slice func(pmetric.Metric) pmetric.NumberDataPointSlice) points {
	return points{
		n: all.Len(),
		at: func(i int) point {
			p := all.At(i)
			return point{p.Attributes(), p.Timestamp(), p.Exemplars(), 0, 1}
		},
		copy: func(i int, to pmetric.Metric) pmetric.ExemplarSlice {
			p := slice(to).AppendEmpty()
			all.At(i).CopyTo(p)
			return p.Exemplars()
		},
	}
}

func histograms(all pmetric.HistogramDataPointSlice) points {
	return points{
		n: all.Len(),
		at: func(i int) point {
			p := all.At(i)
			buckets := max(p.ExplicitBounds().Len(), p.BucketCounts().Len())
			return point{p.Attributes(), p.Timestamp(), p.Exemplars(), buckets, 3 + buckets}
		},
		copy: func(i int, to pmetric.Metric) pmetric.ExemplarSlice {
			p := to.Histogram().DataPoints().AppendEmpty()
			all.At(i).CopyTo(p)
			return p.Exemplars()
		},
	}
}

func exponentials(all pmetric.ExponentialHistogramDataPointSlice) points {
	return points{
		n: all.Len(),
		at: func(i int) point {
			p := all.At(i)
			buckets := p.Positive().BucketCounts().Len() + p.Negative().BucketCounts().Len()
			return point{p.Attributes(), p.Timestamp(), p.Exemplars(), buckets, 1}
		},
		copy: func(i int, to pmetric.Metric) pmetric.ExemplarSlice {
			p := to.ExponentialHistogram().DataPoints().AppendEmpty()
			all.At(i).CopyTo(p)
			return p.Exemplars()
		},
	}
}

func summaries(all pmetric.SummaryDataPointSlice) points {
	return points{
		n: all.Len(),
		at: func(i int) point {
			p := all.At(i)
			return point{p.Attributes(), p.Timestamp(), noExemplars, p.QuantileValues().Len(), 2 + p.QuantileValues().Len()}
		},
		copy: func(i int, to pmetric.Metric) pmetric.ExemplarSlice {
			all.At(i).CopyTo(to.Summary().DataPoints().AppendEmpty())
			return noExemplars
		},
	}
}

// maxHelp is how many bytes of a metric's description are kept.
const maxHelp = 1 << 10

// shell copies the metric without its data points.
func shell(m, to pmetric.Metric) {
	to.SetName(m.Name())
	to.SetUnit(m.Unit())
	to.SetDescription(Cut(m.Description(), maxHelp))
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		to.SetEmptyGauge()
	case pmetric.MetricTypeSum:
		s := to.SetEmptySum()
		s.SetIsMonotonic(m.Sum().IsMonotonic())
		s.SetAggregationTemporality(m.Sum().AggregationTemporality())
	case pmetric.MetricTypeHistogram:
		to.SetEmptyHistogram().SetAggregationTemporality(m.Histogram().AggregationTemporality())
	case pmetric.MetricTypeExponentialHistogram:
		to.SetEmptyExponentialHistogram().SetAggregationTemporality(m.ExponentialHistogram().AggregationTemporality())
	case pmetric.MetricTypeSummary:
		to.SetEmptySummary()
	}
}

// unfit reports whether a metric cannot be translated, whatever its data points are.
func unfit(m pmetric.Metric) bool {
	switch m.Type() {
	case pmetric.MetricTypeSum:
		return m.Sum().AggregationTemporality() == pmetric.AggregationTemporalityUnspecified
	case pmetric.MetricTypeHistogram:
		return m.Histogram().AggregationTemporality() == pmetric.AggregationTemporalityUnspecified
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().AggregationTemporality() == pmetric.AggregationTemporalityUnspecified
	case pmetric.MetricTypeEmpty:
		return true
	default:
		return false
	}
}
