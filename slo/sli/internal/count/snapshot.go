package count

import (
	"slices"
)

// Series is the flush state of a time series. Only the flushing goroutine reads it, and writes Born and ZeroEmitted by Mark, so it
// needs no lock. Times are in Unix ms, the resolution of a Prometheus TSDB.
type Series struct {
	// Born is the time of the series' zero, and 0 before its first flush.
	Born int64
	// last is the count at the last flush, changed the time of the last flush that found a different one.
	last    Weight
	changed int64
	// number identifies the series in records, among those of events or of calls.
	number uint32
	events bool
	age    uint8 // of events
	// ZeroEmitted reports whether the metrics pipeline accepted the zero.
	ZeroEmitted bool
}

// Seen notes the count of a flush.
func (s *Series) Seen(n Weight, at int64) {
	if n != s.last || s.changed == 0 || s.changed > at { // later: by a clock that was set back since
		s.last, s.changed = n, at
	}
}

// idle reports whether the series did not change after the given time and was flushed since its last change.
func (s *Series) idle(n Weight, since int64) bool {
	return s.ZeroEmitted && n == s.last && s.changed <= since
}

// EventPoint is the count of an EventSeries' age at some time.
type EventPoint struct {
	Series *EventSeries
	Age    *AgeSeries
	N      Weight
}

// CallPoint is a CallSeries' content at some time. If it has expired, the content is left out.
type CallPoint struct {
	Series   *CallSeries
	N        Weight
	Duration Histogram
	Expired  bool
}

// Age gives the events that were counted since the last call the age that they have in samples of the time at, at one instant, so that
// no bad event is ahead of its total. Events of a later minute that is not after that of now wait for the next call; those of minutes
// after now are by a clock that was set back, and have age 0. Times are in Unix ms. The log gets the ages before anybody can read
// the counts; what it refuses is kept with the next snapshot.
func (c *Counter) Age(at, now int64) {
	c.gate.Lock()
	defer c.gate.Unlock()
	c.foldAll()
	t := c.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	sample, present := sampleMinute(at), minuteOf(now)
	record := appendAgedHead(nil, sample)
	head := len(record)
	keep := func() {
		if len(record) > head && !c.append(record) {
			c.keptMu.Lock()
			c.unkept = max(c.unkept, c.turn)
			c.keptMu.Unlock()
		}
		record = record[:head]
	}
	var kept []minuteCount
	for _, s := range t.events {
		if s.at.isEmpty() {
			continue
		}
		kept = kept[:0]
		for ended := range s.at.all {
			if ended.minute > sample && ended.minute <= present {
				kept = append(kept, ended)
				continue
			}
			a := s.aged(t, ended.minute.age(sample))
			a.n.add(ended.n)
			record = appendAged(record, a, sample, ended)
		}
		s.at.set(kept)
		if len(record) >= agedAtOnce {
			keep()
		}
	}
	keep()
}

// ReadEvents copies the counts of all objectives, as of the last Age. It skips expired series, and returns how many.
func (c *Counter) ReadEvents(dst []EventPoint, since int64) (points []EventPoint, expired int) {
	c.gate.Lock()
	defer c.gate.Unlock()
	c.foldAll()
	t := c.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	dst = slices.Grow(dst[:0], len(t.events)+t.older)
	for _, s := range t.events {
		if s.expired(since) {
			expired++
			continue
		}
		for a := range s.ages {
			if a.age != 0 && a.idle(a.n, since) {
				expired++
				continue
			}
			dst = append(dst, EventPoint{s, a, a.n})
		}
	}
	return dst, expired
}

// ReadCalls fills dst with the call series from the given position on, as of ReadEvents or later, and returns how many it read.
// Reading in parts keeps the lock short.
func (c *Counter) ReadCalls(dst []CallPoint, from int, since int64) int {
	t := c.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	if from >= len(t.calls) {
		return 0
	}
	part := t.calls[from:min(from+len(dst), len(t.calls))]
	for i, s := range part {
		h := s.durations()
		if s.idle(h.weight(), since) {
			dst[i].Expired = true
			continue
		}
		buckets := append(dst[i].Duration.Buckets[:0], h.Buckets...)
		dst[i] = CallPoint{Series: s, N: h.weight(), Duration: *h}
		dst[i].Duration.Buckets = buckets
	}
	return len(part)
}

