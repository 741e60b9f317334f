package tailsampling

import (
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
)

// A trace that was not sampled can stay where it is for revive_window, so that what comes late may still change the
// decision: a span with an error, a root that says how long it all took. What is kept so is what there is room for.

// reviveShare is the share of the budgets up to which traces that were not sampled stay: below what makes segments be
// compressed or leave memory, and far below what makes others be decided early.
const reviveShare = 0.6

// holds reports whether a trace that was not sampled can stay. Where there is too little room older ones make some.
func (s *shard) holds(why trigger, now int64) bool {
	if why == byShutdown {
		return s.links != nil // another shard may yet keep a trace that this one is linked with
	}
	if s.waits.revive == 0 || why == bySize {
		return false
	}
	for s.pool.Over(0, reviveShare) > 0 {
		if s.unsampled.empty() {
			return false
		}
		s.forget(s.unsampled.head, now)
	}
	return true
}

// hold keeps a trace that was not sampled.
func (s *shard) hold(n uint32, e *entry, now int64) {
	e.state, e.touched = revivable, now
	s.unsampled.pushBack(&s.entries, n)
	s.stats.revivable++
	s.stats.revivableBytes += int64(e.bytes)
}

// let takes a trace out of those that were not sampled.
func (s *shard) let(n uint32, e *entry) {
	s.unsampled.remove(&s.entries, n)
	s.stats.revivable--
	s.stats.revivableBytes -= int64(e.bytes)
}

// forget lets go of the spans of a trace that was not sampled. The decision is remembered from now on.
func (s *shard) forget(n uint32, now int64) {
	e := s.entries.At(n)
	s.let(n, e)
	s.index.Remove(e.hash, n)
	s.rules.end(e)
	// After a crash what came since is to be gone too, and what was copied forward: that may stay for longer than the
	// part of the journal that has the decision.
	if e.held > 0 || s.journal != nil && s.log.Newer(e.chain, e.to) {
		e.to = s.log.Position()
		s.note(spanlog.Decided, e, policy.NotSampled, byWait, now)
		s.stats.lateDropped += int64(e.held)
	}
	s.dropped.put(e.hash, remembered{id: e.id, policy: e.policy, at: s.unix(e.touched)}, weight{})
	s.free(n, now)
}

// forgetOldest forgets one, and returns how many bytes of spans it had; 0 if there is none.
func (s *shard) forgetOldest(now int64) int64 {
	if s.unsampled.empty() {
		return 0
	}
	before := s.stats.revivableBytes
	s.forget(s.unsampled.head, now)
	return max(1, before-s.stats.revivableBytes)
}

// forgetAll is forget for all, for the shutdown.
func (s *shard) forgetAll(now int64) {
	for !s.unsampled.empty() {
		s.forget(s.unsampled.head, now)
	}
}

// addHeld adds what is to be counted of a span that came for a trace that was not sampled.
func (s *shard) addHeld(e *entry, bytes int, now int64) {
	e.held++
	s.stats.revivableBytes += int64(bytes)
	s.ages.addLate((now - e.touched) / 1e9)
}

// review decides what can be decided of the traces that got spans in this visit: not for each span, so that those of one
// request stay together.
func (s *shard) review(now int64) {
	for _, n := range s.touched {
		switch e := s.entries.At(n); e.state {
		case pending, rooted:
			if s.ingests && s.rules.at(e).rules.set.Settled(s.trace(n, e, now)) {
				s.decide(n, byIngest, now)
			}
		case revivable:
			set := s.rules.at(e).rules.set
			s.votes = resize(s.votes, set.Len())
			d := set.Revise(s.trace(n, e, now), s.votes)
			if d.Verdict == policy.Sampled {
				s.revive(n, d, byRevival, now)
			}
			if s.votes = s.votes[:0]; d.Verdict != policy.Sampled && e.bytes >= 2*s.waits.size {
				s.forget(n, now)
			}
		}
	}
	s.touched = s.touched[:0]
}

// touch makes review look at a trace.
func (s *shard) touch(n uint32) {
	if last := len(s.touched) - 1; last < 0 || s.touched[last] != n {
		s.touched = append(s.touched, n)
	}
}

// revive carries out that a trace which was not sampled is sampled after all, with what came since.
func (s *shard) revive(n uint32, d policy.Decision, why trigger, now int64) {
	e := s.entries.At(n)
	s.let(n, e)
	s.stats.lateKept += int64(e.held)
	s.conclude(n, e, d, why, now)
}
