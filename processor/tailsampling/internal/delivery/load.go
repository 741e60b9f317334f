package delivery

import (
	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// A load ends before the trace that would make it larger than this. A larger trace is a load of its own.
const (
	maxLoadBytes = 1 << 20
	maxLoadSpans = 2000
)

// load is kept traces that a sender took out of the log, copied, until each is settled: accepted, refused, set apart or given
// up. Its memory is used again for the next.
type load struct {
	d        *Destination
	kept     wire.Kept
	traces   []outgoing // as kept.Traces
	open     int        // how many are not settled
	room     room
	origins  map[uint64]origin // by number in the log
	services []*tally.Service  // by resource, once delivered
	repaired repairs
	err      error // why a trace could not be read, of the last
}

// room is how much a load may hold.
type room struct{ bytes, spans int }

// origin is the numbers of a resource and a scope in load.kept.
type origin struct{ resource, scope int32 }

// outgoing is a kept trace, or a late part of one, in a load.
type outgoing struct {
	shard.Kept
	member  *buffer.Member
	settled bool
	lost    int // spans that could not be read, and are lost unless they can be when the trace is read again
	found
}

// found is what was noticed of a trace's spans while it was dressed, to be counted when it is delivered.
type found struct {
	repeats          int // that are passed on once although they are there more than once
	unknown          int // with fields that will not survive decoding
	withoutThreshold int // that could not get one
	repaired         int // of which text was not UTF-8, or that of their resource or scope
}

// maxKept is the most memory that a load keeps for the next.
const maxKept = 4 * maxLoadBytes

func (l *load) reset() {
	if l.kept.Memory() > maxKept {
		*l = load{d: l.d}
	}
	l.kept.Reset()
	if l.origins == nil {
		l.origins = map[uint64]origin{}
	}
	clear(l.origins)
	l.services = l.services[:0]
	l.repaired.reset()
	clear(l.traces)
	l.traces, l.open, l.err = l.traces[:0], 0, nil
}

// fits reports whether there is room for a trace. There always is for the first.
func (l *load) fits(k *shard.Kept) bool {
	return len(l.traces) == 0 || len(l.kept.Bytes)+k.Bytes <= l.room.bytes && len(l.kept.Spans)+k.Spans <= l.room.spans
}

// take moves traces that are ready out of the shard's list for the destination and copies their spans, as far as there is
// room. It reports whether there was room for all. The caller has the shard's mutex.
func (l *load) take(m *buffer.Member, now clock.Monotonic) bool {
	out := m.Outgoing(l.d.Index)
	for {
		k, more := out.Next()
		if !more {
			return true
		}
		if !l.fits(&k) {
			return false
		}
		out.Take(k.Slot, now)
		if !l.add(m, k) {
			out.PutBack(k.Slot)
			return false
		}
	}
}

// add copies a trace that was taken. It reports false where the disk did not give it back and it is to be tried again.
func (l *load) add(m *buffer.Member, k shard.Kept) bool {
	first := len(l.kept.Spans)
	l.kept.Begin(wire.KeptTrace{ID: k.ID, Late: k.Late})
	if err := l.read(m, &k); err != nil {
		l.err = err
		if m.Outgoing(l.d.Index).Unreadable(k.Slot) {
			l.kept.Undo()
			return false
		}
	}
	l.traces = append(l.traces, outgoing{Kept: k, member: m, lost: k.Spans - (len(l.kept.Spans) - first)})
	l.open++
	return true
}

// read copies a trace's spans. What the disk does not give back is left out, and told.
func (l *load) read(m *buffer.Member, k *shard.Kept) (err error) {
	if l.d.out.Buffer.Mapped { // reading can fault
		defer spanlog.Guard(&err)()
	}
	var failed error
	for r, err := range m.Outgoing(l.d.Index).Records(k.Slot, pauseIn(m, k)) {
		if err != nil {
			failed = err
			continue
		}
		o, known := l.origins[r.Origin]
		if !known {
			o = origin{resource: l.kept.AddResource(r.Resource), scope: l.kept.AddScope(r.Scope)}
			l.origins[r.Origin] = o
		}
		l.kept.AddSpan(r.Body, o.resource, o.scope)
	}
	return failed
}

// pauseIn lets others have the shard while a large trace is copied, between any two of its runs. It is nil for a trace that is
// not large.
func pauseIn(m *buffer.Member, k *shard.Kept) func() {
	if k.Bytes <= maxLoadBytes {
		return nil
	}
	return func() {
		m.Unlock()
		m.Lock()
	}
}

// spansSent is how many spans of the traces from, up to but without to, the destination has already.
func (l *load) spansSent(from, to int) (n int) {
	traces := l.kept.Traces
	for i := traces[from].From; i < traces[to-1].To; i++ {
		if l.kept.Spans[i].Sent {
			n++
		}
	}
	return n
}
