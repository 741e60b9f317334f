package count

import "encoding/binary"

// fold adds records of spans to the counts of their series. The caller holds the gate.
func (c *Counter) fold(records []byte) {
	if len(records) == 0 {
		return
	}
	t := c.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(records) > 0 {
		length := binary.LittleEndian.Uint32(records[4:])
		t.apply(records[spansHead:length], true)
		records = records[length:]
	}
}

// entry is an entry of a record, and where it counts.
type entry struct {
	calls  *CallSeries // nil where it is an event
	event  *eventNumber
	nanos  uint64
	weight Weight
	index  int32 // of its duration's bucket, at the finest scale
}

// groupLength is how many entries are applied at once.
const groupLength = 64

// apply adds the entries of one record, which are as a stripe wrote them (own: all of their series are there) or as isEntries
// says. Like stripe.run, it looks at everything that a group of entries will change before it changes any.
func (t *tree) apply(entries []byte, own bool) {
	group := &t.group
	for len(entries) >= 4 {
		n := 0
		for n < groupLength && len(entries) >= 4 {
			entries = group[n].read(entries, t, own)
			if group[n].calls != nil || group[n].event != nil {
				n++
			}
		}
		for i := range group[:n] {
			if s := group[i].calls; s != nil {
				t.looked += s.duration.Count
			} else {
				t.looked += group[i].event.n.whole
			}
		}
		for i := range group[:n] {
			if e := &group[i]; e.calls != nil {
				t.looked += e.calls.duration.at(e.index)
			}
		}
		for i := range group[:n] {
			e := &group[i]
			if e.calls == nil {
				e.event.n.add(e.weight)
				continue
			}
			e.calls.duration.addAt(e.nanos, e.index, e.weight)
		}
	}
}

// read takes the first entry and returns the others. An entry of a series that is no more is neither of calls nor an event.
func (e *entry) read(b []byte, t *tree, own bool) []byte {
	word := binary.LittleEndian.Uint32(b)
	b = b[4:]
	number := word & entryNumber
	e.calls, e.event, e.weight = nil, nil, one
	switch isEvent := word&entryEvent != 0; {
	case isEvent && own:
		e.event = t.event.at(number)
	case isEvent:
		e.event = t.event.find(number, (*eventNumber).isFree)
	case own:
		e.calls = t.call.at(number)
	default:
		e.calls = t.call.find(number, (*CallSeries).isFree)
	}
	if word&entryEvent == 0 {
		e.nanos = binary.LittleEndian.Uint64(b)
		e.index = indexOf(e.nanos)
		b = b[8:]
	}
	if word&entryWeighted != 0 {
		e.weight = Weight{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint32(b[8:])}
		b = b[12:]
	}
	return b
}

// note remembers that a stripe's folded records are in no log, should that be so. The caller holds the stripe.
func (c *Counter) note(s *stripe) {
	if !s.refused {
		return
	}
	c.keptMu.Lock()
	c.unkept = max(c.unkept, s.turn)
	c.keptMu.Unlock()
}

// foldAll folds what waits in all stripes, one after the other. The caller holds the gate.
func (c *Counter) foldAll() {
	for i := range c.stripes {
		s := &c.stripes[i]
		s.mu.Lock()
		records := s.pending
		s.pending = c.spare[:0]
		c.note(s)
		s.mu.Unlock()
		c.fold(records)
		c.spare = records
	}
}

// lockAll holds all stripes: nobody counts, and nobody is on the way through the tree.
func (c *Counter) lockAll() {
	for i := range c.stripes {
		c.stripes[i].mu.Lock()
	}
}

func (c *Counter) unlockAll() {
	for i := range c.stripes {
		c.stripes[i].mu.Unlock()
	}
}

// Turn goes on with another log, nil for none. Records gets what was counted until then, after which the logs before are
// not needed any more; it is not called where there is no log. Nothing that is counted meanwhile is in it. Turn returns the
// turn of the log, for Kept, and what records returned.
func (c *Counter) Turn(log Log, records func(record []byte) error) (turn uint64, err error) {
	c.gate.Lock()
	defer c.gate.Unlock()
	c.lockAll()
	c.turn++
	waiting := make([][]byte, 0, len(c.stripes))
	for i := range c.stripes {
		s := &c.stripes[i]
		c.note(s)
		if len(s.pending) > 0 {
			waiting = append(waiting, s.pending)
			s.pending = nil
		}
		s.log, s.turn, s.refused = log, c.turn, false
	}
	c.unlockAll()
	for _, w := range waiting {
		c.fold(w)
	}
	if log == nil {
		return c.turn, nil
	}
	return c.turn, c.tree.dump(records)
}

// Kept notes that everything before the log of a turn is in a snapshot that survives.
func (c *Counter) Kept(turn uint64) {
	c.keptMu.Lock()
	defer c.keptMu.Unlock()
	c.kept = max(c.kept, turn)
}

// IsKept reports whether what the log of a turn refused is in a snapshot that survives.
func (c *Counter) IsKept(refused uint64) bool {
	c.keptMu.Lock()
	defer c.keptMu.Unlock()
	return c.kept > refused
}

// Unkept returns the newest turn whose log refused something that is in the counts, 0 where all of them would survive.
func (c *Counter) Unkept() uint64 {
	c.keptMu.Lock()
	defer c.keptMu.Unlock()
	if c.kept > c.unkept {
		return 0
	}
	return c.unkept
}

// Refused returns the newest turn whose log refused something that is counted and not kept yet, 0 if there is none.
func (c *Counter) Refused() uint64 {
	refused := c.Unkept()
	for i := range c.stripes {
		s := &c.stripes[i]
		s.mu.Lock()
		if s.refused {
			refused = max(refused, s.turn)
		}
		s.mu.Unlock()
	}
	return refused
}
