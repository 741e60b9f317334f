package tailsampling

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/spanlog"
)

// A batch ends before the trace that would make it larger than this. A larger trace is a batch of its own.
const (
	maxBatchBytes = 1 << 20
	maxBatchSpans = 2000
)

// batch is kept traces on their way out, copied from the log so that no lock is held while they are decoded and
// delivered. Its memory is used again for the next.
type batch struct {
	traces   []outgoing
	spans    []span
	origins  []origin
	known    map[uint64]int32 // index of an origin, by its number in the log
	arena    []byte           // span bodies and headers
	services []*service       // by origin, once delivered
	builder  wire.Builder
	lost     int   // spans that could not be read
	err      error // why, of the last
	repeats  int   // spans that are passed on once although they are there more than once

	// Of the trace being built.
	resources map[string]int32 // by header: place in the trace
	scopes    map[scopeKey]int32
	places    map[int32]place // by origin
}

// outgoing is a trace, or a late part of one.
type outgoing struct {
	shard     *shard
	slot      uint32
	id        wire.TraceID
	policy    int32
	threshold uint64
	rv        uint64
	late      bool
	linked    wire.TraceID // the trace for which it is kept, zero if that is not the reason
	first     int          // of spans: its own are up to the next trace's first
	resources int          // ResourceSpans that were built for it
}

type span struct {
	body   wire.Range // of arena
	origin int32
	start  uint64
	id     wire.SpanID
	place  place
}

type origin struct{ resource, scope wire.Range } // of arena

type scopeKey struct {
	resource int32
	header   string
}

// place is where a span goes: resources are in the order of their first spans, and so are the scopes of each.
type place struct{ resource, scope int32 }

func newBatch() *batch {
	return &batch{
		known:     map[uint64]int32{},
		resources: map[string]int32{},
		scopes:    map[scopeKey]int32{},
		places:    map[int32]place{},
	}
}

// maxKept is the most memory that a batch keeps for the next.
const maxKept = 4 * maxBatchBytes

func (b *batch) reset() {
	if cap(b.arena) > maxKept {
		*b = *newBatch()
	}
	b.lost, b.err = 0, nil
	b.traces, b.spans, b.origins, b.arena = b.traces[:0], b.spans[:0], b.origins[:0], b.arena[:0]
	clear(b.known)
}

// take moves traces that are ready out of the shard's list and copies their spans, as far as there is room. It reports
// whether there was room for all. The caller has the shard's mutex.
func (b *batch) take(s *shard, now int64) bool {
	for !s.ready.empty() {
		n := s.ready.head
		e := s.entries.At(n)
		if len(b.traces) > 0 && (len(b.arena)+int(e.bytes) > maxBatchBytes || len(b.spans)+int(e.spans) > maxBatchSpans) {
			return false
		}
		s.ready.remove(&s.entries, n)
		b.traces = append(b.traces, outgoing{
			shard: s, slot: n, id: e.id, policy: e.policy, threshold: e.threshold, rv: e.rv, late: e.state == late,
			linked: s.linkedWith(e), first: len(b.spans),
		})
		s.attempt(e, now)
		before := len(b.spans)
		if err := b.read(s, e); err != nil {
			b.err = err
			if e.tries++; e.tries < mostTries {
				b.undo(before)
				s.ready.pushFront(&s.entries, n)
				return false
			}
		}
		b.lost += int(e.spans) - (len(b.spans) - before)
	}
	return true
}

// mostTries is how often a trace that the disk does not give back is tried, with pauses in between, before what cannot be
// read of it is given up.
const mostTries = 6

// undo takes the last trace out again.
func (b *batch) undo(spans int) {
	b.spans = b.spans[:spans]
	b.traces = b.traces[:len(b.traces)-1]
}

// read copies a trace's spans. What the disk does not give back is left out, and told.
func (b *batch) read(s *shard, e *entry) (err error) {
	if s.journal != nil {
		defer spanlog.Guard(&err)()
	}
	var failed error
	for r, err := range s.log.Records(e.chain, breather(s, e)) {
		if err != nil {
			failed = err
			continue
		}
		i, found := b.known[r.Origin]
		if !found {
			i = int32(len(b.origins))
			b.origins = append(b.origins, origin{resource: b.copy(r.Resource), scope: b.copy(r.Scope)})
			b.known[r.Origin] = i
		}
		b.spans = append(b.spans, span{body: b.copy(r.Body), origin: i})
	}
	return failed
}

