package shard

import (
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
)

// A trace that was not sampled can stay for revive_window, so that late spans may still change the decision: a span with an
// error, or a root that shows how long the trace took. Such a trace is revivable. Revivable traces stay within
// Limits.RevivableBytes, and while the budget that spans wait in is used up to Shared.ReviveUpTo at most; over either the
// oldest are evicted. With files that budget is the disk's alone: segments leave memory first, and eviction follows only if
// that is not enough (see package budget).

// A trace that is decided early to save memory does not stay: its entry would take the memory that the decision was to
// free.

// makeRoomToRevive evicts the oldest revivable traces if there is too little room for another one. It reports whether a
// trace that was not sampled can stay.
func (t *traces) makeRoomToRevive(trigger decision.Trigger, now clock.Monotonic) bool {
	if trigger == decision.ByShutdown {
		return t.links.ties != nil // a linked trace, in another shard too, may still make it be kept
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

// overRevivable reports whether revivable traces exceed one of their limits.
func (t *traces) overRevivable() bool {
	if limit := t.shared.Limits.RevivableBytes; limit > 0 && t.tally.Stats.RevivableBytes > limit {
		return true
	}
	if t.shared.Mapped {
		return t.shared.Pool.OverDisk(0, t.shared.ReviveUpTo) > 0
	}
	return t.shared.Pool.Over(0, t.shared.ReviveUpTo) > 0
}

// keepRevivable makes a trace that was not sampled revivable.
func (t *traces) keepRevivable(n slot, now clock.Monotonic) {
	e := t.index.At(n)
	e.state, e.decidedAt = stateRevivable, now
	t.queues.revivable.PushBack(&t.index, n)
	t.tally.Stats.Revivable++
	t.tally.Stats.RevivableBytes += int64(e.bytes)
}

// unlistRevivable removes a trace from the revivable ones.
func (t *traces) unlistRevivable(n slot) {
	t.queues.revivable.Remove(&t.index, n)
	t.tally.Stats.Revivable--
	t.tally.Stats.RevivableBytes -= int64(t.index.At(n).bytes)
}

// evict releases the spans of a trace that was not sampled, and remembers the decision.
func (t *traces) evict(n slot, now clock.Monotonic) {
	e := t.index.At(n)
	t.unlistRevivable(n)
	t.index.Unfile(n)
	t.versions.End(e.generation, n)
	// After a crash the late spans must be gone too, and so must copies, which may outlive the part of the journal
	// with the decision.
	if e.lateSpans > 0 || t.log.Newer(e.chain, e.to) {
		e.to = t.log.Position()
		t.notes.notSampled(e, now)
		t.tally.Stats.LateDropped += int64(e.lateSpans)
		t.tally.Stats.LateErrors += int64(e.lateErrors)
	}
	t.remember(e, policy.NotSampled, e.decidedAt)
	t.free(n, now)
}

// reconsider asks the policies once more about a revivable trace that got late spans.
func (t *traces) reconsider(n slot, now clock.Monotonic) {
	if v := t.judge.askAgain(n, now); v.Verdict == policy.Sampled {
		t.revive(n, v, decision.ByRevival, now)
	} else if t.index.At(n).bytes >= 2*t.shared.TraceSize {
		t.evict(n, now)
	}
}

// revive makes a revivable trace sampled, late spans included.
func (t *traces) revive(n slot, v verdict, trigger decision.Trigger, now clock.Monotonic) {
	t.unlistRevivable(n)
	t.tally.Stats.LateKept += int64(t.index.At(n).lateSpans)
	t.conclude(n, v, trigger, now)
}

// EvictOldest evicts the trace that has been revivable longest. It returns the bytes that this frees, the entry
// included; 0 if there is none.
func (s *Shard) EvictOldest(now clock.Monotonic) int64 {
	if s.queues.revivable.Empty() {
		return 0
	}
	before := s.tally.Stats.RevivableBytes
	s.evict(s.queues.revivable.Head(), now)
	return before - s.tally.Stats.RevivableBytes + s.shared.Pool.OnHeap(entrySize)
}
