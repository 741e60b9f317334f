package count

import "github.com/slowburn/slowburn/internal/wire"

// The tree of what has been seen: services, their operations, and per operation the series of RED metrics and those of
// each indicator that selects it. All of it is guarded by Counter.mu, but for the labels, which do not change, and for what
// Series has. A node lives as long as there is a series below it.

// service is one service.name.
type service struct {
	slot
	operations names[operation]
	versions   names[value]
	reasons    names[value]
	// indicators are those of this service, named the operations that any of them names.
	indicators []*indicator
	named      map[string]struct{}
}

// value is a version or a reason, which a service's series share.
type value struct {
	slot
	series int
}

// operation is one span name of a service.
type operation struct {
	slot
	service *service
	calls   [wire.NumKinds][wire.NumStatuses]*CallSeries
	tallies []tally
	series  int
}

// tally is what an indicator counted in an operation.
type tally struct {
	indicator *indicator
	operation *operation
	versions  []*versionTally
}

// versionTally is what an indicator counted in an operation of one version of a service.
type versionTally struct {
	tally   *tally
	version *value
	total   EventSeries
	// bad has one series per reason; the first is for the indicator's default reason.
	bad []*EventSeries
}

// EventSeries is a time series of total events, or of bad ones for a reason.
type EventSeries struct {
	Series
	tally  *versionTally
	reason *value // nil for the total
	n      Weight
}

// CallSeries is the time series of calls and the one of their durations.
type CallSeries struct {
	Series
	operation    *operation
	kind, status uint8
	n            Weight
	duration     Histogram
}

// Objective returns the name of the objective that the events are of.
func (s *EventSeries) Objective() string { return s.tally.tally.indicator.objective }

// Service returns the label of the service.
func (s *EventSeries) Service() string { return s.tally.tally.operation.service.label }

// Operation returns the label of the operation.
func (s *EventSeries) Operation() string { return s.tally.tally.operation.label }

// Version returns the label of the service's version.
func (s *EventSeries) Version() string { return s.tally.version.label }

// Reason returns the label of why the events are bad, and false if the series is of the total.
func (s *EventSeries) Reason() (label string, bad bool) {
	if s.reason == nil {
		return "", false
	}
	return s.reason.label, true
}

// Service returns the label of the service.
func (s *CallSeries) Service() string { return s.operation.service.label }

// Operation returns the label of the operation.
func (s *CallSeries) Operation() string { return s.operation.label }

// Kind returns the name of the spans' kind.
func (s *CallSeries) Kind() string { return kindNames[s.kind] }

// Status returns the name of the spans' status.
func (s *CallSeries) Status() string { return statusNames[s.status] }

// of returns the tally of a version, or nil. There are one or two versions at a time, so this beats a map.
func (t *tally) of(version *value) *versionTally {
	for _, v := range t.versions {
		if v.version == version {
			return v
		}
	}
	return nil
}

func (c *Counter) newService(s slot) *service {
	svc := &service{
		slot:       s,
		operations: newNames[operation](c.limits.Operations),
		versions:   newNames[value](c.limits.Versions),
		reasons:    newNames[value](c.limits.Reasons),
		named:      make(map[string]struct{}),
	}
	for _, in := range c.indicators {
		if in.service == "" || in.service == s.label {
			svc.indicators = append(svc.indicators, in)
			for name := range in.operations {
				svc.named[name] = struct{}{}
			}
		}
	}
	c.services.put(s, svc)
	return svc
}

func (s *service) newOperation(at slot) *operation {
	op := &operation{slot: at, service: s}
	for _, in := range s.indicators {
		if in.selects(at.label) {
			op.tallies = append(op.tallies, tally{indicator: in, operation: op})
		}
	}
	s.operations.put(at, op)
	return op
}

func (c *Counter) newCalls(op *operation, kind, status uint8) *CallSeries {
	s := &CallSeries{operation: op, kind: kind, status: status}
	op.calls[kind][status] = s
	op.series++
	c.calls = append(c.calls, s)
	return s
}

// newTally starts to count a version, with a series of bad events for the usual reason: so a ratio of bad to total is
// defined, and 0, before anything went wrong.
func (c *Counter) newTally(t *tally, version *value) *versionTally {
	v := &versionTally{tally: t, version: version}
	v.total.tally = v
	version.series++
	t.versions = append(t.versions, v)
	t.operation.series++
	c.events = append(c.events, &v.total)
	reason, _ := t.operation.service.reason([]byte(t.indicator.defaultReason()))
	c.badSeries(v, reason)
	return v
}

// badSeries returns the series of a reason's bad events.
func (c *Counter) badSeries(v *versionTally, reason *value) *EventSeries {
	for _, s := range v.bad {
		if s.reason == reason {
			return s
		}
	}
	s := &EventSeries{tally: v, reason: reason}
	reason.series++
	v.bad = append(v.bad, s)
	c.events = append(c.events, s)
	return s
}

// reason returns the value that stands for a reason, which the caller must give a series.
func (s *service) reason(text []byte) (v *value, overflow bool) {
	if v := s.reasons.get(text); v != nil {
		return v, v.label == Other
	}
	exempt := string(text) == reasonError || string(text) == reasonLatency
	return admitValue(&s.reasons, string(text), exempt)
}

// version is reason's like for versions.
func (s *service) version(text []byte) (v *value, overflow bool) {
	if v := s.versions.get(text); v != nil {
		return v, v.label == Other
	}
	return admitValue(&s.versions, string(text), false)
}

func admitValue(n *names[value], text string, exempt bool) (*value, bool) {
	at, v, overflow := n.admit(text, exempt)
	if v == nil {
		v = &value{slot: at}
		n.put(at, v)
	}
	return v, overflow
}
