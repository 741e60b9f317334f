package shard

import (
	"iter"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/outbox"
)

// Destination is an index in Shared.Destinations.
type Destination = outbox.Destination

// Mask is a set of destinations.
type Mask = outbox.Mask

// Kept is a trace that was sampled, or a late part of one, on its way out.
type Kept struct {
	Ref
	Policy    int32 // number in version.Names
	Threshold uint64
	Random    uint64
	Late      bool
	Failed    bool            // a span with an error was seen
	Revived   bool            // it was not sampled at first, and a late span changed that
	Trimmed   uint32          // spans that were left out, as far as that is known over a restart
	Linked    wire.TraceID    // the trace for which it is kept, zero if that is not the reason or not known any more
	DecidedAt clock.Monotonic // of a late part: when it had gathered
	Spans     int
	Bytes     int // of span bodies
}

// Ref identifies what was kept for as long as some destination has not got it.
type Ref struct {
	Slot index.Slot
	ID   wire.TraceID
	From spanlog.Position
}

// Backlog is what waits for a destination.
type Backlog struct {
	outbox.Amount
	Oldest  clock.Monotonic // when the first of it was decided, Never if there is nothing
	Refused outbox.Amount   // of it, what was refused for good
	Pending clock.Monotonic // when the first that was not refused for good was decided, Never if there is none
}

// maxTries is how often a trace that the disk does not give back is tried, with pauses in between, before what cannot be
// read of it is given up.
const maxTries = 6

// Outgoing is what of a shard is to be delivered to one destination. Its methods are called with the shard's mutex.
type Outgoing struct {
	*traces
	destination Destination
}

// Outgoing returns what is to be delivered to a destination.
func (s *Shard) Outgoing(d Destination) Outgoing { return Outgoing{&s.traces, d} }

// Next returns what is to be delivered next, and false if nothing is.
func (s Outgoing) Next() (k Kept, ok bool) {
	n := s.outbox.Next(&s.index, s.destination)
	if n == 0 {
		return Kept{}, false
	}
	return s.kept(n), true
}

func (t *traces) kept(n slot) Kept {
	e := t.index.At(n)
	return Kept{
		Ref: Ref{Slot: n, ID: e.ID, From: e.from}, Policy: e.policy, Threshold: e.threshold, Random: e.random, Late: e.late,
		Failed: e.Failed, Revived: e.revived, Trimmed: e.trimmed, Linked: t.links.keptFor[n], DecidedAt: e.decidedAt,
		Spans: int(e.spans), Bytes: int(e.bytes),
	}
}

// Take takes the next, and notes in the journal that the destination is about to get it, so that after a crash it is known
// which traces it may get twice.
func (s Outgoing) Take(n index.Slot, now clock.Monotonic) {
	s.outbox.Take(&s.index, n, s.destination)
	s.attempt(n, now)
}

func (s Outgoing) attempt(n slot, now clock.Monotonic) {
	if e := s.index.At(n); e.Attempt(s.destination) {
		s.notes.delivery(spanlog.Attempted, e, uint8(s.destination), now)
	}
}

// Records yields the spans of what was taken; see Log. While pause runs, if it is not nil, the shard may be unlocked.
func (s Outgoing) Records(n index.Slot, pause spanlog.Pause) iter.Seq2[spanlog.Record, error] {
	return s.log.Records(s.index.At(n).chain, pause)
}

// Unreadable counts that what was taken could not be read whole, and reports whether to retry.
func (s Outgoing) Unreadable(n index.Slot) (retry bool) {
	return s.outbox.CountUnreadable(n, s.destination) < maxTries
}

// PutBack makes what was taken last in order the next again. Several are put back in the reverse order.
func (s Outgoing) PutBack(n index.Slot) { s.outbox.PutBack(&s.index, n, s.destination) }

