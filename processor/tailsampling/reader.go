package tailsampling

import (
	"cmp"
	"slices"

	"github.com/slowburn/slowburn/internal/tracestate"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
)

// reader rebuilds one shard. What it does in parallel with others it does with the shard's mutex.
type reader struct {
	p      *Sampler
	s      *shard
	fates  *fates
	copies map[spanlog.Position]struct{} // spans that were found as copies
	places map[uint64][]uint32           // by sequence of a segment: where it has spans, ascending
	ready  []uint32                      // entries that wait for delivery
	order  []int32                       // of these, the place in the journal
	seen   int64                         // when the last span came, Unix milliseconds
	view   policy.SpanView
}

func newReader(p *Sampler, s *shard) *reader {
	return &reader{
		p: p, s: s, fates: newFates(), copies: map[spanlog.Position]struct{}{}, places: map[uint64][]uint32{},
	}
}

// event takes an event of the journal into account.
func (r *reader) event(e *spanlog.Event, name int32, hash uint32) {
	r.seen = max(r.seen, int64(e.At)*1000)
	if !r.fates.add(e, name) {
		return
	}
	d := remembered{id: wire.TraceID(e.TraceID), policy: name, at: e.At}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if policy.Verdict(e.Verdict) == policy.Sampled {
		r.s.sampled.put(hash, d, weight{threshold: e.Threshold, rv: e.Random})
	} else {
		r.s.dropped.put(hash, d, weight{})
	}
}

// adopt reads a segment of the shard's own and keeps it where it is.
func (r *reader) adopt(f *spanlog.SegmentFile, scratch []byte) []byte {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	type wanted struct {
		found spanlog.Found
		entry uint32
	}
	var list []wanted
	contents, damage, err := f.Read(scratch, func(found spanlog.Found) {
		span, err := wire.ParseSpan(found.Body)
		if err != nil {
			r.p.store.lost.Add(1)
			return
		}
		if n := r.place(&found, &span, uint32(r.p.seed.hash(span.TraceID))); n != 0 {
			found.Body, found.Resource, found.Scope = nil, nil, nil
			list = append(list, wanted{found, n})
		}
	})
	if err != nil {
		r.p.report(r.p.unreadable(f, err))
		return contents.Scratch()
	}
	r.p.report(damage)
	number := s.log.Adopt(f, contents)
	for i := range list {
		s.log.Attach(&s.entries.At(list[i].entry).chain, number, contents, &list[i].found)
	}
	s.log.Settle(number)
	s.count()
	return contents.Scratch()
}

// copy stores a span that was found in a segment of other shards in this one.
func (r *reader) copy(found *spanlog.Found, span *wire.Span, hash uint32) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	n := r.place(found, span, hash)
	if n == 0 {
		return
	}
	var o spanlog.Origin
	o.Set(found.Resource, found.Scope)
	s.log.AppendCopy(&s.entries.At(n).chain, &o, found.Body, found.Position, found.Arrived)
	s.count()
}

// place finds the entry that a span belongs to, making one where there is none, and lets the entry know of it. It
// returns 0 where the span is not wanted any more, or is there already.
func (r *reader) place(found *spanlog.Found, span *wire.Span, hash uint32) uint32 {
	r.seen = max(r.seen, found.Arrived)
	if r.twice(found) {
		return 0
	}
	s := r.s
	part, followed := r.fates.of(span.TraceID, found.Position)
	if part != nil && (part.done || part.verdict != policy.Sampled) {
		return 0
	}
	var n uint32
	switch {
	case part != nil:
		n = r.kept(part, span.TraceID, hash)
	case followed != nil:
		n = r.late(followed, found, span.TraceID, hash)
	default:
		n = r.pending(found, span, hash)
	}
	e := s.entries.At(n)
	e.spans++
	e.bytes += uint64(len(found.Body))
	s.stats.spans++
	r.p.store.spans.Add(1)
	if part != nil && part.attempted {
		r.p.store.repeated.Add(1)
	}
	return n
}

// twice reports whether the span was found before: copying it forward, or to another shard, was interrupted.
func (r *reader) twice(found *spanlog.Found) bool {
	at, sequence := found.Position.Offset(), found.Position.Sequence()
	if !found.Copied {
		r.places[sequence] = append(r.places[sequence], at)
		_, copied := r.copies[found.Position]
		return copied
	}
	if _, there := slices.BinarySearch(r.places[sequence], at); there {
		return true
	}
	if _, there := r.copies[found.Position]; there {
		return true
	}
	r.copies[found.Position] = struct{}{}
	return false
}

// entry makes an entry.
func (r *reader) entry(e entry) uint32 {
	n, at := r.s.entries.New()
	*at = e
	r.p.store.traces.Add(1)
	return n
}

