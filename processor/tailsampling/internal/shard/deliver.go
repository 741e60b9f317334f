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

// Kept is a sampled trace, or a late part of one, that is being delivered.
type Kept struct {
	Ref
	Policy    int32 // number in version.Names
	Threshold uint64
	Random    uint64
	Late      bool
	Failed    bool            // a span with an error was seen
	Revived   bool            // a late span made the policies sample it
	Trimmed   uint32          // spans that were left out, as far as known after a restart
	Linked    wire.TraceID    // the linked trace for which it is kept; zero if there is none or it is not known any more
	DecidedAt clock.Monotonic // of a late part: when it was complete
	Spans     int
	Bytes     int // of span bodies
}

// Ref identifies a kept entry while some destination has not received it.
type Ref struct {
	Slot index.Slot
	ID   wire.TraceID
	From spanlog.Position
}

// Backlog describes the traces that wait for a destination.
type Backlog struct {
	outbox.Amount
	Oldest  clock.Monotonic // decision of the oldest, Never if there is none
	Refused outbox.Amount   // the part that was refused for good
	Pending clock.Monotonic // decision of the oldest that was not refused for good, Never if there is none
}

// maxTries is the number of tries, with pauses in between, to read a trace from a failing disk. Then the unreadable
// spans are given up.
const maxTries = 6

// Outgoing is the part of a shard that is to be delivered to one destination. Its methods are called with the
// shard's mutex.
type Outgoing struct {
	*traces
	destination Destination
}

// Outgoing returns the traces to be delivered to a destination.
func (s *Shard) Outgoing(d Destination) Outgoing { return Outgoing{&s.traces, d} }

// Next returns the next trace to deliver. It returns false if there is none.
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

// Take takes the next trace. It notes the attempt in the journal, so that after a crash it is known which traces the
// destination may receive twice.
func (s Outgoing) Take(n index.Slot, now clock.Monotonic) {
	s.outbox.Take(&s.index, n, s.destination)
	s.attempt(n, now)
}

func (s Outgoing) attempt(n slot, now clock.Monotonic) {
	if e := s.index.At(n); e.Attempt(s.destination) {
		s.notes.delivery(spanlog.Attempted, e, uint8(s.destination), now)
	}
}

// Records yields the spans of a taken trace; see Log. While pause runs, unless it is nil, the shard may be unlocked.
func (s Outgoing) Records(n index.Slot, pause spanlog.Pause) iter.Seq2[spanlog.Record, error] {
	return s.log.Records(s.index.At(n).chain, pause)
}

// Unreadable counts a failed read of a taken trace, and reports whether to retry.
func (s Outgoing) Unreadable(n index.Slot) (retry bool) {
	return s.outbox.CountUnreadable(n, s.destination) < maxTries
}

// PutBack puts back the trace that was taken last in order, which is then the next again. Several are put
// back in reverse order.
func (s Outgoing) PutBack(n index.Slot) { s.outbox.PutBack(&s.index, n, s.destination) }

// Park makes a taken trace wait out of order, until TakeParked.
func (s Outgoing) Park(n index.Slot) { s.outbox.Park(&s.index, n, s.destination) }

// Refuse marks a taken trace as refused for good: it waits out of order until it is retried on request.
func (s Outgoing) Refuse(n index.Slot) { s.outbox.Refuse(&s.index, n, s.destination) }

// TakeParked takes a trace that waits out of order. It returns false if that was given up.
func (s Outgoing) TakeParked(r Ref, now clock.Monotonic) (k Kept, ok bool) {
	if !s.Holds(r) || !s.index.At(r.Slot).Parked(s.destination) {
		return Kept{}, false
	}
	s.outbox.TakeParked(&s.index, r.Slot, s.destination)
	s.attempt(r.Slot, now)
	return s.kept(r.Slot), true
}

// Holds reports whether the entry still waits for the destination.
func (s Outgoing) Holds(r Ref) bool {
	if !s.index.Has(r.Slot) {
		return false
	}
	e := s.index.At(r.Slot)
	return e.state == stateKept && e.ID == r.ID && e.from == r.From && e.Waits().Has(s.destination)
}

// Delivered notes that the destination has received a taken trace. It reports whether it was the first to do so since the start.
// After the last destination the entry is freed.
func (s Outgoing) Delivered(n index.Slot, now clock.Monotonic) (first bool) {
	first = s.index.At(n).Count()
	s.done(n, false, now)
	return first
}

// Lost notes that a taken trace cannot be read for any destination, and reports whether that is new. The caller must still give
// it up.
func (s Outgoing) Lost(n index.Slot) (first bool) { return s.index.At(n).Count() }

// GiveUp notes that the destination gives up a trace that was taken or put aside.
func (s Outgoing) GiveUp(n index.Slot, now clock.Monotonic) { s.done(n, true, now) }

// GiveUpOldest gives up, and returns, the oldest trace that waits for the destination, is not taken, and was decided
// before an instant. Without failed it skips traces with an error. It returns false if there is none.
func (s Outgoing) GiveUpOldest(failed bool, before, now clock.Monotonic) (k Kept, ok bool) {
	n := s.outbox.OldestUntaken(&s.index, s.destination, failed)
	if n == 0 || s.index.At(n).decidedAt >= before {
		return Kept{}, false
	}
	k = s.kept(n)
	s.GiveUp(n, now)
	return k, true
}

// done ends the delivery to the destination. The last event says that all destinations have received the trace, so
// that no earlier event is needed.
func (s Outgoing) done(n slot, giveUp bool, now clock.Monotonic) {
	last := s.outbox.Done(&s.index, n, s.destination, giveUp)
	destination := uint8(s.destination)
	if last {
		destination = spanlog.EveryDestination
	}
	s.notes.delivery(spanlog.Delivered, s.index.At(n), destination, now)
	if last {
		s.outbox.Remove(&s.index, n)
		s.removeDelivered(n, now)
	}
}

// Backlog describes the traces that wait for the destination.
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

// GivenUp is the amount that the destination gave up since the start.
func (s Outgoing) GivenUp() outbox.Amount { return s.outbox.GivenUp(s.destination) }

// removeDelivered removes an entry that no destination waits for.
func (t *traces) removeDelivered(n slot, now clock.Monotonic) {
	t.tally.Stats.Undelivered--
	t.tally.Stats.UndeliveredBytes -= int64(t.index.At(n).bytes)
	delete(t.links.keptFor, n)
	t.free(n, now)
}
