package shard

import (
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
)

// eventOf is an event about an entry, to which its kind, verdict and trigger are still missing.
func (t *traces) eventOf(e *entry, at clock.Monotonic) spanlog.Event {
	return spanlog.Event{
		Late: e.part.Late, Policy: int(e.policy), TraceID: e.ID, From: e.part.From, To: e.part.To,
		At: uint32(t.seconds(at)), Threshold: e.threshold, Random: e.random,
	}
}

// put writes an event into the journal, and makes the journal shorter where it is long.
func (t *traces) put(ev spanlog.Event, at clock.Monotonic) {
	t.journal.Put(ev, t.unixMilli(at))
	if t.journal.Full() {
		t.journal.Trim(func(highest uint64) { t.repeat(highest, at) })
	}
}

// journalDecision writes a decision.
func (t *traces) journalDecision(d *decision.Decided) {
	t.put(spanlog.Event{
		Kind: spanlog.Decided, Verdict: uint8(d.Verdict), Trigger: uint8(d.Trigger), Late: d.Part.Late, Policy: int(d.Policy),
		TraceID: d.ID, From: d.Part.From, To: d.Part.To, At: uint32(t.seconds(d.At)), Threshold: d.Threshold, Random: d.Random,
	}, d.At)
}

// journalNotSampled writes that a trace which was not sampled is given up with what came since.
func (t *traces) journalNotSampled(e *entry, now clock.Monotonic) {
	ev := t.eventOf(e, now)
	ev.Kind, ev.Verdict = spanlog.Decided, uint8(policy.NotSampled)
	t.put(ev, now)
}

// journalDelivery writes how far the delivery of a sampled entry is: attempted or delivered.
func (t *traces) journalDelivery(kind spanlog.EventKind, e *entry, now clock.Monotonic) {
	ev := t.eventOf(e, now)
	ev.Kind, ev.Verdict = kind, uint8(policy.Sampled)
	t.put(ev, now)
}

// repeat writes the decisions about what is still there once more, if they are in a file that is about to be deleted.
func (t *traces) repeat(highest uint64, now clock.Monotonic) {
	for n := slot(1); n < t.index.Slots(); n++ {
		e := t.index.At(n)
		if e.state != stateRevivable && e.state != stateReady || e.part.To.Sequence() > highest {
			continue
		}
		ev := t.eventOf(e, now)
		ev.Kind = spanlog.Decided
		if e.state == stateReady {
			ev.Verdict = uint8(policy.Sampled)
		}
		t.journal.Put(ev, t.unixMilli(now))
		if e.state == stateReady && e.delivery.attempted {
			ev.Kind = spanlog.Attempted
			t.journal.Put(ev, t.unixMilli(now))
		}
	}
}
