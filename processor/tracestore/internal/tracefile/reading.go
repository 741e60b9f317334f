package tracefile

import (
	"encoding/binary"
	"slices"

	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// reading is a transaction that reads, and the heads that it has looked at.
type reading struct {
	tx      *bbolt.Tx
	oldest  uint64 // chunk; those before are gone
	runs    []run
	heads   map[uint64]head
	steps   int // entries of the index that were looked at
	damaged int // heads
}

// head is a chunk that was looked at, and false where it is gone or damaged.
type head struct {
	chunk
	ok bool
}

func newReading(tx *bbolt.Tx) reading {
	return reading{tx: tx, oldest: oldestChunk(tx), runs: runsOf(tx), heads: make(map[uint64]head)}
}

// oldestChunk is the number of the oldest chunk or, where there is none, of the next.
func oldestChunk(tx *bbolt.Tx) uint64 {
	b := tx.Bucket(bucketChunks)
	if k, _ := b.Cursor().First(); len(k) == 8 {
		return binary.BigEndian.Uint64(k)
	}
	return b.Sequence() + 1
}

// find says where a trace is, and false where it is not here. What runs have of chunks that are gone does not count.
func (r *reading) find(id pcommon.TraceID) (place, bool) {
	h := hashOf(id)
	for _, run := range r.runs {
		for i := run.search(h); i < run.len() && run.hash(i) == h; i++ {
			if p := run.place(i); p.chunk() >= r.oldest && r.holds(p, id) {
				return p, true
			}
		}
	}
	return place{}, false
}

// holds reports whether a place is that of the trace, as it is where a damaged head does not tell.
func (r *reading) holds(p place, id pcommon.TraceID) bool {
	c, ok := r.head(p.chunk())
	return !ok || p.slot() < c.traces && c.at(p.slot()).id() == id
}

// head returns a chunk, and false where it is gone or damaged.
func (r *reading) head(n uint64) (chunk, bool) {
	h, known := r.heads[n]
	if !known {
		if data := blob(r.tx.Bucket(bucketChunks), chunkKey(n)); data != nil {
			c, err := readChunk(data)
			if h = (head{c, err == nil}); err != nil {
				r.damaged++
			}
		}
		r.heads[n] = h
	}
	return h.chunk, h.ok
}

// record returns the record of a trace, which is updated where late spans came. It is nil where the chunk is gone or damaged.
func (r *reading) record(p place) (record []byte, updated bool) {
	if u := r.tx.Bucket(bucketUpdates).Get(p[:]); u != nil {
		return u, true
	}
	c, ok := r.head(p.chunk())
	if !ok {
		return nil, false
	}
	return c.record(p.slot()), false
}

// slotsWithout is a value of the index without a slot.
func slotsWithout(slots []byte, slot int) []byte {
	for i := 0; i+2 <= len(slots); i += 2 {
		if int(binary.BigEndian.Uint16(slots[i:])) == slot {
			return slices.Concat(slots[:i], slots[i+2:])
		}
	}
	return slots
}
