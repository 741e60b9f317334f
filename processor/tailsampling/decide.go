package tailsampling

import (
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
)

// trigger is what made a decision due.
type trigger uint8

const (
	byWait trigger = iota
	byRoot
	bySize
	byCount
	byMemory
	byShutdown
	byRevival // what came late made the policies sample what they had not sampled
	byLink    // a trace that is linked with this one is kept
	byIngest  // whatever spans may follow, the decision is certain
	triggers
)

// atOnce is how many traces are decided before others get a chance to have the shard.
const atOnce = 256

// trace is what the policies decide a pending trace from, valid until the next call.
func (s *shard) trace(n uint32, e *entry, now int64) *policy.Trace {
	g := s.rules.at(e)
	s.scratch = policy.Trace{
		ID: e.id, Bits: g.bits.at(n)[:g.rules.set.Words()], Start: e.start, End: e.end, Spans: int(e.spans), Bytes: int(e.bytes),
		Randomness: tracestate.Resolve(e.id, e.rv), Now: now,
	}
	if g.rules.skeleton && e.bytes < s.waits.size { // of a trace that is trimmed spans are missing
		s.skeleton.of = e
		s.scratch.Skeleton = s.skeleton.read
	}
	return &s.scratch
}

// decide decides a pending trace: it becomes ready, or is released.
func (s *shard) decide(n uint32, why trigger, now int64) {
	e := s.entries.At(n)
	g := s.rules.at(e)
	t := s.trace(n, e, now)
	s.votes = resize(s.votes, g.rules.set.Len())
	d := g.rules.set.Decide(t, s.votes)
	s.stats.voted(g.rules, s.votes, d.Verdict, t.Randomness, e)
	if g.rules.shadow != nil {
		s.compare(n, e, d, now)
	}
	if d.Verdict == policy.NotSampled && s.wants(e) {
		d = decisionForLink
	}
	s.settle(n, d, why, now)
	s.votes, s.compared = s.votes[:0], false
}

// compare decides a pending trace by the shadow, too, and counts what that would do.
func (s *shard) compare(n uint32, e *entry, d policy.Decision, now int64) {
	g := s.rules.at(e)
	s.scratch.Bits = g.bits.at(n)[g.rules.set.Words():]
	s.shadowed, s.compared = g.rules.shadow.Decide(&s.scratch, nil), true
	g.shadow.compare(d, s.shadowed, e, s.unixMilli(now))
}

// settle carries a decision about a pending trace out, and remembers it.
func (s *shard) settle(n uint32, d policy.Decision, why trigger, now int64) {
	e := s.entries.At(n)
	for r := range s.cursors {
		if s.cursors[r] == n {
			s.cursors[r] = s.waiting.next(&s.entries, n)
		}
	}
	s.waiting.remove(&s.entries, n)
	if e.state == rooted && s.waits.root != 0 {
		s.quiet.remove(&s.entries, n)
	}
	s.stats.pending--
	s.stats.pendingBytes -= int64(e.bytes)
	s.pending.Add(-1)
	s.conclude(n, e, d, why, now)
}

// conclude is the part of carrying out a decision that does not depend on what the trace was before: it becomes ready,
// stays in case that it can be revived, or is released.
func (s *shard) conclude(n uint32, e *entry, d policy.Decision, why trigger, now int64) {
	r := s.rules.at(e).rules
	e.policy, e.threshold, e.to = s.number(r, d), d.Threshold, s.log.Position()
	if d.Weightless {
		e.threshold = tracestate.None
	}
	s.tell(n, e, r, d, why, now)
	s.stats.decided(d.Verdict, why, e)
	s.note(spanlog.Decided, e, d.Verdict, why, now)
	if d.Verdict == policy.NotSampled && s.holds(why, now) {
		s.hold(n, e, now)
		return
	}
	s.index.Remove(e.hash, n)
	s.rules.end(e)
	mem := remembered{id: e.id, policy: e.policy, at: s.unix(now)}
	if d.Verdict != policy.Sampled {
		s.dropped.put(e.hash, mem, weight{})
		s.free(n, now)
		return
	}
	s.sampled.put(e.hash, mem, weight{threshold: e.threshold, rv: e.rv})
	if d.Policy == forLink {
		s.blame(e)
	} else if s.links != nil {
		s.spread(e)
	}
	e.state = ready
	s.queue(n, e)
}

// queue puts an entry on the list of those to be delivered.
func (s *shard) queue(n uint32, e *entry) {
	s.ready.pushBack(&s.entries, n)
	s.stats.undelivered++
	s.stats.undeliveredBytes += int64(e.bytes)
}

// queueLate sends a late part on its way.
func (s *shard) queueLate(n uint32) {
	e := s.entries.At(n)
	s.late.remove(&s.entries, n)
	s.index.Remove(e.hash, n)
	e.to = s.log.Position()
	s.queue(n, e)
}

// due carries out what is due, up to atOnce steps. It returns how overdue the most overdue was (negative if nothing was
// due), whether there is more, and when the next will be due, never if there is none.
func (s *shard) due(now int64) (overdue int64, more bool, next int64) {
	overdue = -1
	for range atOnce {
		n, at, why := s.first()
		if n == 0 {
			return overdue, false, never
		}
		if at > now {
			return overdue, false, at
		}
		if s.entries.At(n).state != revivable {
			overdue = max(overdue, now-at)
		}
		switch s.entries.At(n).state {
		case late:
			s.queueLate(n)
		case revivable:
			s.forget(n, now)
		default:
			s.decide(n, why, now)
		}
	}
	return overdue, true, now
}

// first returns what is due first, and when.
func (s *shard) first() (n uint32, at int64, why trigger) {
	at = never
	if h := s.waiting.head; h != 0 {
		n, at, why = h, s.entries.At(h).arrived+s.waits.decision, byWait
	}
	if h := s.quiet.head; h != 0 {
		if q := s.entries.At(h).touched + s.waits.root; q < at {
			n, at, why = h, q, byRoot
		}
	}
	if h := s.late.head; h != 0 {
		if l := s.entries.At(h).arrived + int64(lateWait); l < at {
			n, at = h, l
		}
	}
	if h := s.unsampled.head; h != 0 {
		if u := s.entries.At(h).touched + s.waits.revive; u < at {
			n, at = h, u
		}
	}
	return n, at, why
}

// never is a time that does not come.
const never = int64(1<<63 - 1)

// decideAll decides what is pending, for the shutdown.
func (s *shard) decideAll(drop bool, now int64) {
	for s.waiting.head != 0 {
		if n := s.waiting.head; drop {
			s.settle(n, policy.Decision{Policy: policy.None}, byShutdown, now)
		} else {
			s.decide(n, byShutdown, now)
		}
	}
}

// queueAllLate sends all late parts on their way.
func (s *shard) queueAllLate() {
	for s.late.head != 0 {
		s.queueLate(s.late.head)
	}
}
