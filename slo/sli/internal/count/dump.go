package count

import (
	"encoding/binary"
	"slices"
)

// dumpAtOnce is how many series are encoded while the tree's lock is held.
const dumpAtOnce = 512

// dump writes a definition and a count for every series. The caller holds the gate, so counts do not change meanwhile and no
// series is removed; some may be born.
func (t *tree) dump(write func(record []byte) error) error {
	if err := dumpSeries(t, func() []*CallSeries { return t.calls }, appendCallDump, write); err != nil {
		return err
	}
	return dumpSeries(t, func() []*EventSeries { return t.events }, appendEventDump, write)
}

func dumpSeries[T any](t *tree, all func() []*T, appendTo func(b []byte, s *T) (record []byte, definition int), write func([]byte) error) error {
	var b []byte
	var ends []int
	for from := 0; ; from += dumpAtOnce {
		b, ends = b[:0], ends[:0]
		t.mu.Lock()
		series := all()
		part := series[min(from, len(series)):min(from+dumpAtOnce, len(series))]
		for _, s := range part {
			var definition int
			b, definition = appendTo(b, s)
			ends = append(ends, definition, len(b))
		}
		t.mu.Unlock()
		if len(part) == 0 {
			return nil
		}
		begin := 0
		for _, end := range ends {
			if err := write(b[begin:end]); err != nil {
				return err
			}
			begin = end
		}
	}
}

func appendCallDump(b []byte, s *CallSeries) (record []byte, definition int) {
	b = appendCallDefinition(b, s.number, s.kind, s.status, s.operation.service.label, s.operation.label)
	definition = len(b)
	h := s.durations()
	b = appendSeries(append(b, recordCallsN), &s.Series, h.weight())
	b = binary.AppendVarint(b, int64(h.Offset))
	b = binary.AppendVarint(b, int64(h.coarser))
	for _, n := range [...]uint64{h.Zero, h.Count, h.sumHigh, h.sumLow, uint64(h.carry), uint64(len(h.Buckets))} {
		b = binary.AppendUvarint(b, n)
	}
	for _, n := range h.Buckets {
		b = binary.AppendUvarint(b, n)
	}
	return b, definition
}

func appendEventDump(b []byte, s *EventSeries) (record []byte, definition int) {
	b = appendEventDefinition(b, s)
	definition = len(b)
	b = binary.AppendUvarint(append(b, recordEventsN), uint64(s.number))
	cells := 0
	for range s.at.all {
		cells++
	}
	b = binary.AppendUvarint(b, uint64(cells))
	for c := range s.at.all {
		b = appendWeight(binary.AppendVarint(b, int64(c.minute)), c.n)
	}
	for a := range s.ages {
		b = appendWeight(appendMark(append(b, a.age), &a.Series), a.n)
	}
	return b, definition
}

func appendSeries(b []byte, s *Series, n Weight) []byte {
	b = binary.AppendUvarint(b, uint64(s.number))
	return appendWeight(appendMark(b, s), n)
}

