package delivery

import (
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// A batch ends before the trace that would make it larger than this. A larger trace is a batch of its own.
const (
	maxBatchBytes = 1 << 20
	maxBatchSpans = 2000
)

// batch is kept traces on their way out. Its memory is used again for the next.
type batch struct {
	traces   []outgoing
	spans    []span
	origins  []origin
	known    map[uint64]int32 // index of an origin, by its number in the log
	arena    []byte           // span bodies and headers
	services []*tally.Service // by origin, once delivered
	builder  wire.Builder
	lost     int   // spans that could not be read, and are lost unless the batch is put back
	err      error // why, of the last
	repeats  int   // spans that are passed on once although they are there more than once

	// Of the trace being built.
	resources map[string]int32 // by header: place in the trace
	scopes    map[scopeKey]int32
	places    map[int32]place // by origin
}

// outgoing is a kept trace, or a late part of one, in a batch.
type outgoing struct {
	shard.Kept
	member    *buffer.Member
	first     int // of spans: its own are up to the next trace's first
	resources int // ResourceSpans that were built for it
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
// whether there was room for all. The caller has the shard's mutex. mapped says that reading can fault.
func (b *batch) take(m *buffer.Member, mapped bool, now clock.Monotonic) bool {
	out := m.Outgoing(0)
	for {
		k, more := out.Next()
		if !more {
			return true
		}
		if len(b.traces) > 0 && (len(b.arena)+k.Bytes > maxBatchBytes || len(b.spans)+k.Spans > maxBatchSpans) {
			return false
		}
		out.Take(k.Slot, now)
		first := len(b.spans)
		b.traces = append(b.traces, outgoing{Kept: k, member: m, first: first})
		if err := b.read(m, &k, mapped); err != nil {
			b.err = err
			if out.Unreadable(k.Slot) {
				b.spans = b.spans[:first]
				b.traces = b.traces[:len(b.traces)-1]
				out.PutBack(k.Slot)
				return false
			}
		}
		b.lost += k.Spans - (len(b.spans) - first)
	}
}

// read copies a trace's spans. What the disk does not give back is left out, and told.
func (b *batch) read(m *buffer.Member, k *shard.Kept, mapped bool) (err error) {
	if mapped {
		defer spanlog.Guard(&err)()
	}
	var failed error
	for r, err := range m.Outgoing(0).Records(k.Slot, pauseIn(m, k)) {
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

// pauseIn lets others have the shard while a large trace is copied, between any two of its runs. The trace is in no list,
// so nobody else touches it. It is nil for a trace that is not large.
func pauseIn(m *buffer.Member, k *shard.Kept) func() {
	if k.Bytes <= maxBatchBytes {
		return nil
	}
	return func() {
		m.Unlock()
		m.Lock()
	}
}

func (b *batch) copy(from []byte) wire.Range {
	off := len(b.arena)
	b.arena = append(b.arena, from...)
	return wire.Range{Off: uint32(off), End: uint32(len(b.arena))}
}
