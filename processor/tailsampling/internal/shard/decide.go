package shard

import (
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
)

// decide decides a pending trace, which is then kept, revivable or gone.
func (t *traces) decide(n slot, trigger decision.Trigger, now clock.Monotonic) {
	v := t.judge.ask(n, now)
	if v.Verdict == policy.NotSampled {
		switch {
		case t.marks.Has(n):
			v.Decision = forObjective
		case t.links.wanted(t.index.At(n)):
			v.Decision = forLink
		}
	}
	t.settle(n, v, trigger, now)
}

// settle applies a decision to a pending trace.
func (t *traces) settle(n slot, v verdict, trigger decision.Trigger, now clock.Monotonic) {
	e := t.index.At(n)
	t.queues.end(&t.index, n, e.state == stateRooted && t.shared.Waits.Root != 0)
	t.tally.Stats.Pending--
	t.tally.Stats.PendingBytes -= int64(e.bytes)
	t.shared.Pending.Add(-1)
	t.conclude(n, v, trigger, now)
}

// conclude applies a decision to a trace that is in no list any more, whatever its state was.
func (t *traces) conclude(n slot, v verdict, trigger decision.Trigger, now clock.Monotonic) {
	e := t.index.At(n)
	version := t.versions.Of(e.generation)
	number, exception := t.links.exception(v.Decision)
	if !exception {
		number = version.NumberOf(v.Decision)
	}
	e.to, e.threshold, e.policy = t.log.Position(), v.Threshold, number
	t.marks.Remove(n)
	if v.Weightless {
		e.threshold = tracestate.None
	}
	e.decidedAt, e.revived = now, trigger == decision.ByRevival
	e.Failed = version.Set.Errors(t.versions.Bits(e.generation, n))
	t.publish(n, &decision.Decided{
		ID: e.ID, Hash: e.Hash, Part: e.part(), Verdict: v.Verdict, Policy: e.policy, Threshold: e.threshold, Random: e.random,
		Trigger: trigger, Linked: v.Policy == forLink.Policy, Marked: v.Policy == forObjective.Policy, Version: version, Votes: v.votes, Shadow: v.shadow, At: now,
		Seen: decision.Seen{
			Spans: e.spans, Bytes: e.bytes, Root: e.state == stateRooted, Error: e.Failed,
			Duration: e.span.duration(), First: e.arrived, Trimmed: e.trimmed,
		},
	})
	if !e.vouched && !e.revived {
		t.tally.IDs.Observe(&e.ID)
	}
	if v.Verdict == policy.NotSampled && t.makeRoomToRevive(trigger, now) {
		t.keepRevivable(n, now)
		return
	}
	t.index.Unfile(n)
	t.versions.End(e.generation, n)
	t.remember(e, v.Verdict, now)
	if v.Verdict == policy.Sampled {
		t.enqueue(n, t.outbox.AllDestinations(), now)
	} else {
		t.free(n, now)
	}
}

// publish passes a decision on to all that follow it up, in this order.
func (t *traces) publish(n slot, d *decision.Decided) {
	t.notes.decided(d)
	t.records.Put(d, t.shared.UnixMilli(d.At))
	t.tally.Stats.Decided(d)
	t.tally.Shadow.Compare(d, t.shared.UnixMilli(d.At))
	t.links.decided(n, d)
}

// remember stores a decision for late spans.
func (t *traces) remember(e *entry, v policy.Verdict, at clock.Monotonic) {
	t.memory.Remember(e.Hash, decision.Remembered{ID: e.ID, Policy: e.policy, At: t.shared.seconds(at)}, v,
		decision.Weight{Threshold: e.threshold, Random: e.random})
}

// enqueue appends a sampled entry, which is in no list, to the outbox. If it waits for no destination, it is removed.
func (t *traces) enqueue(n slot, waits Mask, now clock.Monotonic) {
	e := t.index.At(n)
	e.state = stateKept
	t.tally.Stats.Undelivered++
	t.tally.Stats.UndeliveredBytes += int64(e.bytes)
	if waits == 0 {
		t.removeDelivered(n, now)
		return
	}
	t.outbox.Add(&t.index, n, waits)
}

// enqueueLate appends a late part to the outbox.
func (t *traces) enqueueLate(n slot, now clock.Monotonic) {
	t.queues.gathering.Remove(&t.index, n)
	t.index.Unfile(n)
	e := t.index.At(n)
	waits := t.shared.destinationsAt(e.decidedAt)
	e.to, e.decidedAt = t.log.Position(), now
	t.enqueue(n, waits, now)
	if waits != 0 && waits != t.outbox.AllDestinations() {
		t.notes.kept(e, now) // otherwise the first event about it would be for all destinations
	}
}

// free frees an entry, which is in no list and not filed, and releases its spans.
func (t *traces) free(n slot, now clock.Monotonic) {
	e := t.index.At(n)
	t.tally.Stats.Spans -= int64(e.spans)
	t.log.Release(&e.chain)
	if !e.late {
		t.tally.Ages.AddRemoved(now.Sub(e.arrived))
	}
	e.state = stateGone
	t.index.Free(n)
}
