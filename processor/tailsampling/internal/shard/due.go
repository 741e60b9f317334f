package shard

import (
	"time"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/hold"
)

// Due decides, delivers and evicts what is due, as much as one hold allows. It returns the delay of the most
// overdue entry (negative if none was due), whether more is due, and when the next entry will be, Never if there is
// none.
func (s *Shard) Due(now clock.Monotonic) (overdue time.Duration, more bool, next clock.Monotonic) {
	overdue = -1
	defer func() { s.planned = next }()
	held := hold.Begin(s.shared.Epoch.Clock())
	for over := false; !over; {
		n, at, trigger := s.queues.first(&s.index, &s.shared.Waits)
		if n == 0 || at > now {
			return overdue, false, at
		}
		if s.index.At(n).state != stateRevivable {
			overdue = max(overdue, now.Sub(at))
		}
		before := s.tally.Stats.RevivableBytes
		s.expire(n, trigger, now)
		over = held.Done(max(0, before-s.tally.Stats.RevivableBytes))
	}
	return overdue, true, now
}

// expire applies what is due for an entry.
func (t *traces) expire(n slot, trigger decision.Trigger, now clock.Monotonic) {
	switch t.index.At(n).state {
	case stateGathering:
		t.enqueueLate(n, now)
	case stateRevivable:
		t.evict(n, now)
	default:
		t.decide(n, trigger, now)
	}
}

// Next returns when the next entry will be due, Never if there is none.
func (s *Shard) Next() clock.Monotonic {
	_, at, _ := s.queues.first(&s.index, &s.shared.Waits)
	return at
}

// DecideAll decides all pending traces, for the shutdown; with drop they are not sampled, whatever the
// policies say.
func (s *Shard) DecideAll(drop bool, now clock.Monotonic) {
	for h := s.queues.waiting.Head(); h != 0; h = s.queues.waiting.Head() {
		if drop {
			s.settle(h, verdict{Decision: policy.Decision{Policy: policy.None}}, decision.ByShutdown, now)
		} else {
			s.decide(h, decision.ByShutdown, now)
		}
	}
}

// FinishAll evicts all traces that were not sampled and queues all late parts for delivery, for the shutdown.
func (s *Shard) FinishAll(now clock.Monotonic) {
	for !s.queues.revivable.Empty() {
		s.evict(s.queues.revivable.Head(), now)
	}
	for !s.queues.gathering.Empty() {
		s.enqueueLate(s.queues.gathering.Head(), now)
	}
}

// DecideEarly decides the oldest pending trace of at most this rank before its time. It returns the bytes that this
// frees, those of the entry included unless the trace is kept; 0 if there is none.
//
// The cursor does not go back: a trace whose rank falls after the cursor has passed it is decided later, at a higher
// rank.
func (s *Shard) DecideEarly(maxRank Rank, trigger decision.Trigger, now clock.Monotonic) int64 {
	for n := s.queues.cursors[maxRank]; n != 0; n = s.queues.waiting.Next(&s.index, n) {
		if maxRank == Failed || s.judge.rankOf(n, now) <= maxRank {
			s.queues.cursors[maxRank] = n // settle advances it
			before, entries := s.tally.Stats.PendingBytes, s.index.Len()
			s.decide(n, trigger, now)
			freed := s.shared.Pool.OnHeap((entries - s.index.Len()) * entrySize)
			return max(1, before-s.tally.Stats.PendingBytes+freed)
		}
	}
	s.queues.cursors[maxRank] = 0
	return 0
}

// DecideOverCount decides traces early while there are more than num_traces. Another shard decides its own excess at its
// next visit.
func (s *Shard) DecideOverCount(now clock.Monotonic) {
	for maxRank := range Ranks {
		for s.shared.MaxPending > 0 && s.shared.Pending.Load() > s.shared.MaxPending {
			if s.DecideEarly(maxRank, decision.ByCount, now) == 0 {
				break
			}
		}
	}
}
