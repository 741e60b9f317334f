package metrics

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/slowburn/slowburn/slo/engine"
	"github.com/slowburn/slowburn/slo/internal/own"
)

const (
	scopeName = "github.com/slowburn/slowburn/slo/metrics"
	// objectivesPerBatch bounds the memory of one call to the pipeline: about 2,500 points, or 5,000 with Sloth's.
	objectivesPerBatch = 100
)

// sender sends the points of evaluations, and remembers what it sent. It is for one goroutine.
type sender struct {
	next     consumer.Metrics
	instance string
	sloth    slothErrors // nil if Sloth's names are not sent
	sent     map[string]*sent
	scratch  []point
}

// sent is what was sent of an objective.
type sent struct {
	at   time.Time // of the last samples
	live map[series]struct{}
}

func newSender(next consumer.Metrics, instance string, sloth bool) *sender {
	s := &sender{next: next, instance: instance, sent: map[string]*sent{}}
	if sloth {
		s.sloth = slothErrors{}
	}
	return s
}

// send sends a sample of each series of the objectives that were evaluated since the last time. One that cannot be evaluated gets its
// state, at the minute of now. points is how many points were handed to the pipeline. An error that is not permanent
// says that some objectives were not sent; the next call sends them.
func (s *sender) send(ctx context.Context, objectives []engine.Status, now time.Time) (points int, err error) {
	latest := now.Truncate(time.Minute)
	var refused []error
	for len(objectives) > 0 {
		b := s.newBatch()
		taken := 0
		for taken < len(objectives) && len(b.objectives) < objectivesPerBatch {
			o := &objectives[taken]
			taken++
			if at, due := s.due(o, latest); due {
				b.add(o, at)
			}
		}
		objectives = objectives[taken:]
		if b.points == 0 {
			continue
		}
		points += b.points
		err := s.next.ConsumeMetrics(own.Mark(ctx), b.md)
		if err != nil && !consumererror.IsPermanent(err) {
			return points, errors.Join(append(refused, err)...)
		}
		if err != nil { // it may have been taken in part: what is sent again would be the same
			refused = append(refused, err)
		}
		b.commit()
	}
	if len(refused) > 0 {
		return points, fmt.Errorf("metrics pipeline refused some of them: %w", errors.Join(refused...))
	}
	return points, nil
}

// due returns the time of an objective's next samples, and false if it has none yet.
func (s *sender) due(o *engine.Status, latest time.Time) (at time.Time, due bool) {
	switch {
	case o.State == engine.StateError:
		at = latest
	case o.EvaluatedUntil == nil:
		return at, false
	default:
		at = *o.EvaluatedUntil
	}
	last, ok := s.sent[o.Name]
	return at, !ok || at.After(last.at)
}

// batch is one call to the pipeline.
type batch struct {
	sender     *sender
	md         pmetric.Metrics
	metrics    pmetric.MetricSlice
	byFamily   map[*family]pmetric.NumberDataPointSlice
	objectives map[string]*sent // the sender's memory of them, after this
	points     int
}

func (s *sender) newBatch() *batch {
	b := &batch{sender: s, md: pmetric.NewMetrics(), byFamily: map[*family]pmetric.NumberDataPointSlice{}, objectives: map[string]*sent{}}
	rm := b.md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "slowburn")
	rm.Resource().Attributes().PutStr("service.instance.id", s.instance)
	scope := rm.ScopeMetrics().AppendEmpty()
	scope.Scope().SetName(scopeName)
	b.metrics = scope.Metrics()
	return b
}

// add adds the points of an objective, and an end for each series that has none any more.
func (b *batch) add(o *engine.Status, at time.Time) {
	all := pointsOf(b.sender.scratch[:0], o, at)
	if b.sender.sloth != nil {
		all = b.sender.sloth.points(all, o)
	}
	b.sender.scratch = all
	after := &sent{at: at, live: make(map[series]struct{}, len(all))}
	for i := range all {
		p := &all[i]
		b.point(o, &p.series, at).SetDoubleValue(p.value)
		after.live[p.series] = struct{}{}
	}
	if before := b.sender.sent[o.Name]; before != nil {
		for ended := range before.live {
			if _, lives := after.live[ended]; !lives {
				b.point(o, &ended, at).SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
			}
		}
	}
	b.objectives[o.Name] = after
}

// point adds a point with the labels of a series.
func (b *batch) point(o *engine.Status, s *series, at time.Time) pmetric.NumberDataPoint {
	dst, ok := b.byFamily[s.family]
	if !ok {
		m := b.metrics.AppendEmpty()
		m.SetName(s.family.name)
		m.SetUnit(s.family.unit)
		m.SetDescription(s.family.description)
		dst = m.SetEmptyGauge().DataPoints()
		b.byFamily[s.family] = dst
	}
	p := dst.AppendEmpty()
	p.SetTimestamp(pcommon.NewTimestampFromTime(at))
	attributes := p.Attributes()
	attributes.EnsureCapacity(5)
	if s.family.sloth || s.family == info { // those that are set below replace one of the same name
		for name, value := range o.Labels {
			attributes.PutStr(name, value)
		}
	}
	if s.family.sloth {
		slothIdentity(attributes, o)
	} else {
		attributes.PutStr("objective", o.Name)
		if o.Service != "" {
			attributes.PutStr("service", o.Service)
		}
	}
	for i, label := range s.family.labels {
		attributes.PutStr(label, s.values[i])
	}
	b.points++
	return p
}

// commit makes what the batch sent the sender's memory.
func (b *batch) commit() {
	for name, after := range b.objectives {
		b.sender.sent[name] = after
	}
}
