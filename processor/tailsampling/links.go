package tailsampling

import (
	"unsafe"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/slab"
)

// links remembers which traces are linked with which, the latest ones up to a limit; the oldest is forgotten for the
// next. It holds no pointers but its own, and grows as needed.
type links struct {
	limit    int
	perTrace int // others that a trace can be linked with
	ring     []tie
	oldest   int // where the ring goes on once it is full
	table    slab.Table
}

// tie is what is known here of a trace: that it is linked with another one.
type tie struct {
	trace, other wire.TraceID
	hash         uint32 // of trace
	wanted       bool   // the other is kept for its own sake
}

// add remembers a tie. It reports whether that is new, and whether there was room: a trace has a limited number of them.
func (l *links) add(t tie) (added, room bool) {
	n := 0
	for i := range l.of(t.hash, &t.trace) {
		known := &l.ring[i]
		if known.other == t.other {
			added = t.wanted && !known.wanted
			known.wanted = known.wanted || t.wanted
			return added, true
		}
		n++
	}
	if n >= l.perTrace || l.limit == 0 {
		return false, false
	}
	i := len(l.ring)
	if i < l.limit {
		l.ring = append(l.ring, t)
	} else {
		i = l.oldest
		if l.oldest++; l.oldest == l.limit {
			l.oldest = 0
		}
		l.table.Remove(l.ring[i].hash, uint32(i+1))
		l.ring[i] = t
	}
	l.table.Insert(t.hash, uint32(i+1))
	return true, true
}

// of iterates over the places in the ring of what is known of a trace.
func (l *links) of(hash uint32, trace *wire.TraceID) func(func(int) bool) {
	return func(yield func(int) bool) {
		for n, at := l.table.First(hash); n != 0; n, at = l.table.Next(hash, at) {
			if l.ring[n-1].trace == *trace && !yield(int(n-1)) {
				return
			}
		}
	}
}

// wanted returns a trace that is kept for its own sake and linked with this one, the least ID of those that are.
func (l *links) wanted(hash uint32, trace *wire.TraceID) (by wire.TraceID, found bool) {
	for i := range l.of(hash, trace) {
		if t := &l.ring[i]; t.wanted && (!found || string(t.other[:]) < string(by[:])) {
			by, found = t.other, true
		}
	}
	return by, found
}

// bytes is how much memory that takes.
func (l *links) bytes() int {
	if l == nil {
		return 0
	}
	return cap(l.ring)*int(unsafe.Sizeof(tie{})) + l.table.Bytes()
}
