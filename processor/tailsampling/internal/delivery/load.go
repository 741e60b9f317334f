package delivery

import (
	"errors"

	"github.com/slowburn/slowburn/internal/clock"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/spanlog"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/buffer"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/delivery/internal/dress"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/shard"
	"github.com/slowburn/slowburn/processor/tailsampling/internal/tally"
)

// A load ends before the trace that would make it larger than this. A larger trace is a load of its own.
const (
	maxLoadBytes = 1 << 20
	maxLoadSpans = 2000
)

// load holds copies of kept traces that a sender took out of the log, until each is settled: accepted, refused, set aside or
// given up. Its memory is reused for the next.
type load struct {
	d        *Destination
	kept     wire.Kept
	traces   []outgoing // as kept.Traces
	open     int        // number of unsettled traces
	room     room
	origins  map[uint64]origin // by number in the log
	services []*tally.Service  // by resource, set at the first delivery
	repaired dress.Repairs
	err      error // of the last trace that could not be read

	sender *Sender
	large
	shelf    *shelf  // has others' loads to copy traces from
	borrowed []*load // loads from which traces were copied; they own what was found of them
	hold
}

// room limits the contents of a load.
type room struct{ bytes, spans int }

// large is a large trace's part of the quota.
type large struct {
	share   int64 // 0 if it has none
	forced  bool  // it gets a share whatever others hold
	blocked bool  // it must wait for a share
	trimmed int   // number of its resources that were cut
}

// origin has the numbers of a resource and a scope in load.kept.
type origin struct{ resource, scope int32 }

// outgoing is a kept trace, or a late part of one, in a load.
type outgoing struct {
	shard.Kept
	member  *buffer.Member
	settled bool
	lost    int  // spans that could not be read; a later try may succeed
	dressed bool // it was dressed
	first   bool // no other sender with the same shelf holds it, or held it
	dress.Found
}

// shared reports whether other senders may copy a trace.
func (t *outgoing) shared() bool { return t.dressed && t.lost == 0 }

// maxKept is the largest memory that a load keeps for reuse.
const maxKept = 6 * maxLoadBytes

func (l *load) reset() {
	l.kept.Reset()
	if l.origins == nil {
		l.origins = map[uint64]origin{}
	}
	clear(l.origins)
	l.services = l.services[:0]
	l.repaired.Reset()
	clear(l.traces)
	l.traces, l.open, l.err = l.traces[:0], 0, nil
}

// fits reports whether there is room for a trace. The first trace always fits: if it is too large it needs a share, see large.go.
func (l *load) fits(k *shard.Kept) bool {
	return len(l.traces) == 0 || l.share == 0 && len(l.kept.Bytes)+k.Bytes <= l.room.bytes && len(l.kept.Spans)+k.Spans <= l.room.spans
}

// fill takes ready traces, shard by shard, and reports whether there are more than the load holds; then the next load begins with
// another shard. If another sender is about to settle ready traces, it returns that sender's load.
func (l *load) fill(members []*buffer.Member, first *int) (full bool, holder *load) {
	for i := range members {
		m := members[(*first+i)%len(members)]
		m.Lock()
		all, held := l.take(m, l.d.out.Buffer.Now())
		m.Unlock()
		if !all {
			*first = (*first + i + 1) % len(members)
			return true, nil
		}
		if held != nil {
			holder = held
		}
	}
	return false, holder
}

// take moves ready traces out of the shard's list for the destination and copies their spans, as far as there is room, and up
// to traces that another sender is about to settle: if the first one is such a trace, it returns that sender's load. It reports
// whether there was room for all. The caller holds the shard's mutex.
func (l *load) take(m *buffer.Member, now clock.Monotonic) (all bool, holder *load) {
	out := m.Outgoing(l.d.Index)
	for {
		k, more := out.Next()
		if !more {
			return true, nil
		}
		if !l.fits(&k) {
			return false, nil
		}
		if holder := l.shelf.holder(k.Ref); holder != nil {
			return true, holder
		}
		out.Take(k.Slot, now)
		if !l.add(m, k) {
			out.PutBack(k.Slot)
			return l.blocked, nil // other shards may have smaller traces
		}
	}
}