// breather lets others have the shard while a large trace is copied, between any two of its runs. The trace is no longer
// in any list, so nobody else touches it.
func breather(s *shard, e *entry) func() {
	if e.bytes <= maxBatchBytes {
		return nil
	}
	return func() {
		s.mu.Unlock()
		s.mu.Lock()
	}
}

func (b *batch) copy(from []byte) wire.Range {
	off := len(b.arena)
	b.arena = append(b.arena, from...)
	return wire.Range{Off: uint32(off), End: uint32(len(b.arena))}
}

// build makes an OTLP request of the traces, one after the other. It also returns how many spans have fields that
// will not survive decoding.
//
// Spans of a trace that do not differ in a byte are one: a request that failed when a part of it was stored already, or
// whose answer was lost, is sent again.
func (b *batch) build() (request []byte, unknown int, err error) {
	b.builder.Reset()
	b.repeats = 0
	for i := range b.traces {
		t := &b.traces[i]
		spans := b.spansOf(i)
		for j := range spans {
			parsed, err := wire.ParseSpan(spans[j].body.Of(b.arena))
			if err != nil {
				return nil, 0, err
			}
			spans[j].start, spans[j].id = parsed.Start, parsed.ID
			if parsed.Unknown {
				unknown++
			}
		}
		slices.SortFunc(spans, b.compare)
		spans = b.unique(spans)
		b.arrange(t, spans)
		b.emit(spans)
	}
	return b.builder.Bytes(), unknown, nil
}

func (b *batch) spansOf(trace int) []span {
	if trace+1 < len(b.traces) {
		return b.spans[b.traces[trace].first:b.traces[trace+1].first]
	}
	return b.spans[b.traces[trace].first:]
}

// compare orders spans by what they are alone, so that neither the order in which they came nor their batching matters.
func (b *batch) compare(x, y span) int {
	if c := cmp.Or(cmp.Compare(x.start, y.start), bytes.Compare(x.id[:], y.id[:])); c != 0 {
		return c
	}
	of := func(r wire.Range) []byte { return r.Of(b.arena) }
	ox, oy := &b.origins[x.origin], &b.origins[y.origin]
	return cmp.Or(
		bytes.Compare(of(x.body), of(y.body)),
		bytes.Compare(of(ox.resource), of(oy.resource)),
		bytes.Compare(of(ox.scope), of(oy.scope)))
}

// unique returns the first of each of the sorted spans that are the same, and leaves the others behind them.
func (b *batch) unique(spans []span) []span {
	n := 0
	for i := range spans {
		if i > 0 && b.compare(spans[n-1], spans[i]) == 0 {
			b.repeats++
			continue
		}
		spans[n], spans[i] = spans[i], spans[n]
		n++
	}
	return spans[:n]
}

// arrange gives each span its place: what has the same resource goes together, and within that what has the same scope.
func (b *batch) arrange(t *outgoing, spans []span) {
	clear(b.resources)
	clear(b.scopes)
	clear(b.places)
	for i := range spans {
		at, known := b.places[spans[i].origin]
		if !known {
			at = b.placeOf(&b.origins[spans[i].origin])
			b.places[spans[i].origin] = at
		}
		spans[i].place = at
	}
	t.resources = len(b.resources)
	slices.SortStableFunc(spans, func(x, y span) int {
		return cmp.Or(cmp.Compare(x.place.resource, y.place.resource), cmp.Compare(x.place.scope, y.place.scope))
	})
}

func (b *batch) placeOf(o *origin) (p place) {
	header := o.resource.Of(b.arena)
	resource, known := b.resources[string(header)]
	if !known {
		resource = int32(len(b.resources))
		b.resources[string(header)] = resource
	}
	key := scopeKey{resource: resource, header: string(o.scope.Of(b.arena))}
	scope, known := b.scopes[key]
	if !known {
		scope = int32(len(b.scopes))
		b.scopes[key] = scope
	}
	return place{resource: resource, scope: scope}
}

// emit writes arranged spans.
func (b *batch) emit(spans []span) {
	last := place{-1, -1}
	for i := range spans {
		s := &spans[i]
		if s.place.resource != last.resource {
			b.builder.Resource(b.origins[s.origin].resource.Of(b.arena))
		}
		if s.place != last {
			b.builder.Scope(b.origins[s.origin].scope.Of(b.arena))
		}
		last = s.place
		b.builder.Span(s.body.Of(b.arena))
	}
}