// kept is the entry of a part that was sampled and not delivered.
func (r *reader) kept(part *fate, id wire.TraceID, hash uint32) uint32 {
	if part.slot == 0 {
		state := ready
		if part.late {
			state = late
		}
		part.slot = r.entry(entry{
			id: id, hash: hash, from: part.from, to: part.to, state: state, attempted: part.attempted,
			policy: part.policy, threshold: part.threshold, rv: part.rv, arrived: int64(part.at) * 1000,
		})
		r.ready = append(r.ready, part.slot)
		r.order = append(r.order, part.number)
	}
	return part.slot
}

// late is the entry of spans that came after their trace was sampled.
func (r *reader) late(followed *fate, found *spanlog.Found, id wire.TraceID, hash uint32) uint32 {
	if n := r.s.find(hash, &id); n != 0 {
		e := r.s.entries.At(n)
		e.from = min(e.from, found.Position) // what was copied forward is found after what came later
		return n
	}
	n := r.entry(entry{
		id: id, hash: hash, from: found.Position, state: late,
		policy: followed.policy, threshold: followed.threshold, rv: followed.rv, arrived: found.Arrived,
	})
	r.s.index.Insert(hash, n)
	return n
}

// pending is the entry of a trace that is not decided.
func (r *reader) pending(found *spanlog.Found, span *wire.Span, hash uint32) uint32 {
	s := r.s
	n := s.find(hash, &span.TraceID)
	if n == 0 {
		n = r.entry(entry{id: span.TraceID, hash: hash, from: found.Position, arrived: found.Arrived, rv: tracestate.None})
		s.index.Insert(hash, n)
		s.rules.begin(n, s.entries.At(n))
	}
	e := s.entries.At(n)
	g := s.rules.at(e)
	e.arrived = min(e.arrived, found.Arrived)
	e.from = min(e.from, found.Position)
	r.view = policy.SpanView{
		Span: span, Bytes: found.Body, Body: found.Body, Resource: found.Resource, Scope: found.Scope,
	}
	s.observe(g.rules, &r.view, g.bits.at(n), e)
	if span.Linked && s.links != nil {
		s.tie(e, found.Body)
	}
	if span.ParentID.IsZero() {
		e.state = rooted
	}
	s.stats.pendingBytes += int64(len(found.Body))
	return n
}

// finish puts the entries into the lists, in the order of time. seen is when the last span of all came.
func (r *reader) finish(seen int64) {
	s := r.s
	s.mu.Lock()
	defer s.mu.Unlock()
	now := r.p.now()
	var list []uint32
	s.index.All(func(n uint32) { list = append(list, n) })
	slices.SortFunc(list, func(a, b uint32) int {
		x, y := s.entries.At(a), s.entries.At(b)
		return cmp.Or(cmp.Compare(x.arrived, y.arrived), cmp.Compare(x.from, y.from))
	})
	for _, n := range list {
		e := s.entries.At(n)
		if e.state == late {
			e.arrived = now
			s.late.pushBack(&s.entries, n)
			continue
		}
		e.arrived = now - (seen-e.arrived)*1e6
		s.waiting.pushBack(&s.entries, n)
		if e.state == rooted {
			if e.touched = now; s.waits.root != 0 {
				s.quiet.pushBack(&s.entries, n)
			}
		}
		s.stats.pending++
		s.pending.Add(1)
	}
	for i := range s.cursors {
		s.cursors[i] = s.waiting.head
	}
	r.queue(now, seen)
	for _, n := range list {
		if e := s.entries.At(n); (e.state == pending || e.state == rooted) && e.bytes >= 2*s.waits.size {
			s.decide(n, bySize, now)
		}
	}
	s.count()
}

// queue sends kept parts on their way, in the order of the decisions.
func (r *reader) queue(now, seen int64) {
	byDecision := make([]int, len(r.ready))
	for i := range byDecision {
		byDecision[i] = i
	}
	slices.SortFunc(byDecision, func(a, b int) int { return cmp.Compare(r.order[a], r.order[b]) })
	for _, i := range byDecision {
		e := r.s.entries.At(r.ready[i])
		e.arrived = now - (seen-e.arrived)*1e6
		r.s.queue(r.ready[i], e)
	}
}

// writeJournal writes everything that is known of traces into the shard's own journal.
func (r *reader) writeJournal() {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	now := r.s.unixMilli(r.p.now())
	ids := make([]wire.TraceID, len(r.fates.parts))
	for id, n := range r.fates.last {
		for ; n != 0; n = r.fates.parts[n-1].before {
			ids[n-1] = id
		}
	}
	for i := range r.fates.parts {
		f := &r.fates.parts[i]
		e := spanlog.Event{
			Kind: spanlog.Decided, Verdict: uint8(f.verdict), Late: f.late, Policy: int(f.policy), TraceID: ids[i],
			From: f.from, To: f.to, At: f.at, Threshold: f.threshold, Random: f.rv,
		}
		r.s.journal.Put(&e, now)
		if e.Kind = spanlog.Attempted; f.attempted {
			r.s.journal.Put(&e, now)
		}
		if e.Kind = spanlog.Delivered; f.done {
			r.s.journal.Put(&e, now)
		}
	}
}
