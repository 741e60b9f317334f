package shard

import (
	"cmp"
	"slices"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
)

// Restorer restores an empty shard from the files on disk. Its methods are called with the shard's mutex. Before Finish,
// instants are those of the run that wrote the files, by the wall clock.
type Restorer struct {
	shard *Shard
	kept  []restoredKept
	view  policy.SpanView
}

type restoredKept struct {
	slot  index.Slot
	at    decision.Seconds // of the decision
	order int32            // of the decision
	waits Mask
}

// NewRestorer returns a Restorer of a shard.
func NewRestorer(s *Shard) *Restorer { return &Restorer{shard: s} }

// Remember stores a decision from the journal for late spans.
func (r *Restorer) Remember(hash uint32, d decision.Remembered, v policy.Verdict, w decision.Weight) {
	r.shard.memory.Remember(hash, d, v, w)
}

// KeptPart is a sampled part of a trace that was not delivered to all destinations.
type KeptPart struct {
	ID        wire.TraceID
	Hash      uint32
	Part      decision.Part
	Policy    int32 // number in version.Names
	Threshold uint64
	Random    uint64
	Waits     Mask // destinations that have not received it
	Attempted Mask // of these: those that may have received it
	Failed    bool // a span with an error was seen
	Revived   bool
	Trimmed   uint32 // spans that were left out
	At        decision.Seconds
	Order     int32 // of the decision
}

// Kept makes an entry of a kept part.
func (r *Restorer) Kept(p KeptPart) index.Slot {
	n, e := r.shard.index.New(p.Hash, p.ID)
	e.positions, e.late = positions{p.Part.From, p.Part.To}, p.Part.Late
	e.policy, e.threshold, e.random, e.state = p.Policy, p.Threshold, p.Random, stateKept
	e.Failed, e.revived, e.trimmed = p.Failed, p.Revived, p.Trimmed
	e.SetAttempted(p.Attempted)
	e.arrived = r.instant(p.At.UnixMilli())
	r.kept = append(r.kept, restoredKept{slot: n, at: p.At, order: p.Order, waits: p.Waits})
	return n
}

// Late returns the entry for a late span of a sampled trace at this position, and reports whether the entry is new.
func (r *Restorer) Late(p KeptPart, at spanlog.Position, arrived clock.UnixMilli) (n index.Slot, fresh bool) {
	s := r.shard
	if n := s.index.Find(p.Hash, &p.ID); n != 0 {
		e := s.index.At(n)
		e.Failed = e.Failed || p.Failed
		e.from = min(e.from, at) // a span that was copied forward is found after later ones
		return n, false
	}
	n, e := s.index.New(p.Hash, p.ID)
	e.from, e.late, e.state = at, true, stateGathering
	e.policy, e.threshold, e.random, e.arrived = p.Policy, p.Threshold, p.Random, r.instant(arrived)
	e.Failed, e.decidedAt = p.Failed, r.instant(p.At.UnixMilli())
	s.index.File(n)
	return n, true
}

// Pending adds a span to the entry of its undecided trace, which it returns, and reports whether the entry is
// new.
func (r *Restorer) Pending(found *spanlog.Found, span *wire.Span, hash uint32) (n index.Slot, fresh bool) {
	s := r.shard
	arrived := r.instant(clock.UnixMilli(found.Arrived))
	if n = s.index.Find(hash, &span.TraceID); n == 0 {
		fresh = true
		var e *entry
		n, e = s.index.New(hash, span.TraceID)
		e.from, e.arrived, e.random = found.Position, arrived, tracestate.None
		s.index.File(n)
		e.generation = s.versions.Begin(n)
	}
	e := s.index.At(n)
	e.arrived = min(e.arrived, arrived)
	e.from = min(e.from, found.Position)
	r.view = policy.SpanView{
		Span: span, Bytes: found.Body, Body: found.Body, Resource: found.Resource, Scope: found.Scope,
	}
	s.versions.Of(e.generation).Observe(s.versions.Bits(e.generation, n), &r.view)
	e.observe(&r.view)
	if span.Linked && s.links.ties != nil {
		s.links.observe(e, found.Body)
	}
	if span.ParentID.IsZero() {
		e.state = stateRooted
	}
	s.tally.Stats.PendingBytes += int64(len(found.Body))
	return n, fresh
}

// Mark marks an entry of Pending, which must be kept.
func (r *Restorer) Mark(n index.Slot) { r.shard.marks.Add(n) }

// Count adds a span of so many bytes to an entry.
func (r *Restorer) Count(n index.Slot, bytes int) {
	e := r.shard.index.At(n)
	e.spans++
	e.bytes += uint64(bytes)
	r.shard.tally.Stats.Spans++
}

// Chain returns the chain of an entry's records.
func (r *Restorer) Chain(n index.Slot) *spanlog.Chain { return &r.shard.index.At(n).chain }

// Account reports the index's memory to the pool.
func (r *Restorer) Account() { r.shard.count() }

// instant converts a wall time to this run's monotonic clock; times before the start are negative.
func (r *Restorer) instant(at clock.UnixMilli) clock.Monotonic {
	return r.shard.shared.Epoch.Monotonic(at)
}

// Finish puts the entries into the lists in the order of time, and decides traces that have grown too large. last is the
// arrival of the last span of all shards: the time between then and now does not count.
func (r *Restorer) Finish(now clock.Monotonic, last clock.UnixMilli) {
	s := r.shard
	pause := now.Sub(r.instant(last))
	var found []index.Slot
	s.index.Filed(func(n index.Slot) { found = append(found, n) })
	slices.SortFunc(found, func(a, b index.Slot) int {
		x, y := s.index.At(a), s.index.At(b)
		return cmp.Or(cmp.Compare(x.arrived, y.arrived), cmp.Compare(x.from, y.from))
	})
	for _, n := range found {
		e := s.index.At(n)
		if e.state == stateGathering {
			e.arrived = now
			s.queues.gathering.PushBack(&s.index, n)
			continue
		}
		e.arrived = e.arrived.Add(pause)
		s.queues.begin(&s.index, n)
		if e.state == stateRooted {
			if e.quietSince = now; s.shared.Waits.Root != 0 {
				s.queues.quiet.PushBack(&s.index, n)
			}
		}
		s.tally.Stats.Pending++
		s.shared.Pending.Add(1)
	}
	slices.SortFunc(r.kept, func(a, b restoredKept) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.order, b.order)) })
	for _, k := range r.kept {
		e := s.index.At(k.slot)
		e.arrived = e.arrived.Add(pause)
		e.decidedAt = e.arrived
		s.enqueue(k.slot, k.waits, now)
	}
	for _, n := range found {
		if e := s.index.At(n); e.undecided() && e.bytes >= 2*s.shared.TraceSize {
			s.decide(n, decision.BySize, now)
		}
	}
	s.count()
}
