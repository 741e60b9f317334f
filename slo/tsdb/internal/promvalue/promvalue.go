// Package promvalue copies what a PromQL query gave into the types of the HTTP API's client, by Of.
package promvalue

import (
	"fmt"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// The boundaries of a histogram's bucket, as the HTTP API numbers them.
const (
	openLeft = iota // above lower, up to and including upper
	openRight
	openBoth
	closedBoth
)

// Of converts the result of a query to the types of the HTTP API's client, in memory of its own.
func Of(v parser.Value) (model.Value, error) {
	switch v := v.(type) {
	case promql.Scalar:
		return &model.Scalar{Value: model.SampleValue(v.V), Timestamp: model.Time(v.T)}, nil
	case promql.String:
		return &model.String{Value: v.V, Timestamp: model.Time(v.T)}, nil
	case promql.Vector:
		vector := make(model.Vector, len(v))
		for i, s := range v {
			vector[i] = &model.Sample{
				Metric: toMetric(s.Metric), Value: model.SampleValue(s.F), Timestamp: model.Time(s.T), Histogram: toHistogram(s.H),
			}
		}
		return vector, nil
	case promql.Matrix:
		matrix := make(model.Matrix, len(v))
		for i, s := range v {
			matrix[i] = toStream(s)
		}
		return matrix, nil
	default:
		return nil, fmt.Errorf("a query gave a %T, which the HTTP API has no form for", v)
	}
}

func toStream(s promql.Series) *model.SampleStream {
	stream := &model.SampleStream{Metric: toMetric(s.Metric)}
	if len(s.Floats) > 0 {
		stream.Values = make([]model.SamplePair, len(s.Floats))
		for i, p := range s.Floats {
			stream.Values[i] = model.SamplePair{Timestamp: model.Time(p.T), Value: model.SampleValue(p.F)}
		}
	}
	if len(s.Histograms) > 0 {
		stream.Histograms = make([]model.SampleHistogramPair, len(s.Histograms))
		for i, p := range s.Histograms {
			stream.Histograms[i] = model.SampleHistogramPair{Timestamp: model.Time(p.T), Histogram: toHistogram(p.H)}
		}
	}
	return stream
}

func toMetric(ls labels.Labels) model.Metric {
	metric := make(model.Metric, ls.Len())
	ls.Range(func(l labels.Label) { metric[model.LabelName(l.Name)] = model.LabelValue(l.Value) })
	return metric
}

// toHistogram copies the buckets that counted something, as the HTTP API does.
func toHistogram(h *histogram.FloatHistogram) *model.SampleHistogram {
	if h == nil {
		return nil
	}
	converted := &model.SampleHistogram{Count: model.FloatString(h.Count), Sum: model.FloatString(h.Sum)}
	for it := h.AllBucketIterator(); it.Next(); {
		bucket := it.At()
		if bucket.Count == 0 {
			continue
		}
		converted.Buckets = append(converted.Buckets, &model.HistogramBucket{
			Boundaries: boundaries(bucket.LowerInclusive, bucket.UpperInclusive),
			Lower:      model.FloatString(bucket.Lower),
			Upper:      model.FloatString(bucket.Upper),
			Count:      model.FloatString(bucket.Count),
		})
	}
	return converted
}

func boundaries(lowerInclusive, upperInclusive bool) int32 {
	switch {
	case lowerInclusive && upperInclusive:
		return closedBoth
	case lowerInclusive:
		return openRight
	case upperInclusive:
		return openLeft
	default:
		return openBoth
	}
}