// add copies a taken trace. It reports whether it is done with it; if not it must be tried again: the disk failed to read it back,
// or it is large and needs a load of its own, or memory.
func (l *load) add(m *buffer.Member, k shard.Kept) bool {
	if size := l.sizeOf(m, &k); size > 0 && (len(l.traces) > 0 || !l.reserve(size)) {
		return false
	}
	if borrowed, err := l.borrow(m, &k); borrowed {
		return true
	} else if err != nil { // it is large
		return len(l.traces) == 0 && l.add(m, k)
	}
	first := len(l.kept.Spans)
	l.kept.Begin(wire.KeptTrace{ID: k.ID, Late: k.Late})
	switch err := l.read(m, &k); {
	case errors.Is(err, errLarge):
		l.kept.Undo()
		l.measure(m, &k)
		return len(l.traces) == 0 && l.add(m, k)
	case err != nil:
		l.err = err
		if errors.Is(err, spanlog.ErrTooManyFiles) || m.Outgoing(l.d.Index).Unreadable(k.Slot) {
			l.kept.Undo()
			return false
		}
	}
	l.traces = append(l.traces, outgoing{Kept: k, member: m, lost: k.Spans - (len(l.kept.Spans) - first)})
	l.open++
	l.traces[len(l.traces)-1].first = l.shelf.take(l, len(l.traces)-1)
	return true
}

// borrow copies a trace from another destination's load, if it is on the shelf. The error is errLarge.
func (l *load) borrow(m *buffer.Member, k *shard.Kept) (bool, error) {
	var held *load
	if n := len(l.borrowed); n > 0 {
		held = l.borrowed[n-1]
	}
	of, found := l.shelf.borrow(k.Ref, held)
	if !found {
		return false, nil
	}
	if of.load != held {
		l.borrowed = append(l.borrowed, of.load)
	}
	if l.isLarge(k, &of.kept, of.trace) {
		return false, errLarge
	}
	if !l.kept.AddCopy(&of.kept, of.trace) {
		return false, nil
	}
	l.traces = append(l.traces, outgoing{Kept: *k, member: m, dressed: true, Found: of.traces[of.trace].Found})
	l.open++
	return true, nil
}

// read copies a trace's spans. It skips spans that the disk fails to read back, and returns the error. It stops with errLarge when
// the trace turns out to be too large for the load's room.
func (l *load) read(m *buffer.Member, k *shard.Kept) (err error) {
	if l.d.out.Buffer.Mapped { // reading can fault
		defer spanlog.Guard(&err)()
	}
	var failed error
	before, headers := len(l.kept.Bytes), 0
	for r, err := range m.Outgoing(l.d.Index).Records(k.Slot, pauseIn(m, k)) {
		if err != nil {
			failed = err
			continue
		}
		o, known := l.origins[r.Origin]
		if !known {
			if l.share == 0 && len(l.kept.Bytes)-before+len(r.Resource)+len(r.Scope) > l.room.bytes {
				return errLarge
			}
			at := len(l.kept.Bytes)
			resource, scope := l.headers(&r, headers)
			o = origin{resource: l.kept.AddResource(resource), scope: l.kept.AddScope(scope)}
			l.origins[r.Origin] = o
			headers += len(l.kept.Bytes) - at
		}
		l.kept.AddSpan(r.Body, o.resource, o.scope)
	}
	return failed
}

// pauseIn unlocks the shard for others while a file is read and, for a large trace, also between any two of its runs.
func pauseIn(m *buffer.Member, k *shard.Kept) spanlog.Pause {
	if k.Bytes > maxLoadBytes {
		return m.Turns
	}
	return m.WhileReading
}

// spansSent returns the number of spans of the traces from, up to but not including, to, that the destination
// has already.
func (l *load) spansSent(from, to int) (n int) {
	traces := l.kept.Traces
	for i := traces[from].From; i < traces[to-1].To; i++ {
		if l.kept.Spans[i].Sent {
			n++
		}
	}
	return n
}
