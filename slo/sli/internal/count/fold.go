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
		t.apply(records[spansHead:length], recordMinute(records), true)
		records = records[length:]
	}
}

// call is the entry of a call, and its series.
type call struct {
	series *CallSeries
	nanos  uint64
}

const (
	// groupLength is how many calls are applied at once.
	groupLength = 256
	// bucketsPerLine is how many buckets of a histogram a cache line holds.
	bucketsPerLine = 8
)

// apply adds the entries of one record to their series. With own they are as a stripe wrote them, so all of their series exist;
// else they passed isEntries. counted is the minute in which they were counted. Like stripe.run, it touches all memory that a group of calls will change before it changes any.
func (t *tree) apply(entries []byte, counted minute, own bool) {
	group, n := &t.group, 0
	ended := counted // of the span whose entries come next
	for len(entries) >= 4 {
		word := binary.LittleEndian.Uint32(entries)
		entries = entries[4:]
		number := word & entryNumber
		if word&entryEvent != 0 {
			if word&entryAge != 0 {
				ended = counted.before(word & ageMask)
				continue
			}
			if own && word&entryWeighted == 0 {
				t.event.at(number).addOne(ended)
				continue
			}
			w := weightOne
			if word&entryWeighted != 0 {
				w, entries = weightAt(entries), entries[weightLength:]
			}
			if own {
				t.event.at(number).add(ended, w)
			} else if e := t.event.find(number, (*eventNumber).isFree); e != nil {
				e.add(ended, w)
			}
			continue
		}
		ended = counted
		nanos := binary.LittleEndian.Uint64(entries)
		entries = entries[8:]
		var s *CallSeries
		if own {
			s = t.call.at(number)
		} else {
			s = t.call.find(number, (*CallSeries).isFree)
		}
		if word&entryWeighted != 0 {
			w := weightAt(entries)
			entries = entries[weightLength:]
			if s != nil {
				s.add(nanos, w)
			}
			continue
		}
		if s == nil {
			continue
		}
		t.looked += uint64(s.recent.n)
		group[n] = call{s, nanos}
		if n++; n == groupLength {
			t.applyCalls(group[:n])
			n = 0
		}
	}
	t.applyCalls(group[:n])
}

// applyCalls counts calls of weight one, and settles series whose recent calls are full. Of these too it touches all buckets
// before it changes any.
func (t *tree) applyCalls(calls []call) {
	full := 0
	for _, c := range calls {
		if !c.series.recent.add(c.nanos) {
			c.series.add(c.nanos, weightOne)
		} else if c.series.recent.isFull() {
			t.looked += uint64(c.series.duration.coarser)
			t.full[full] = c.series
			full++
		}
	}
	for _, s := range t.full[:full] {
		for i := 0; i < len(s.duration.Buckets); i += bucketsPerLine {
			t.looked += s.duration.Buckets[i]
		}
	}
	for _, s := range t.full[:full] {
		s.settle()
	}
}

// note records that the log refused a record of the stripe's folded counts, if it did. The caller holds the stripe.
func (c *Counter) note(s *stripe) {
	if !s.refused {
		return
	}
	c.keptMu.Lock()
	c.unkept = max(c.unkept, s.turn)
	c.keptMu.Unlock()
}

// foldAll folds the pending records of all stripes, one after the other. The caller holds the gate.
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

// lockAll locks all stripes: no goroutine counts, or walks the tree without its lock, until unlock is called.
func (c *Counter) lockAll() (unlock func()) {
	for i := range c.stripes {
		c.stripes[i].mu.Lock()
	}
	return func() {
		for i := range c.stripes {
			c.stripes[i].mu.Unlock()
		}
	}
}

// SwitchLog switches to another log, nil for none. With a log it writes all that was counted before to records, which supersedes
// former logs. Counts of the time since are in the new log only. SwitchLog returns the log's turn, for Kept, and the error of
// records.
func (c *Counter) SwitchLog(log Log, records func(record []byte) error) (turn uint64, err error) {
	c.gate.Lock()
	defer c.gate.Unlock()
	unlock := c.lockAll()
	c.turn++
	c.tree.owed.pay(log)
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
	unlock()
	for _, w := range waiting {
		c.fold(w)
	}
	if log == nil {
		return c.turn, nil
	}
	return c.turn, c.tree.dump(records)
}

// Kept notes that a surviving snapshot has everything before the log of a turn.
func (c *Counter) Kept(turn uint64) {
	c.keptMu.Lock()
	defer c.keptMu.Unlock()
	c.kept = max(c.kept, turn)
}

// IsKept reports whether a surviving snapshot has what the log of a turn refused.
func (c *Counter) IsKept(refused uint64) bool {
	c.keptMu.Lock()
	defer c.keptMu.Unlock()
	return c.kept > refused
}

// Unlogged returns the newest turn whose log refused a record that is in the counts, 0 if all counts would survive.
func (c *Counter) Unlogged() uint64 {
	c.keptMu.Lock()
	defer c.keptMu.Unlock()
	if c.kept > c.unkept {
		return 0
	}
	return c.unkept
}

// Refused returns the newest turn whose log refused a counted record that is not kept yet, 0 if there is none.
func (c *Counter) Refused() uint64 {
	refused := c.Unlogged()
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