func appendMark(b []byte, s *Series) []byte {
	return append(binary.AppendVarint(b, s.Born), boolByte(s.ZeroEmitted))
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.failed, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// Restored is what Restore finds beside series.
type Restored struct {
	// Name is the name of the counts, empty without any.
	Name string
	// Flushed is the time of the last flush, in Unix ms.
	Flushed int64
	// LostAt is when former counts last could not be recovered, in Unix ms, and Lost why.
	LostAt int64
	Lost   string
	// Request is called for each request that was counted, with the time, in Unix ms.
	Request func(id RequestID, at int64)
}

// Restore applies a record that SwitchLog or a log wrote; call it in their order. It ignores counts of objectives that no longer
// exist. An error means that the record is not one of this package.
func (c *Counter) Restore(record []byte, found *Restored) error {
	if len(record) == 0 {
		return errRecord
	}
	r := &reader{b: record[1:]}
	t := c.tree
	switch record[0] {
	case recordSpans:
		return t.restoreSpans(record, found)
	case recordCalls:
		number, kind, status := r.number(), r.byte(), r.byte()
		service, operation := r.text(), r.text()
		if !r.failed {
			t.restoreCalls(number, kindOf(int32(kind)), statusOf(int32(status)), service, operation)
		}
	case recordEvents:
		t.restoreEvents(r)
	case recordMarks:
		for r.more() {
			kind, number, age := r.series()
			born, told := r.varint(), r.byte() == 1
			if s := t.seriesAt(kind, number, age); s != nil && !r.failed {
				s.Born, s.ZeroEmitted = born, told
			}
		}
	case recordExpired:
		for r.more() {
			kind, number, age := r.series()
			if !r.failed {
				t.forget(kind, number, age)
			}
		}
	case recordFlush:
		found.Flushed = max(found.Flushed, r.varint())
	case recordCallsN:
		t.restoreCallCount(r)
	case recordEventsN:
		r.restoreEvents(t)
	case recordAged:
		r.restoreAged(t)
	case recordRequest:
		at, id := int64(r.uint64()), RequestID{r.uint64(), r.uint64()}
		if !r.failed {
			found.Request(id, at)
		}
	case recordLoss:
		if at, why := r.varint(), r.text(); !r.failed {
			found.LostAt, found.Lost = at, why
		}
	case recordName:
		if name := r.text(); !r.failed {
			found.Name = name
		}
	default:
		return errRecord
	}
	return r.err()
}

func (t *tree) restoreSpans(record []byte, found *Restored) error {
	if len(record) < spansHead || int(binary.LittleEndian.Uint32(record[4:])) != len(record) || !isEntries(record[spansHead:]) {
		return errRecord
	}
	r := &reader{b: record[8:spansHead]}
	at, id := int64(r.uint64()), RequestID{r.uint64(), r.uint64()}
	if !id.IsZero() {
		found.Request(id, at)
	}
	t.apply(record[spansHead:], recordMinute(record), false)
	return nil
}

// isEntries reports whether the bytes are whole entries of a record of spans.
func isEntries(b []byte) bool {
	for len(b) > 0 {
		if len(b) < 4 {
			return false
		}
		word := binary.LittleEndian.Uint32(b)
		length := 4
		if word&entryEvent == 0 {
			length += 8
		}
		switch {
		case word&entryEvent != 0 && word&entryAge != 0:
			if word&entryNumber > ageLate {
				return false
			}
		case word&entryWeighted != 0:
			length += 12
		}
		if length > len(b) {
			return false
		}
		b = b[length:]
	}
	return true
}

// The kinds of series in records of marks and of expiry.
const (
	kindCalls  = 0
	kindEvents = 1 // of age 0; of all ages where they expired
	kindAge    = 2 // of another age, which is the next byte
)

func appendSeriesOf(b []byte, s *Series) []byte {
	switch {
	case !s.events:
		return binary.AppendUvarint(append(b, kindCalls), uint64(s.number))
	case s.age == 0:
		return binary.AppendUvarint(append(b, kindEvents), uint64(s.number))
	default:
		return append(binary.AppendUvarint(append(b, kindAge), uint64(s.number)), s.age)
	}
}

// series reads what appendSeriesOf wrote.
func (r *reader) series() (kind byte, number uint32, age uint8) {
	kind, number = r.byte(), r.number()
	if kind == kindAge {
		age = r.age()
	}
	r.failed = r.failed || kind > kindAge
	return kind, number, age
}

func (r *reader) age() uint8 {
	age := r.byte()
	r.failed = r.failed || age >= numAges
	return age
}

func (t *tree) seriesAt(kind byte, number uint32, age uint8) *Series {
	if kind != kindCalls {
		if e := t.event.find(number, (*eventNumber).isFree); e != nil {
			if a := e.series.find(age); a != nil {
				return &a.Series
			}
			if age < numAges {
				return &e.series.makeAge(t, age).Series
			}
		}
		return nil
	}
	if s := t.call.find(number, (*CallSeries).isFree); s != nil {
		return &s.Series
	}
	return nil
}

// forget removes a series that had expired.
func (t *tree) forget(kind byte, number uint32, age uint8) {
	if kind != kindCalls {
		if e := t.event.find(number, (*eventNumber).isFree); e != nil {
			s := e.series
			if kind == kindAge {
				s.removeAges(t, func(a *AgeSeries) bool { return a.age == age })
				return
			}
			t.removeEvents(s)
			t.events = slices.DeleteFunc(t.events, func(o *EventSeries) bool { return o == s })
		}
		return
	}
	if s := t.call.find(number, (*CallSeries).isFree); s != nil {
		t.removeCalls(s)
		t.calls = slices.DeleteFunc(t.calls, func(o *CallSeries) bool { return o == s })
	}
}

func (t *tree) restoreService(name string) *service {
	if svc := t.services.get([]byte(name)); svc != nil {
		return svc
	}
	_, exempt := t.named[name]
	return t.newService(slot{name, exempt || name == Other})
}

func (t *tree) restoreOperation(svc *service, name string, number, tag uint32) *operation {
	if op := svc.operations.get([]byte(name)); op != nil {
		return op
	}
	_, exempt := svc.named[name]
	return svc.newOperation(slot{name, exempt || name == Other}, number, tag)
}

func (t *tree) restoreCalls(number uint32, kind, status uint8, service, operation string) {
	of := callTag(kind, status)
	op := t.restoreOperation(t.restoreService(service), operation, number, of)
	if old := op.calls[of].Load(); old != 0 && t.call.find(old, (*CallSeries).isFree) != nil {
		return // defined twice: by a log, and by a snapshot that was written meanwhile
	}
	s := t.call.claim(number)
	s.kind, s.status, s.number = kind, status, number
	op.calls[of].Store(number)
	t.addCalls(op, s)
}

// restoreEvents applies the definition of a series of events.
func (t *tree) restoreEvents(r *reader) {
	number, bad := r.number(), r.byte() == 1
	objective, service, operation, version, reason := r.text(), r.text(), r.text(), r.text(), r.text()
	if r.failed {
		return
	}
	op := t.restoreOperation(t.restoreService(service), operation, 0, 0)
	var of *tally
	for i := range op.tallies {
		if op.tallies[i].indicator.objective == objective {
			of = &op.tallies[i]
		}
	}
	if of == nil {
		return // the objective is gone, or does not count this any more
	}
	value := restoreValue(&op.service.versions, version)
	v := of.of(value)
	if v == nil {
		v = t.makeTally(op, of, value)
		of.publish(v)
	}
	s := &v.total
	if bad {
		because := restoreValue(&op.service.reasons, reason)
		if s = v.because(because); s == nil {
			s = t.makeBad(v, because)
			v.publish(s)
		}
	}
	if s.number == 0 {
		s.at, s.number = t.event.claim(number), number
		s.at.series = s
		of.showRestored(v)
	}
}

// showRestored makes the first restored version the latest, and updates it when more of it is restored.
func (t *tally) showRestored(v *versionTally) {
	if latest := t.latest.Load(); v.total.number != 0 && (latest == nil || latest == v.version) {
		t.showLatest(v)
	}
}

func restoreValue(n *names[value], text string) *value {
	if v := n.get([]byte(text)); v != nil {
		return v
	}
	v := &value{slot: slot{text, text == Other || isUsual([]byte(text))}}
	n.put(v.slot, v)
	return v
}

// restoreEvents applies the counts of a series of events in a snapshot.
func (r *reader) restoreEvents(t *tree) {
	e := t.event.find(r.number(), (*eventNumber).isFree)
	var found []minuteCount
	for n := r.uvarint(); n > 0 && r.more(); n-- {
		found = append(found, minuteCount{minute(r.varint()), r.weight()})
	}
	if e != nil && !r.failed {
		e.set(found)
	}
	for r.more() {
		age, born, told, n := r.age(), r.varint(), r.byte() == 1, r.weight()
		if e != nil && !r.failed {
			a := e.series.makeAge(t, age)
			a.Born, a.ZeroEmitted, a.n = born, told, n
		}
	}
}

func (t *tree) restoreCallCount(r *reader) {
	s := t.call.find(r.number(), (*CallSeries).isFree)
	born, told, n := r.varint(), r.byte() == 1, r.weight()
	h := Histogram{Offset: int32(r.varint()), coarser: int32(r.varint()), Zero: r.uvarint(), Count: r.uvarint(),
		sumHigh: r.uvarint(), sumLow: r.uvarint(), carry: uint32(r.uvarint())}
	buckets := r.uvarint()
	if buckets > maxBuckets || h.coarser < 0 || h.coarser > maxScale+10 || h.Offset < minOffset || h.Offset > maxOffset {
		r.failed = true
		return
	}
	for range buckets {
		h.Buckets = append(h.Buckets, r.uvarint())
	}
	if s != nil && !r.failed && h.weight() == n {
		s.Born, s.ZeroEmitted, s.duration = born, told, h
		s.fit()
	}
}

// Restored ends the restoring. It removes services and operations without series, whose objectives no longer exist.
func (c *Counter) Restored() {
	t := c.tree
	defer t.weigh()
	t.call.collect((*CallSeries).isFree)
	t.event.collect((*eventNumber).isFree)
	for _, s := range t.events {
		if s.at != nil {
			s.at.settle()
		}
		if s.number == 0 { // the process ended between the two definitions of a tally
			t.addEvents(s)
			s.tally.tally.showRestored(s.tally)
		}
	}
	t.operations.Sweep(func(op *operation) bool {
		if op.series > 0 {
			return false
		}
		op.service.operations.len--
		if !op.exempt {
			op.service.operations.free++
			op.service.operations.full.Store(op.service.operations.free <= 0)
		}
		return true
	})
	t.services.table.Sweep(func(svc *service) bool {
		if svc.operations.len > 0 {
			return false
		}
		t.services.len--
		if !svc.exempt {
			t.services.free++
			t.services.full.Store(t.services.free <= 0)
		}
		return true
	})
}
