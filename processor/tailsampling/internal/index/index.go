// Package index finds entries by trace ID and keeps them in lists. It knows nothing of policies or of the span log.
//
// Its types are Index (the entries, by slot and by trace ID), List (a doubly linked list of entries) and Node (which an
// entry embeds for both). An Index belongs to one shard and is guarded by its mutex.
package index

import (
	"github.com/slowburn/slowburn/internal/slab"
	"github.com/slowburn/slowburn/internal/wire"
)

// Slot numbers an entry while it is in use. 0 is none.
type Slot uint32

// Node is what an entry embeds: its trace and its places in lists.
type Node struct {
	ID        wire.TraceID
	Hash      uint32 // of ID, for tables
	neighbors [kinds]neighbors
}

func (n *Node) node() *Node { return n }

// Entry is a pointer to a type that embeds Node and holds no pointers.
type Entry[T any] interface {
	*T
	node() *Node
}

// Index holds entries. Filed ones are found by their trace ID.
type Index[T any, P Entry[T]] struct {
	entries slab.Slab[T]
	table   slab.Table
}

// New allocates an entry for a trace, zeroed but for its Node. Find does not return it before File.
func (x *Index[T, P]) New(hash uint32, id wire.TraceID) (Slot, P) {
	n, value := x.entries.New()
	e := P(value)
	e.node().ID, e.node().Hash = id, hash
	return Slot(n), e
}

// At returns the entry in a slot, which must be in use. The pointer is valid until Free.
func (x *Index[T, P]) At(n Slot) P { return x.entries.At(uint32(n)) }

// Find returns the slot of the entry that was filed for a trace, 0 if there is none.
func (x *Index[T, P]) Find(hash uint32, id *wire.TraceID) Slot {
	for n, at := x.table.First(hash); n != 0; n, at = x.table.Next(hash, at) {
		if P(x.entries.At(n)).node().ID == *id {
			return Slot(n)
		}
	}
	return 0
}

// File makes Find return an entry. At most one entry of a trace may be filed at a time.
func (x *Index[T, P]) File(n Slot) { x.table.Insert(x.At(n).node().Hash, uint32(n)) }

// Unfile undoes File.
func (x *Index[T, P]) Unfile(n Slot) { x.table.Remove(x.At(n).node().Hash, uint32(n)) }

// Free frees a slot. The entry must be in no list and not filed. Its contents stay until Trim.
func (x *Index[T, P]) Free(n Slot) { x.entries.Free(uint32(n)) }

// Filed calls yield with the slot of every filed entry, in no order.
func (x *Index[T, P]) Filed(yield func(Slot)) { x.table.All(func(n uint32) { yield(Slot(n)) }) }

// Has reports whether a slot is in use.
func (x *Index[T, P]) Has(n Slot) bool { return n != 0 && x.entries.Has(uint32(n)) }

// Len is how many slots are in use.
func (x *Index[T, P]) Len() int { return x.entries.Len() }

// Trim returns memory that a burst took and nothing uses any more.
func (x *Index[T, P]) Trim() {
	x.entries.Trim()
	x.table.Trim()
}

// Bytes is how much memory the index occupies.
func (x *Index[T, P]) Bytes() int { return x.entries.Bytes() + x.table.Bytes() }
