package shard

import (
	"iter"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
)

// Kept is a trace that was sampled, or a late part of one, on its way out.
type Kept struct {
	Slot      index.Slot
	ID        wire.TraceID
	Policy    int32 // number in version.Names
	Threshold uint64
	Random    uint64
	Late      bool
	Linked    wire.TraceID // the trace for which it is kept, zero if that is not the reason
	Spans     int
	Bytes     int // of span bodies
}

// maxTries is how often a trace that the disk does not give back is tried, with pauses in between, before what cannot be
// read of it is given up.
const maxTries = 6

// Outgoing is what of a shard is to be delivered. Its methods are called with the shard's mutex.
type Outgoing struct{ *traces }

// Outgoing returns what is to be delivered.
func (s *Shard) Outgoing() Outgoing { return Outgoing{&s.traces} }

// Next returns what is to be delivered next, and false if nothing is.
func (s Outgoing) Next() (k Kept, ok bool) {
	n := s.queues.ready.Head()
	if n == 0 {
		return Kept{}, false
	}
	e := s.index.At(n)
	return Kept{
		Slot: n, ID: e.ID, Policy: e.policy, Threshold: e.threshold, Random: e.random, Late: e.late,
		Linked: s.links.keptFor[n], Spans: int(e.spans), Bytes: int(e.bytes),
	}, true
}

// Take takes what is ready out of the list and notes in the journal that the next component is about to get it, so that
// after a crash it is known which traces it may get twice.
func (s Outgoing) Take(n index.Slot, now clock.Monotonic) {
	s.queues.ready.Remove(&s.index, n)
	if e := s.index.At(n); !e.delivery.attempted {
		e.delivery.attempted = true
		s.notes.delivery(spanlog.Attempted, e, now)
	}
}

// Records yields the spans of what was taken; see Log. While pause runs, if it is not nil, the shard may be unlocked.
func (s Outgoing) Records(n index.Slot, pause func()) iter.Seq2[spanlog.Record, error] {
	return s.log.Records(s.index.At(n).chain, pause)
}

// Unreadable counts that what was taken could not be read whole, and reports whether to retry.
func (s Outgoing) Unreadable(n index.Slot) (retry bool) {
	d := &s.index.At(n).delivery
	d.tries = min(d.tries+1, maxTries)
	return d.tries < maxTries
}

// PutBack makes what was taken the next to be delivered.
func (s Outgoing) PutBack(n index.Slot) { s.queues.ready.PushFront(&s.index, n) }

// Delivered gives up what was taken: it was accepted, or refused for good.
func (s Outgoing) Delivered(n index.Slot, now clock.Monotonic) {
	e := s.index.At(n)
	s.notes.delivery(spanlog.Delivered, e, now)
	s.tally.Stats.Undelivered--
	s.tally.Stats.UndeliveredBytes -= int64(e.bytes)
	delete(s.links.keptFor, n)
	s.free(n, now)
}
