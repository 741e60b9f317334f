package shard

import (
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/marked"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/version"
)

// notes writes the fates of entries into the journal.
type notes struct {
	shared  *Shared
	journal Journal
	index   *entries
	// The lists of entries that still exist.
	revivable *list
	outbox    *undelivered
	marks     *marked.Traces
}

// eventOf returns an event about an entry; the caller sets kind, verdict, trigger and destination.
func (w *notes) eventOf(e *entry, at clock.Monotonic) spanlog.Event {
	return spanlog.Event{
		Failed: e.Failed, Revived: e.revived, Trimmed: e.trimmed,
		Late: e.late, Policy: int(e.policy), TraceID: e.ID, From: e.from, To: e.to,
		At: uint32(w.shared.seconds(at)), Threshold: e.threshold, Random: e.random,
	}
}

// put writes an event into the journal, and trims the journal when it is full.
func (w *notes) put(ev spanlog.Event, at clock.Monotonic) {
	w.journal.Put(ev, w.shared.UnixMilli(at))
	w.trim(at)
}

// trim trims the journal when it is full.
func (w *notes) trim(at clock.Monotonic) {
	if w.journal.Full() {
		w.journal.Trim(func(highest uint64) { w.repeat(highest, at) })
	}
}

// decided writes a decision.
func (w *notes) decided(d *decision.Decided) {
	w.put(spanlog.Event{
		Kind: spanlog.Decided, Verdict: uint8(d.Verdict), Trigger: uint8(d.Trigger), Late: d.Part.Late, Policy: int(d.Policy),
		TraceID: d.ID, From: d.Part.From, To: d.Part.To, At: uint32(w.shared.seconds(d.At)), Threshold: d.Threshold, Random: d.Random,
		Failed: d.Seen.Error, Revived: d.Trigger == decision.ByRevival, Trimmed: d.Seen.Trimmed,
	}, d.At)
}

// notSampled writes that a trace which was not sampled is evicted together with its late spans.
func (w *notes) notSampled(e *entry, now clock.Monotonic) {
	ev := w.eventOf(e, now)
	ev.Kind, ev.Verdict = spanlog.Decided, uint8(policy.NotSampled)
	w.put(ev, now)
}

// delivery writes that a delivery of a sampled entry to a destination was attempted, or succeeded.
func (w *notes) delivery(kind spanlog.EventKind, e *entry, destination uint8, now clock.Monotonic) {
	ev := w.eventOf(e, now)
	ev.Kind, ev.Verdict, ev.Destination = kind, uint8(policy.Sampled), destination
	w.put(ev, now)
}

// marked writes that an undecided trace must be kept. An event of this kind covers no span, so that a reader that does not know it
// finds the trace undecided.
func (w *notes) marked(e *entry, now clock.Monotonic) { w.put(w.markOf(e, now), now) }

func (w *notes) markOf(e *entry, now clock.Monotonic) spanlog.Event {
	return spanlog.Event{
		Kind: spanlog.Marked, Policy: version.NoPolicy, TraceID: e.ID, From: e.from, To: e.from, At: uint32(w.shared.seconds(now)),
		Threshold: tracestate.None, Random: tracestate.None,
	}
}

// repeat writes marks, and decisions about existing entries, again if their file is about to be deleted: those that sampled in their
// order, each with the destinations that have received it.
func (w *notes) repeat(highest uint64, now clock.Monotonic) {
	at := w.shared.UnixMilli(now)
	for n := w.revivable.Head(); n != 0; n = w.revivable.Next(w.index, n) {
		if e := w.index.At(n); e.to.Sequence() <= highest {
			ev := w.eventOf(e, e.decidedAt)
			ev.Kind = spanlog.Decided
			w.journal.Put(ev, at)
		}
	}
	for n := range w.marks.All {
		w.journal.Put(w.markOf(w.index.At(n), now), at)
	}
	for n := range w.outbox.All(w.index) {
		if e := w.index.At(n); e.to.Sequence() <= highest {
			w.putKept(e, at)
		}
	}
}

// kept writes that an entry is kept, and which destinations have received it.
func (w *notes) kept(e *entry, now clock.Monotonic) {
	w.putKept(e, w.shared.UnixMilli(now))
	w.trim(now)
}

func (w *notes) putKept(e *entry, at clock.UnixMilli) {
	ev := w.eventOf(e, e.decidedAt)
	ev.Kind, ev.Verdict = spanlog.Decided, uint8(policy.Sampled)
	w.journal.Put(ev, at)
	for d := range w.shared.Destinations {
		ev.Destination = uint8(d)
		switch d := Destination(d); {
		case !e.Waits().Has(d):
			ev.Kind = spanlog.Delivered
		case e.Attempted().Has(d):
			ev.Kind = spanlog.Attempted
		default:
			continue
		}
		w.journal.Put(ev, at)
	}
}
