package count

import (
	"encoding/binary"
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

// EventPoint is an EventSeries' count at some time.
type EventPoint struct {
	Series *EventSeries
	N      Weight
}

// CallPoint is a CallSeries' content at some time. If it has expired, the content is left out.
type CallPoint struct {
	Series   *CallSeries
	N        Weight
	Duration Histogram
	Expired  bool
}

// ReadEvents copies the counts of all objectives at one instant, so that no bad event is ahead of its total. It skips expired
// series, and returns how many.
func (c *Counter) ReadEvents(dst []EventPoint, since int64) (points []EventPoint, expired int) {
	c.gate.Lock()
	defer c.gate.Unlock()
	c.foldAll()
	t := c.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	dst = slices.Grow(dst[:0], len(t.events))
	for _, s := range t.events {
		if s.expired(since) {
			expired++
			continue
		}
		dst = append(dst, EventPoint{s, s.at.n})
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
	c.lockAll()
	defer c.unlockAll()
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
			record = binary.AppendUvarint(append(record, 0), uint64(s.number))
		}
	}
	events := make(map[*EventSeries]bool) // all of them before any is removed, as they depend on each other
	for _, s := range t.events {
		if s.expired(since) {
			events[s] = true
			record = binary.AppendUvarint(append(record, 1), uint64(s.number))
		}
	}
	if len(calls)+len(events) == 0 || !c.keepExpired(record) {
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
		}
	}
	t.weigh()
	return len(calls) + len(events)
}

// keepExpired appends a record of removed series, and reports whether they may be removed: their numbers are reused, so no log
// may lack that record. If the log is full, they are removed after the next flush. The caller holds all stripes.
func (c *Counter) keepExpired(record []byte) bool {
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
		record = binary.AppendUvarint(append(record, boolByte(marked.events)), uint64(marked.number))
		record = appendMark(record, marked)
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
			if !bad.idle(bad.at.n, since) {
				return false
			}
		}
		return s.tally.total.idle(s.tally.total.at.n, since)
	}
	return s.idle(s.at.n, since)
}