// Expire removes the series that are idle since the given time, and services and operations without series. It comes after a
// flush that left them out: the new zero of one that returns is then later than its last value. No goroutine counts meanwhile.
func (c *Counter) Expire(since int64) (forgotten int) {
	c.gate.Lock()
	defer c.gate.Unlock()
	defer c.lockAll()()
	for i := range c.stripes {
		c.fold(c.stripes[i].pending)
		c.note(&c.stripes[i])
		c.stripes[i].pending = c.stripes[i].pending[:0]
	}
	t := c.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	record := []byte{recordExpired}
	calls := make(map[*CallSeries]bool)
	for _, s := range t.calls {
		if s.idle(s.durations().weight(), since) {
			calls[s] = true
			record = appendSeriesOf(record, &s.Series)
		}
	}
	events := make(map[*EventSeries]bool) // all of them before any is removed, as they depend on each other
	older := 0
	for _, s := range t.events {
		if s.expired(since) {
			events[s] = true
			record = appendSeriesOf(record, &s.Series)
			continue
		}
		for a := range s.ages {
			if a.age != 0 && a.idle(a.n, since) {
				older++
				record = appendSeriesOf(record, &a.Series)
			}
		}
	}
	// Numbers of removed series are reused, so no log may lack that record. If the log is full, they are removed after the next flush.
	if len(calls)+len(events)+older == 0 || !c.append(record) {
		return 0
	}
	t.calls = slices.DeleteFunc(t.calls, func(s *CallSeries) bool { return calls[s] })
	for s := range calls {
		t.removeCalls(s)
	}
	all := t.events
	t.events = slices.DeleteFunc(slices.Clone(all), func(s *EventSeries) bool { return events[s] })
	for _, s := range all {
		if events[s] {
			t.removeEvents(s)
		} else if older > 0 {
			s.removeAges(t, func(a *AgeSeries) bool { return a.idle(a.n, since) })
		}
	}
	t.weigh()
	return len(calls) + len(events) + older
}

// append appends a record to the log, and reports whether it is kept. The caller holds the gate, so the log is not switched.
func (c *Counter) append(record []byte) bool {
	log := c.stripes[0].log
	return log == nil || log.Append(record)
}

// Mark applies mark to the series, which records their birth or an accepted zero, and appends that to the log. It returns the
// turn of the log if that refused it, else 0.
func (c *Counter) Mark(series []*Series, mark func(*Series)) (refused uint64) {
	if len(series) == 0 {
		return 0
	}
	record := []byte{recordMarks}
	s := c.stripe()
	defer s.mu.Unlock()
	c.tree.mu.Lock()
	for _, marked := range series {
		mark(marked)
		record = appendMark(appendSeriesOf(record, marked), marked)
	}
	c.tree.mu.Unlock()
	s.define(record)
	if s.refused {
		return s.turn
	}
	return 0
}

// KeepFlush appends the time of a flush, in Unix ms, to the log.
func (c *Counter) KeepFlush(at int64) {
	s := c.stripe()
	defer s.mu.Unlock()
	s.define(AppendFlush(nil, at))
}

// expired reports whether the series can be removed. A total stays while any of its reasons does, and the default reason stays
// with its total: bad events come with a total, so the total was the last to change.
func (s *EventSeries) expired(since int64) bool {
	if s.reason == nil || s == s.tally.bad.Load() {
		for bad := s.tally.bad.Load(); bad != nil; bad = bad.next.Load() {
			if !bad.isIdle(since) {
				return false
			}
		}
		return s.tally.total.isIdle(since)
	}
	return s.isIdle(since)
}

// isIdle reports whether the series of all ages are idle, and no event waits for a sample.
func (s *EventSeries) isIdle(since int64) bool {
	for a := range s.ages {
		if !a.idle(a.n, since) {
			return false
		}
	}
	return s.at.isEmpty()
}
