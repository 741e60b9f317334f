package count

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

// remove takes an expired series of calls out of the tree.
func (t *tree) removeCalls(s *CallSeries) {
	op := s.operation
	of := tag(s.kind, s.status)
	op.calls[of].Store(0)
	if c := t.operations.find(keyOf([]byte(op.label), op.service.operations.seed)); c != nil && c.number == s.number {
		c.number = 0
	}
	t.call.remove(s.number)
	t.leave(op)
}

// removeEvents takes an expired series of events out of the tree.
func (t *tree) removeEvents(s *EventSeries) {
	v := s.tally
	op := v.tally.operation
	svc := op.service
	t.event.remove(s.number)
	if s.reason != nil {
		release(&svc.reasons, s.reason)
		for link := &v.bad; link.Load() != nil; link = &link.Load().next {
			if first := s == v.bad.Load(); !first && link.Load() == s {
				link.Store(s.next.Load())
				return
			}
		}
		return // the usual reason stays with its total
	}
	release(&svc.versions, v.version)
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

// release lets go of a value for one series.
func release(n *names[value], v *value) {
	if v.series--; v.series == 0 {
		n.remove(v.slot)
	}
}

// leave takes one series from an operation, and the operation and its service away after the last.
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
