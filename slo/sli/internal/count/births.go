package count

import (
	"bytes"
	"sync"

	"github.com/slowburn/slowburn/slo/sli/internal/count/lookup"
	"github.com/slowburn/slowburn/slo/sli/internal/judge"
)

// Births take the tree's mutex: they happen once per series. The log gets a series' definition before anybody can find
// its number, so that no record of spans is kept that names an unknown one. The next log begins with the definitions that a full one
// refuses: records of spans come there before the snapshot that has the series.

// define appends a record about series, such as a birth, to the log.
func (s *stripe) define(record []byte) {
	if s.log != nil && !s.log.Append(record) {
		s.refused = true
		s.owed.add(record)
	}
}

// owed holds records of series that a full log refused, in their order. Its mutex is taken last.
type owed struct {
	mu      sync.Mutex
	records [][]byte
}

func (o *owed) add(record []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.records = append(o.records, bytes.Clone(record))
}

// pay appends the records to the next log, before anything else, or drops them without a log. Records that it refuses stay:
// such a log keeps nothing that could refer to them.
func (o *owed) pay(log Log) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for log != nil && len(o.records) > 0 {
		if !log.Append(o.records[0]) {
			return
		}
		o.records = o.records[1:]
	}
	o.records = nil
}

// serviceOf returns the service that a name is counted under.
func (s *stripe) serviceOf(name []byte) (svc *service, overflow bool) {
	t := s.tree
	if svc := t.services.get(name); svc != nil {
		return svc, false
	}
	_, exempt := t.named[string(name)]
	if svc, overflow := t.services.beyond(name, exempt); svc != nil {
		return svc, overflow
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	at, svc, overflow := t.services.admit(string(name), exempt)
	if svc == nil {
		svc = t.newService(at)
	}
	return svc, overflow
}

// operationOf is serviceOf for a span name that is not in its service's table. It also makes the span's series.
func (s *stripe) operationOf(svc *service, name []byte, kind, status uint8) (op *operation, overflow bool) {
	_, exempt := svc.named[string(name)]
	if op, overflow := svc.operations.beyond(name, exempt); op != nil {
		return op, overflow
	}
	t := s.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	at, op, overflow := svc.operations.admit(string(name), exempt)
	if op == nil {
		op = s.bornWith(svc, at, kind, status)
	}
	return op, overflow
}

// bornWith makes an operation and its first series.
func (s *stripe) bornWith(svc *service, at slot, kind, status uint8) *operation {
	calls := s.makeCalls(kind, status)
	s.define(appendCallDefinition(nil, calls.number, kind, status, svc.label, at.label))
	op := svc.newOperation(at, calls.number, callTag(kind, status))
	s.addCalls(op, calls)
	return op
}

// makeCalls makes a series of calls that spans cannot find yet.
func (t *tree) makeCalls(kind, status uint8) *CallSeries {
	s, number := t.call.add()
	s.kind, s.status, s.number = kind, status, number
	return s
}

func (t *tree) addCalls(op *operation, calls *CallSeries) {
	calls.operation = op
	op.series++
	t.calls = append(t.calls, calls)
	t.weigh()
}

// newCalls returns the number of the series for a kind and status that an operation has no series for. At the limit of series
// that is the series of Other.
func (s *stripe) newCalls(op *operation, kind, status uint8, overflow *[NumLabels]int64) uint32 {
	t := s.tree
	crowded := t.crowded.Load() && !op.exempt
	if crowded {
		overflow[AllSeries]++
		if other := op.service.operations.get([]byte(Other)); other != nil {
			if number := other.calls[callTag(kind, status)].Load(); number != 0 {
				return number
			}
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if crowded {
		op = s.otherOperation(op.service, kind, status)
	}
	of := &op.calls[callTag(kind, status)]
	if number := of.Load(); number != 0 {
		return number
	}
	calls := t.makeCalls(kind, status)
	s.define(appendCallDefinition(nil, calls.number, kind, status, op.service.label, op.label))
	t.addCalls(op, calls)
	of.Store(calls.number)
	return calls.number
}

// otherOperation returns the operation of Other, which it makes if missing.
func (s *stripe) otherOperation(svc *service, kind, status uint8) *operation {
	if other := svc.operations.get([]byte(Other)); other != nil {
		return other
	}
	return s.bornWith(svc, slot{Other, true}, kind, status)
}

// versionOf returns the value that a version is counted under, which it makes if missing.
func (s *stripe) versionOf(svc *service, text []byte) (v *value, overflow bool) {
	if v := svc.versions.get(text); v != nil {
		return v, v.label == Other
	}
	if v, overflow := svc.versions.beyond(text, false); v != nil {
		return v, overflow
	}
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	return svc.version(text)
}

// newTally makes the tally of a version, with a series of bad events for the default reason, so that the ratio of bad to total
// is defined, and 0, before anything fails. At the limit of series it returns the tally of Other: of the other version, and of
// the other operation unless an objective names the span's.
func (s *stripe) newTally(op *operation, t *tally, version *value, e *event, overflow *[NumLabels]int64) *versionTally {
	crowded := s.crowded.Load()
	if crowded {
		overflow[AllSeries]++
		if v := op.others(t, version); v != nil {
			return v
		}
	}
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	if crowded {
		if !op.exempt {
			other := s.otherOperation(op.service, e.span.Kind, e.span.Status)
			if of := other.tallyOf(t.indicator); of != nil {
				op, t = other, of
			}
		}
		version, _ = op.service.version([]byte(Other))
	}
	if v := t.of(version); v != nil {
		return v
	}
	v := s.makeTally(op, t, version)
	s.addEvents(&v.total)
	s.addEvents(v.bad.Load())
	for series := range v.all {
		s.define(appendEventDefinition(nil, series))
	}
	t.publish(v)
	return v
}

// others returns the tally of Other that a version is counted under at the limit of series, nil if it does not exist yet.
func (o *operation) others(t *tally, version *value) *versionTally {
	if !o.exempt {
		other := o.service.operations.get([]byte(Other))
		if other == nil {
			return nil
		}
		if t = other.tallyOf(t.indicator); t == nil {
			return nil
		}
		if v := t.of(version); v != nil {
			return v
		}
	}
	if version = o.service.versions.get([]byte(Other)); version == nil {
		return nil
	}
	return t.of(version)
}

// tallyOf returns the operation's tally for an indicator, nil if the indicator does not select it.
func (o *operation) tallyOf(in *indicator) *tally {
	for i := range o.tallies {
		if o.tallies[i].indicator == in {
			return &o.tallies[i]
		}
	}
	return nil
}

// all yields the series of total events, then those of bad events, in the order of their birth.
func (v *versionTally) all(yield func(*EventSeries) bool) {
	if !yield(&v.total) {
		return
	}
	for s := v.bad.Load(); s != nil && yield(s); s = s.next.Load() {
	}
}

// makeTally makes a tally that spans cannot find yet, and whose series have no numbers yet.
func (t *tree) makeTally(op *operation, parent *tally, version *value) *versionTally {
	v := &versionTally{tally: parent, operation: op, version: version}
	v.total.tally, v.total.events = v, true
	version.series++
	op.series++
	t.events = append(t.events, &v.total)
	t.weigh()
	reason, _ := op.service.reason([]byte(parent.indicator.defaultReason()))
	v.bad.Store(t.makeBad(v, reason))
	return v
}

// makeBad makes a series of bad events that spans cannot find yet.
func (t *tree) makeBad(v *versionTally, reason *value) *EventSeries {
	s := &EventSeries{tally: v, reason: reason}
	s.events = true
	reason.series++
	t.events = append(t.events, s)
	t.weigh()
	return s
}

// publish makes a version findable, at the end of the list.
func (t *tally) publish(v *versionTally) {
	link := &t.versions
	for link.Load() != nil {
		link = &link.Load().next
	}
	link.Store(v)
	if t.latest.Load() == nil && v.total.number != 0 {
		t.showLatest(v)
	}
}

// showLatest makes a version the one that spans find without walking the list.
func (t *tally) showLatest(v *versionTally) {
	t.total, t.bad = v.total.number, v.bad.Load().number
	t.latest.Store(v.version)
}

// publish makes a reason findable, at the end of the list.
func (v *versionTally) publish(s *EventSeries) {
	link := &v.bad
	for link.Load() != nil {
		link = &link.Load().next
	}
	link.Store(s)
}

// badSeries returns the series that a failed span's bad event counts in.
func (s *stripe) badSeries(v *versionTally, e *event, cause judge.Cause, overflow *[NumLabels]int64) *EventSeries {
	svc := v.operation.service
	reason := e.reasons[cause]
	if reason == nil {
		text := s.reasonText(cause)
		over := false
		if reason = svc.reasons.get(text); reason != nil {
			over = reason.label == Other
		} else if reason, over = svc.reasons.beyond(text, isUsual(text)); reason == nil {
			s.tree.mu.Lock()
			reason, over = svc.reason(text)
			s.tree.mu.Unlock()
		}
		if over {
			overflow[s.cause(Reason)]++
		}
		e.reasons[cause] = reason
	}
	if bad := v.because(reason); bad != nil {
		return bad
	}
	if s.crowded.Load() {
		overflow[AllSeries]++
		return v.bad.Load() // the usual reason, which every tally has
	}
	s.tree.mu.Lock()
	defer s.tree.mu.Unlock()
	if bad := v.because(reason); bad != nil {
		return bad
	}
	bad := s.makeBad(v, reason)
	s.addEvents(bad)
	s.define(appendEventDefinition(nil, bad))
	v.publish(bad)
	return bad
}

// removeCalls removes an expired series of calls from the tree.
func (t *tree) removeCalls(s *CallSeries) {
	op := s.operation
	of := callTag(s.kind, s.status)
	op.calls[of].Store(0)
	if c := t.operations.Find(lookup.KeyOf([]byte(op.label), op.service.operations.seed)); c != nil && c.Number == s.number {
		c.Number = 0
	}
	t.call.remove(s.number)
	t.leave(op)
}

// removeEvents removes an expired series of events from the tree.
func (t *tree) removeEvents(s *EventSeries) {
	v := s.tally
	op := v.operation
	svc := op.service
	t.event.remove(s.number)
	s.removeAges(t, func(*AgeSeries) bool { return true })
	if s.reason != nil {
		releaseValue(&svc.reasons, s.reason)
		for link := &v.bad; link.Load() != nil; link = &link.Load().next {
			if first := s == v.bad.Load(); !first && link.Load() == s {
				link.Store(s.next.Load())
				return
			}
		}
		return // the usual reason stays with its total
	}
	releaseValue(&svc.versions, v.version)
	if v.tally.latest.Load() == v.version {
		v.tally.latest.Store(nil)
	}
	for link := &v.tally.versions; link.Load() != nil; link = &link.Load().next {
		if link.Load() == v {
			link.Store(v.next.Load())
			break
		}
	}
	t.leave(op)
}

// releaseValue drops a series' reference to a value, and removes the value with the last.
func releaseValue(n *names[value], v *value) {
	if v.series--; v.series == 0 {
		n.remove(v.slot)
	}
}

// leave drops a series' reference to an operation, and removes the operation with the last, and its service with its last
// operation.
func (t *tree) leave(op *operation) {
	if op.series--; op.series > 0 {
		return
	}
	svc := op.service
	svc.operations.remove(op.slot)
	if svc.operations.len == 0 {
		t.services.remove(svc.slot)
	}
}