// PutAside makes what was taken wait out of order, until TakeAside.
func (s Outgoing) PutAside(n index.Slot) { s.outbox.PutAside(&s.index, n, s.destination) }

// Refuse makes what was taken wait out of order until somebody asks for it: it is refused for good.
func (s Outgoing) Refuse(n index.Slot) { s.outbox.Refuse(&s.index, n, s.destination) }

// TakeAside takes what waits out of order. It returns false if that was given up.
func (s Outgoing) TakeAside(r Ref, now clock.Monotonic) (k Kept, ok bool) {
	if !s.Holds(r) || !s.index.At(r.Slot).Aside(s.destination) {
		return Kept{}, false
	}
	s.outbox.TakeAside(&s.index, r.Slot, s.destination)
	s.attempt(r.Slot, now)
	return s.kept(r.Slot), true
}

// Holds reports whether the destination has not got what r identifies, and is still to get it.
func (s Outgoing) Holds(r Ref) bool {
	if !s.index.Has(r.Slot) {
		return false
	}
	e := s.index.At(r.Slot)
	return e.state == stateKept && e.ID == r.ID && e.from == r.From && e.Waits().Has(s.destination)
}

// Delivered notes that the destination has what was taken, and reports whether no other had it before, since the start. When all
// destinations have it, it is freed.
func (s Outgoing) Delivered(n index.Slot, now clock.Monotonic) (first bool) {
	first = s.index.At(n).Count()
	s.done(n, false, now)
	return first
}

// Lost notes that what was taken is not there for any destination, and reports whether that is new. It is still to be given up.
func (s Outgoing) Lost(n index.Slot) (first bool) { return s.index.At(n).Count() }

// GiveUp notes that the destination does not get what was taken or put aside.
func (s Outgoing) GiveUp(n index.Slot, now clock.Monotonic) { s.done(n, true, now) }

// GiveUpOldest gives up the oldest that waits for the destination, is not taken, and was decided before an instant, and
// returns it. Without failed it passes over traces with an error. It returns false if there is none.
func (s Outgoing) GiveUpOldest(failed bool, before, now clock.Monotonic) (k Kept, ok bool) {
	n := s.outbox.OldestUntaken(&s.index, s.destination, failed)
	if n == 0 || s.index.At(n).decidedAt >= before {
		return Kept{}, false
	}
	k = s.kept(n)
	s.GiveUp(n, now)
	return k, true
}

// done ends the delivery to the destination. The last event says that all have it, so that no earlier one is needed.
func (s Outgoing) done(n slot, giveUp bool, now clock.Monotonic) {
	last := s.outbox.Done(&s.index, n, s.destination, giveUp)
	destination := uint8(s.destination)
	if last {
		destination = spanlog.EveryDestination
	}
	s.notes.delivery(spanlog.Delivered, s.index.At(n), destination, now)
	if last {
		s.outbox.Remove(&s.index, n)
		s.forget(n, now)
	}
}

// Backlog returns what waits for the destination.
func (s Outgoing) Backlog() Backlog {
	b := Backlog{Amount: s.outbox.Backlog(s.destination), Oldest: Never, Refused: s.outbox.Refused(s.destination), Pending: Never}
	if n := s.outbox.Oldest(&s.index, s.destination); n != 0 {
		b.Oldest = s.index.At(n).decidedAt
	}
	if n := s.outbox.OldestPending(&s.index, s.destination); n != 0 {
		b.Pending = s.index.At(n).decidedAt
	}
	return b
}

// GivenUp returns what the destination did not get, since the start.
func (s Outgoing) GivenUp() outbox.Amount { return s.outbox.GivenUp(s.destination) }

// forget gives up an entry that no destination waits for.
func (t *traces) forget(n slot, now clock.Monotonic) {
	t.tally.Stats.Undelivered--
	t.tally.Stats.UndeliveredBytes -= int64(t.index.At(n).bytes)
	delete(t.links.keptFor, n)
	t.free(n, now)
}
