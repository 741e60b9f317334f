package recovery

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/policy"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/decision"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/index"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
)

// reader restores one shard.
type reader struct {
	store   *Store
	member  *buffer.Member
	restore *shard.Restorer
	fates   *fates
	copies  map[spanlog.Position]struct{}  // spans that were found as copies
	places  map[uint64][]uint32            // by sequence of a segment: places of its spans, ascending
	last    clock.UnixMilli                // when the last span came
	marked  map[wire.TraceID]spanlog.Event // traces that must be kept
}

func newReader(st *Store, m *buffer.Member) *reader {
	return &reader{
		store: st, member: m, restore: shard.NewRestorer(m.Shard), fates: newFates(),
		copies: map[spanlog.Position]struct{}{}, places: map[uint64][]uint32{}, marked: map[wire.TraceID]spanlog.Event{},
	}
}

// event applies an event of the journal. name is the current number of its policy.
func (r *reader) event(e *spanlog.Event, name int32, hash uint32, to *roster) {
	r.last = max(r.last, decision.Seconds(e.At).UnixMilli())
	if e.Kind == spanlog.Marked {
		r.marked[wire.TraceID(e.TraceID)] = *e
		return
	}
	if !r.fates.add(e, name, to) {
		return
	}
	r.member.Lock()
	defer r.member.Unlock()
	r.restore.Remember(hash, decision.Remembered{ID: wire.TraceID(e.TraceID), Policy: name, At: decision.Seconds(e.At)},
		policy.Verdict(e.Verdict), decision.Weight{Threshold: e.Threshold, Random: e.Random})
}

// adopt reads a segment of this shard and keeps it in its place.
func (r *reader) adopt(f *spanlog.SegmentFile, scratch []byte) []byte {
	m := r.member
	m.Lock()
	defer m.Unlock()
	type wanted struct {
		found spanlog.Found
		slot  index.Slot
	}
	var list []wanted
	contents, damage, err := f.Read(scratch, func(found spanlog.Found) {
		span, err := wire.ParseSpan(found.Body)
		if err != nil {
			r.store.Lost.Add(1)
			return
		}
		if n := r.place(&found, &span, uint32(r.store.buffer.Seed.Hash(span.TraceID))); n != 0 {
			found.Body, found.Resource, found.Scope = nil, nil, nil
			list = append(list, wanted{found, n})
		}
	})
	if err != nil {
		r.store.report(unreadable(f, err))
		return contents.Scratch()
	}
	r.store.report(damage)
	number := m.Log.Adopt(f, contents)
	for i := range list {
		m.Log.Attach(r.restore.Chain(list[i].slot), number, contents, &list[i].found)
	}
	m.Log.Settle(number)
	r.restore.Account()
	return contents.Scratch()
}

// copy stores a span from a segment of other shards in this one.
func (r *reader) copy(found *spanlog.Found, span *wire.Span, hash uint32) {
	m := r.member
	m.Lock()
	defer m.Unlock()
	n := r.place(found, span, hash)
	if n == 0 {
		return
	}
	var o spanlog.Origin
	o.Set(found.Resource, found.Scope)
	m.Log.AppendCopy(r.restore.Chain(n), &o, found.Body, found.Position, found.Arrived)
	r.restore.Account()
}

// place adds a span to its entry, which it makes if there is none. It returns 0 if the span is not needed any
// more, or is there already.
func (r *reader) place(found *spanlog.Found, span *wire.Span, hash uint32) (n index.Slot) {
	r.last = max(r.last, clock.UnixMilli(found.Arrived))
	if r.twice(found) {
		return 0
	}
	part, followed := r.fates.find(span.TraceID, found.Position)
	if part != nil && (part.waits.today() == 0 || part.verdict != policy.Sampled) {
		return 0
	}
	var fresh bool
	switch {
	case part != nil:
		if fresh = part.slot == 0; fresh {
			part.slot = r.restore.Kept(part.kept(span.TraceID, hash))
		}
		n = part.slot
	case followed != nil:
		late := followed.kept(span.TraceID, hash)
		late.Failed = span.Status == wire.StatusError
		n, fresh = r.restore.Late(late, found.Position, clock.UnixMilli(found.Arrived))
	default:
		n, fresh = r.restore.Pending(found, span, hash)
		if _, marked := r.marked[span.TraceID]; marked && fresh {
			r.restore.Mark(n)
		}
	}
	r.restore.Count(n, len(found.Body))
	if fresh {
		r.store.Traces.Add(1)
	}
	r.store.Spans.Add(1)
	if part != nil {
		r.store.Repeated.Add(int64(part.attempted.today().Len()))
	}
	return n
}

// twice reports whether the span was found before: a crash interrupted its copying, forward or to another
// shard.
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

// finish puts the entries into the lists. last is the arrival of the last span of all shards.
func (r *reader) finish(last clock.UnixMilli) {
	r.member.Lock()
	defer r.member.Unlock()
	r.restore.Finish(r.store.buffer.Now(), last)
}

// writeJournal writes all that is known of traces into the shard's own journal, and returns the number of events that could
// not be written.
func (r *reader) writeJournal() (skipped int64) {
	b := r.store.buffer
	r.member.Lock()
	defer r.member.Unlock()
	now := int64(b.UnixMilli(b.Now()))
	for e := range r.fates.events(len(b.Destinations)) {
		r.member.Journal.Put(&e, now)
	}
	marks := slices.SortedFunc(maps.Values(r.marked), func(a, b spanlog.Event) int {
		return cmp.Or(cmp.Compare(a.From, b.From), bytes.Compare(a.TraceID[:], b.TraceID[:]))
	})
	for i := range marks {
		r.member.Journal.Put(&marks[i], now)
	}
	return r.member.Journal.Skipped
}
