// Package linked remembers the links between traces.
//
// A trace that is linked with one that its own policies keep is kept too, whichever of the two has the link or is decided
// first, as long as its spans are there. A trace that is kept only for a link makes no other be kept. It has no weight,
// since neither its own properties nor its randomness chose it.
//
// The types are Ties (the links of a shard's traces) and Message (from one shard to another). Ties are guarded by their
// shard's mutex; messages are queued under it, and delivered without it.
package linked

import (
	"github.com/slowburn/slowburn/internal/slab"
	"github.com/slowburn/slowburn/internal/wire"
)

// PolicyName stands in place of a policy for traces that are kept only for a link. No policy may have it.
const PolicyName = "linked_traces"

// Message tells the shard of Trace that Other is linked with it.
type Message struct {
	Trace, Other wire.TraceID
	Wanted       bool // Other is kept by its policies, so Trace must be kept too
}

// Tie is a link of a trace with another one.
type Tie struct {
	Trace, Other wire.TraceID
	Hash         uint32 // of Trace
	Wanted       bool   // Other is kept by its policies
}

// Ties remembers the latest ties, up to a limit. It holds no pointers but its own.
type Ties struct {
	perTrace int
	ring     slab.Ring[Tie]
}

// NewTies returns empty Ties with limits for all traces together and for one trace.
func NewTies(limit, perTrace int) *Ties {
	return &Ties{perTrace: perTrace, ring: slab.NewRing(limit, func(t *Tie) uint32 { return t.Hash })}
}

// Add remembers a tie. It reports whether the tie is new, and whether there was room for it.
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

// Wanted returns the linked trace that is kept by its policies, the one with the lowest ID if there are several.
func (l *Ties) Wanted(hash uint32, trace *wire.TraceID) (other wire.TraceID, found bool) {
	for i := range l.ring.Places(hash) {
		t := l.ring.At(i)
		if t.Trace == *trace && t.Wanted && (!found || string(t.Other[:]) < string(other[:])) {
			other, found = t.Other, true
		}
	}
	return other, found
}

// AppendWanted appends a message to each linked trace: this trace is kept by its policies.
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
