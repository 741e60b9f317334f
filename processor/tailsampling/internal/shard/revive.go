package shard

import (
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
)

// A trace that was not sampled can stay where it is for revive_window, so that what comes late may still change the
// decision: a span with an error, or a root that shows how long the trace took. Such a trace is revivable. It
// stays while such traces have no more than Limits.RevivableBytes, and the budget that spans wait in is used up to
// Shared.ReviveUpTo; beyond that the oldest are evicted. With files that is the budget of the disk alone: memory is relieved by
// leaving segments to the disk, and only evicts when that is not enough (see package budget).

// A trace that is decided early to save memory does not stay: its entry would take what the decision was to give back.

// makeRoomToRevive evicts the oldest revivable traces where there is too little room for another one. It reports whether a
// trace that was not sampled can stay.
func (t *traces) makeRoomToRevive(trigger decision.Trigger, now clock.Monotonic) bool {
	if trigger == decision.ByShutdown {
		return t.links.ties != nil // another shard may yet keep a trace that this one is linked with
	}
	if t.shared.Waits.Revive == 0 || trigger == decision.BySize || trigger == decision.ByMemory {
		return false
	}
	for t.overRevivable() {
		if t.queues.revivable.Empty() {
			return false
		}
		t.evict(t.queues.revivable.Head(), now)
	}
	return true
}

// overRevivable reports whether traces that were not sampled take more room than they may have.
func (t *traces) overRevivable() bool {
	if limit := t.shared.Limits.RevivableBytes; limit > 0 && t.tally.Stats.RevivableBytes > limit {
		return true
	}
	if t.shared.Mapped {
		return t.shared.Pool.OverDisk(0, t.shared.ReviveUpTo) > 0
	}
	return t.shared.Pool.Over(0, t.shared.ReviveUpTo) > 0
}

// keepRevivable keeps a trace that was not sampled.
func (t *traces) keepRevivable(n slot, now clock.Monotonic) {
	e := t.index.At(n)
	e.state, e.decidedAt = stateRevivable, now
	t.queues.revivable.PushBack(&t.index, n)
	t.tally.Stats.Revivable++
	t.tally.Stats.RevivableBytes += int64(e.bytes)
}

// unlistRevivable takes a trace out of the list of revivable ones.
func (t *traces) unlistRevivable(n slot) {
	t.queues.revivable.Remove(&t.index, n)
	t.tally.Stats.Revivable--
	t.tally.Stats.RevivableBytes -= int64(t.index.At(n).bytes)
}

// evict gives up the spans of a trace that was not sampled. The decision is remembered from now on.
func (t *traces) evict(n slot, now clock.Monotonic) {
	e := t.index.At(n)
	t.unlistRevivable(n)
	t.index.Unfile(n)
	t.versions.End(e.generation, n)
	// After a crash what came since is to be gone too, and what was copied forward: that may stay for longer than the
	// part of the journal that has the decision.
	if e.lateSpans > 0 || t.log.Newer(e.chain, e.to) {
		e.to = t.log.Position()
		t.notes.notSampled(e, now)
		t.tally.Stats.LateDropped += int64(e.lateSpans)
		t.tally.Stats.LateErrors += int64(e.lateErrors)
	}
	t.remember(e, policy.NotSampled, e.decidedAt)
	t.free(n, now)
}

// reconsider asks the policies once more about a trace that was not sampled and got spans since.
func (t *traces) reconsider(n slot, now clock.Monotonic) {
	if v := t.judge.askAgain(n, now); v.Verdict == policy.Sampled {
		t.revive(n, v, decision.ByRevival, now)
	} else if t.index.At(n).bytes >= 2*t.shared.TraceSize {
		t.evict(n, now)
	}
}

// revive carries out that a trace which was not sampled is sampled after all, with what came since.
func (t *traces) revive(n slot, v verdict, trigger decision.Trigger, now clock.Monotonic) {
	t.unlistRevivable(n)
	t.tally.Stats.LateKept += int64(t.index.At(n).lateSpans)
	t.conclude(n, v, trigger, now)
}

// EvictOldest gives up the trace that was not sampled first, and returns how many bytes it took, those of its entry
// included; 0 if there is none.
func (s *Shard) EvictOldest(now clock.Monotonic) int64 {
	if s.queues.revivable.Empty() {
		return 0
	}
	before := s.tally.Stats.RevivableBytes
	s.evict(s.queues.revivable.Head(), now)
	return before - s.tally.Stats.RevivableBytes + s.shared.Pool.OnHeap(entrySize)
}
