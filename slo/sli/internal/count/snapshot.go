package count

import "slices"

// Series is what whoever flushes keeps of a time series. Only that goroutine reads and writes it, so it needs no lock.
// Times are in milliseconds since the Unix epoch, the resolution of a Prometheus TSDB.
type Series struct {
	// Born is the time of the series' zero, and 0 before its first flush. Told says that the zero was accepted.
	Born int64
	Told bool
	// last is the count at the last flush, changed the time of the last flush that found another one.
	last    Weight
	changed int64
}

// Seen notes the count of a flush.
func (s *Series) Seen(n Weight, at int64) {
	if n != s.last || s.changed == 0 {
		s.last, s.changed = n, at
	}
}

// idle says that the series did not change after the given time, and has told all it had to.
func (s *Series) idle(n Weight, since int64) bool {
	return s.Told && n == s.last && s.changed <= since
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

// ReadEvents copies the counts of all objectives, at one instant, so that no bad event is ahead of its total. It leaves
// out those that have expired, and returns how many.
func (c *Counter) ReadEvents(dst []EventPoint, since int64) (points []EventPoint, expired int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	dst = slices.Grow(dst[:0], len(c.events))
	for _, s := range c.events {
		if s.expired(since) {
			expired++
			continue
		}
		dst = append(dst, EventPoint{s, s.n})
	}
	return dst, expired
}

// ReadCalls fills dst with the call series from the given position on and returns how many it found. It is called for
// one part after the other, for the lock not to be held for all of them.
func (c *Counter) ReadCalls(dst []CallPoint, from int, since int64) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if from >= len(c.calls) {
		return 0
	}
	part := c.calls[from:min(from+len(dst), len(c.calls))]
	for i, s := range part {
		if s.idle(s.n, since) {
			dst[i].Expired = true
			continue
		}
		buckets := append(dst[i].Duration.Buckets[:0], s.duration.Buckets...)
		dst[i] = CallPoint{Series: s, N: s.n, Duration: s.duration}
		dst[i].Duration.Buckets = buckets
	}
	return len(part)
}

// Expire forgets the series that are idle since the given time, and what no longer has any below it. It comes after a
// flush that left them out: if one returns, its new zero is then later than its last value.
func (c *Counter) Expire(since int64) (forgotten int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := len(c.calls) + len(c.events)
	c.calls = slices.DeleteFunc(c.calls, func(s *CallSeries) bool {
		if !s.idle(s.n, since) {
			return false
		}
		s.operation.calls[s.kind][s.status] = nil
		c.leave(s.operation)
		return true
	})
	c.events = slices.DeleteFunc(c.events, func(s *EventSeries) bool {
		if !s.expired(since) {
			return false
		}
		c.remove(s)
		return true
	})
	return before - len(c.calls) - len(c.events)
}

// expired says whether the series can go. A total stays while any of its reasons does, and the usual reason stays with
// its total: bad events come with a total, so the total was the last to change.
func (s *EventSeries) expired(since int64) bool {
	if s.reason == nil || s == s.tally.bad[0] {
		for _, bad := range s.tally.bad {
			if !bad.idle(bad.n, since) {
				return false
			}
		}
		return s.tally.total.idle(s.tally.total.n, since)
	}
	return s.idle(s.n, since)
}

// remove takes an expired series out of the tree.
func (c *Counter) remove(s *EventSeries) {
	v := s.tally
	op := v.tally.operation
	svc := op.service
	if s.reason != nil {
		release(&svc.reasons, s.reason)
		if s != v.bad[0] {
			v.bad = slices.DeleteFunc(v.bad, func(b *EventSeries) bool { return b == s })
		}
		return
	}
	release(&svc.versions, v.version)
	v.tally.versions = slices.DeleteFunc(v.tally.versions, func(o *versionTally) bool { return o == v })
	c.leave(op)
}

// release lets go of a value for one series.
func release(n *names[value], v *value) {
	if v.series--; v.series == 0 {
		n.remove(v.slot)
	}
}

// leave takes one series from an operation, and the operation and its service away after the last.
func (c *Counter) leave(op *operation) {
	if op.series--; op.series > 0 {
		return
	}
	svc := op.service
	svc.operations.remove(op.slot)
	if len(svc.operations.entries) == 0 {
		c.services.remove(svc.slot)
	}
}
