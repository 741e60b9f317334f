package sli

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const (
	scopeName = "github.com/slowburn/slowburn/slo/sli"

	metricCalls     = "traces.span.metrics.calls"
	metricDuration  = "traces.span.metrics.duration"
	metricEvents    = "slowburn.sli.events"
	metricBadEvents = "slowburn.sli.bad_events"
)

// batch is what goes to the metrics pipeline in one call. Its points are of one time.
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

// events appends the series of total and of bad events.
func (b batch) events(points []eventPoint) {
	total := b.sum(metricEvents, "Events of an objective.", "{event}")
	bad := b.sum(metricBadEvents, "Bad events of an objective.", "{event}")
	for _, p := range points {
		s := p.series
		dst := total
		if s.reason != nil {
			dst = bad
		}
		labels := func(m pcommon.Map) {
			t := s.tally.tally
			m.EnsureCapacity(5)
			m.PutStr("objective", t.indicator.objective)
			m.PutStr("service.name", t.operation.service.label)
			m.PutStr("span.name", t.operation.label)
			m.PutStr("service.version", s.tally.version.label)
			if s.reason != nil {
				m.PutStr("reason", s.reason.label)
			}
		}
		b.count(dst, &s.series, p.n, labels)
	}
	b.scope.Metrics().RemoveIf(func(m pmetric.Metric) bool { return m.Sum().DataPoints().Len() == 0 })
}

// calls appends the series of calls and durations.
func (b batch) calls(points []callPoint) {
	calls := b.sum(metricCalls, "Spans, by service, operation, kind and status.", "{call}")
	m := b.metric(metricDuration, "Duration of spans, by service, operation, kind and status.", "s").SetEmptyExponentialHistogram()
	m.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for i := range points {
		p := &points[i]
		s := p.series
		labels := func(m pcommon.Map) {
			m.EnsureCapacity(4)
			m.PutStr("service.name", s.operation.service.label)
			m.PutStr("span.name", s.operation.label)
			m.PutStr("span.kind", kindNames[s.kind])
			m.PutStr("status.code", statusNames[s.status])
		}
		b.count(calls, &s.series, p.n, labels)
		b.duration(m.DataPoints(), &s.series, &p.duration, labels)
	}
}

// count appends a series' zero, if it has not been told yet, and then its count: earlier times first, as a TSDB wants.
func (b batch) count(dst pmetric.NumberDataPointSlice, s *series, n weight, labels func(pcommon.Map)) {
	if !s.told {
		p := dst.AppendEmpty()
		labels(p.Attributes())
		p.SetStartTimestamp(timestamp(s.born))
		p.SetTimestamp(timestamp(s.born))
		p.SetIntValue(0)
	}
	p := dst.AppendEmpty()
	labels(p.Attributes())
	p.SetStartTimestamp(timestamp(s.born))
	p.SetTimestamp(timestamp(b.at))
	if v, whole := n.integer(); whole {
		p.SetIntValue(v)
	} else {
		p.SetDoubleValue(n.float())
	}
}

// duration is count's like for histograms.
func (b batch) duration(dst pmetric.ExponentialHistogramDataPointSlice, s *series, h *histogram, labels func(pcommon.Map)) {
	if !s.told {
		p := dst.AppendEmpty()
		labels(p.Attributes())
		p.SetStartTimestamp(timestamp(s.born))
		p.SetTimestamp(timestamp(s.born))
		p.SetScale(h.scale())
		p.SetSum(0)
	}
	p := dst.AppendEmpty()
	labels(p.Attributes())
	p.SetStartTimestamp(timestamp(s.born))
	p.SetTimestamp(timestamp(b.at))
	p.SetScale(h.scale())
	p.SetCount(h.count)
	p.SetZeroCount(h.zero)
	p.SetSum(h.seconds())
	p.Positive().SetOffset(h.offset)
	p.Positive().BucketCounts().FromRaw(h.buckets)
}

func timestamp(millis int64) pcommon.Timestamp { return pcommon.Timestamp(millis * 1e6) }
