package sli

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/slowburn/slowburn/slo/sli/internal/count"
)

const (
	scopeName = "github.com/slowburn/slowburn/slo/sli"

	metricCalls     = "traces.span.metrics.calls"
	metricDuration  = "traces.span.metrics.duration"
	metricEvents    = "slowburn.sli.events"
	metricBadEvents = "slowburn.sli.bad_events"
)

// batch holds the metrics of one call to the pipeline. All its points have the same time, except zeros.
type batch struct {
	md    pmetric.Metrics
	scope pmetric.ScopeMetrics
	at    int64
}

func newBatch(resource pcommon.Resource, at int64) batch {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	resource.CopyTo(rm.Resource())
	scope := rm.ScopeMetrics().AppendEmpty()
	scope.Scope().SetName(scopeName)
	return batch{md, scope, at}
}

func (b batch) metric(name, description, unit string) pmetric.Metric {
	m := b.scope.Metrics().AppendEmpty()
	m.SetName(name)
	m.SetDescription(description)
	m.SetUnit(unit)
	return m
}

func (b batch) sum(name, description, unit string) pmetric.NumberDataPointSlice {
	sum := b.metric(name, description, unit).SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	return sum.DataPoints()
}

// events appends the points of total and of bad events, with exemplars of the latter.
func (b batch) events(points []count.EventPoint, shown shown) {
	total := b.sum(metricEvents, "Events of an objective.", "{event}")
	bad := b.sum(metricBadEvents, "Bad events of an objective.", "{event}")
	with := map[*count.EventSeries]bool{} // those with exemplars: each has them once, at the first of its ages
	for _, p := range points {
		s := p.Series
		dst := total
		reason, isBad := s.Reason()
		if isBad {
			dst = bad
		}
		labels := func(m pcommon.Map) {
			m.EnsureCapacity(6)
			m.PutStr("objective", s.Objective())
			m.PutStr("service.name", s.Service())
			m.PutStr("span.name", s.Operation())
			m.PutStr("service.version", s.Version())
			m.PutStr("age", p.Age.Age())
			if isBad {
				m.PutStr("reason", reason)
			}
		}
		b.count(dst, &p.Age.Series, p.N, labels)
		if marks := shown.events[s]; len(marks) > 0 && !with[s] {
			with[s] = true
			appendTo(dst.At(dst.Len()-1).Exemplars(), marks, false)
		}
	}
	b.scope.Metrics().RemoveIf(func(m pmetric.Metric) bool { return m.Sum().DataPoints().Len() == 0 })
}

// calls appends the points of calls and durations, with exemplars of the latter.
func (b batch) calls(points []count.CallPoint, shown shown) {
	calls := b.sum(metricCalls, "Spans, by service, operation, kind and status.", "{call}")
	m := b.metric(metricDuration, "Duration of spans, by service, operation, kind and status.", "s").SetEmptyExponentialHistogram()
	m.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for i := range points {
		p := &points[i]
		s := p.Series
		labels := func(m pcommon.Map) {
			m.EnsureCapacity(4)
			m.PutStr("service.name", s.Service())
			m.PutStr("span.name", s.Operation())
			m.PutStr("span.kind", s.Kind())
			m.PutStr("status.code", s.Status())
		}
		b.count(calls, &s.Series, p.N, labels)
		b.duration(m.DataPoints(), &s.Series, &p.Duration, labels)
		if marks := shown.ofCalls(s); len(marks) > 0 {
			appendTo(m.DataPoints().At(m.DataPoints().Len()-1).Exemplars(), marks, true)
		}
	}
}

// count appends the zero of a series, unless it was sent, then its count: earlier times first, as a TSDB needs.
func (b batch) count(dst pmetric.NumberDataPointSlice, s *count.Series, n count.Weight, labels func(pcommon.Map)) {
	if !s.ZeroEmitted {
		p := dst.AppendEmpty()
		labels(p.Attributes())
		p.SetStartTimestamp(timestamp(s.Born))
		p.SetTimestamp(timestamp(s.Born))
		p.SetIntValue(0)
	}
	p := dst.AppendEmpty()
	labels(p.Attributes())
	p.SetStartTimestamp(timestamp(s.Born))
	p.SetTimestamp(timestamp(b.at))
	if v, whole := n.Integer(); whole {
		p.SetIntValue(v)
	} else {
		p.SetDoubleValue(n.Float())
	}
}

// duration is count for histograms.
func (b batch) duration(dst pmetric.ExponentialHistogramDataPointSlice, s *count.Series, h *count.Histogram, labels func(pcommon.Map)) {
	if !s.ZeroEmitted {
		p := dst.AppendEmpty()
		labels(p.Attributes())
		p.SetStartTimestamp(timestamp(s.Born))
		p.SetTimestamp(timestamp(s.Born))
		p.SetScale(h.Scale())
		p.SetSum(0)
	}
	p := dst.AppendEmpty()
	labels(p.Attributes())
	p.SetStartTimestamp(timestamp(s.Born))
	p.SetTimestamp(timestamp(b.at))
	p.SetScale(h.Scale())
	p.SetCount(h.Count)
	p.SetZeroCount(h.Zero)
	p.SetSum(h.Seconds())
	p.Positive().SetOffset(h.Offset)
	p.Positive().BucketCounts().FromRaw(h.Buckets)
}

func timestamp(millis int64) pcommon.Timestamp { return pcommon.Timestamp(millis * 1e6) }
