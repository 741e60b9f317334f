// Package linked remembers which traces are linked with which.
//
// A trace that is linked with one that its own policies keep is kept too, whichever of them has the link, and whichever is
// decided first, as long as its spans are there. Only what is kept for its own sake makes others be kept. What is kept for
// a link alone has no weight, as neither what it is nor its randomness chose it.
//
// The types are Ties (the links of a shard's traces) and Message (from one shard to another). Ties are guarded
// by their shard's mutex; messages are queued while it is held, and passed on when it is not.
package linked

import (
	"github.com/slowburn/slowburn/internal/slab"
	"github.com/slowburn/slowburn/internal/wire"
)

// PolicyName is the name under which traces are kept for a link alone. No policy may have it.
const PolicyName = "linked_traces"

// Message informs the shard of Trace that Other is linked with it.
type Message struct {
	Trace, Other wire.TraceID
	Wanted       bool // Other is kept for its own sake, so that Trace is to be kept too
}

// Tie is a trace's link with another one.
type Tie struct {
	Trace, Other wire.TraceID
	Hash         uint32 // of Trace
	Wanted       bool   // Other is kept for its own sake
}

// Ties remembers the latest ties, up to a limit. It holds no pointers but its own.
type Ties struct {
	perTrace int
	ring     slab.Ring[Tie]
}

// NewTies returns empty Ties for so many in all, and so many of one trace.
func NewTies(limit, perTrace int) *Ties {
	return &Ties{perTrace: perTrace, ring: slab.NewRing(limit, func(t *Tie) uint32 { return t.Hash })}
}

// Add remembers a tie. It reports whether that is new, and whether there was room: a trace has a limited number of them.
func (l *Ties) Add(t Tie) (added, room bool) {
	n := 0
	for i := range l.ring.Places(t.Hash) {
		known := l.ring.At(i)
		if known.Trace != t.Trace {
			continue
		}
		if known.Other == t.Other {
			added = t.Wanted && !known.Wanted
			known.Wanted = known.Wanted || t.Wanted
			return added, true
		}
		n++
	}
	if n >= l.perTrace || l.ring.Put(t.Hash, t) < 0 {
		return false, false
	}
	return true, true
}

// Wanted returns a trace that is kept for its own sake and linked with this one, the least ID of those that are.
func (l *Ties) Wanted(hash uint32, trace *wire.TraceID) (other wire.TraceID, found bool) {
	for i := range l.ring.Places(hash) {
		t := l.ring.At(i)
		if t.Trace == *trace && t.Wanted && (!found || string(t.Other[:]) < string(other[:])) {
			other, found = t.Other, true
		}
	}
	return other, found
}

// AppendWanted appends a message to each trace that is linked with this one: that it is kept for its own sake.
func (l *Ties) AppendWanted(messages []Message, hash uint32, trace *wire.TraceID) []Message {
	for i := range l.ring.Places(hash) {
		if t := l.ring.At(i); t.Trace == *trace {
			messages = append(messages, Message{Trace: t.Other, Other: *trace, Wanted: true})
		}
	}
	return messages
}

// Len is how many ties are remembered.
func (l *Ties) Len() int { return l.ring.Len() }

// Bytes is how much memory the ties occupy; 0 for nil Ties.
func (l *Ties) Bytes() int {
	if l == nil {
		return 0
	}
	return l.ring.Bytes()
}
