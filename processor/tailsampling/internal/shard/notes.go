package shard

import (
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
)

// notes writes into the journal what becomes of entries.
type notes struct {
	shared  *Shared
	journal Journal
	index   *entries
}

// eventOf is an event about an entry, to which its kind, verdict and trigger are still missing.
func (w *notes) eventOf(e *entry, at clock.Monotonic) spanlog.Event {
	return spanlog.Event{
		Late: e.late, Policy: int(e.policy), TraceID: e.ID, From: e.from, To: e.to,
		At: uint32(w.shared.seconds(at)), Threshold: e.threshold, Random: e.random,
	}
}

// put writes an event into the journal, and makes the journal shorter where it is long.
func (w *notes) put(ev spanlog.Event, at clock.Monotonic) {
	w.journal.Put(ev, w.shared.UnixMilli(at))
	if w.journal.Full() {
		w.journal.Trim(func(highest uint64) { w.repeat(highest, at) })
	}
}

// decided writes a decision.
func (w *notes) decided(d *decision.Decided) {
	w.put(spanlog.Event{
		Kind: spanlog.Decided, Verdict: uint8(d.Verdict), Trigger: uint8(d.Trigger), Late: d.Part.Late, Policy: int(d.Policy),
		TraceID: d.ID, From: d.Part.From, To: d.Part.To, At: uint32(w.shared.seconds(d.At)), Threshold: d.Threshold, Random: d.Random,
	}, d.At)
}

// notSampled writes that a trace which was not sampled is given up with what came since.
func (w *notes) notSampled(e *entry, now clock.Monotonic) {
	ev := w.eventOf(e, now)
	ev.Kind, ev.Verdict = spanlog.Decided, uint8(policy.NotSampled)
	w.put(ev, now)
}

// delivery writes how far the delivery of a sampled entry is: attempted or delivered.
func (w *notes) delivery(kind spanlog.EventKind, e *entry, now clock.Monotonic) {
	ev := w.eventOf(e, now)
	ev.Kind, ev.Verdict = kind, uint8(policy.Sampled)
	w.put(ev, now)
}

// repeat writes the decisions about what is still there once more, if they are in a file that is about to be deleted.
func (w *notes) repeat(highest uint64, now clock.Monotonic) {
	for n := slot(1); n < w.index.Slots(); n++ {
		e := w.index.At(n)
		if e.state != stateRevivable && e.state != stateReady || e.to.Sequence() > highest {
			continue
		}
		ev := w.eventOf(e, now)
		ev.Kind = spanlog.Decided
		if e.state == stateReady {
			ev.Verdict = uint8(policy.Sampled)
		}
		w.journal.Put(ev, w.shared.UnixMilli(now))
		if e.state == stateReady && e.delivery.attempted {
			ev.Kind = spanlog.Attempted
			w.journal.Put(ev, w.shared.UnixMilli(now))
		}
	}
}
