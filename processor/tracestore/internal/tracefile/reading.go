package tracefile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"
	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
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
	if u := updateValue(r.tx.Bucket(bucketUpdates), p[:]); u != nil {
		return u, true
	}
	c, ok := r.head(p.chunk())
	if !ok {
		return nil, false
	}
	return c.record(p.slot()), false
}

// header returns what is known of a trace, late spans included.
func (r *reading) header(p place) (digest.Header, error) {
	if l, ok := r.late(p); ok {
		return l.header, nil
	}
	stored, _ := r.record(p)
	return record.Header(stored)
}

// late is what is known of a large trace with the late spans that are stored beside it, and how many bytes these are.
type late struct {
	bytes  int
	header digest.Header
}

// append appends the value that late reads.
func (l *late) append(dst []byte) []byte {
	return record.Append(binary.BigEndian.AppendUint64(dst, uint64(l.bytes)), &l.header, nil)
}

// late returns what is known of a trace with late spans beside it, and false where there are none.
func (r *reading) late(p place) (late, bool) {
	v := updateValue(r.tx.Bucket(bucketUpdates), lateKey(p))
	if len(v) < 8 {
		return late{}, false
	}
	h, err := record.Header(v[8:])
	return late{int(binary.BigEndian.Uint64(v)), h}, err == nil
}

// known is what late returns or, where nothing is beside a trace yet, what its record says, and false where that is damaged.
func (r *reading) known(p place, stored []byte) (late, bool) {
	if l, ok := r.late(p); ok {
		return l, true
	}
	h, err := record.Header(stored)
	return late{header: h}, err == nil
}

// lateKey is where late is stored, and partKey where a part of late spans is: one that is sent again has the same key.
func lateKey(p place) []byte { return append(p[:len(p):len(p)], 0) }

func partKey(p place, packed []byte) []byte {
	return binary.BigEndian.AppendUint64(p[:len(p):len(p)], xxhash.Sum64(packed))
}

// partKeys are the keys of the parts of a trace.
func (r *reading) partKeys(p place) (keys [][]byte) {
	c := r.tx.Bucket(bucketUpdates).Cursor()
	for k, _ := c.Seek(p[:]); bytes.HasPrefix(k, p[:]); k, _ = c.Next() {
		if len(k) == len(p)+8 {
			keys = append(keys, bytes.Clone(k))
		}
	}
	return keys
}

// storedTrace is a trace as it is stored: its record, which may be one of updates, and the records of late spans beside it.
type storedTrace struct {
	record  []byte
	updated bool
	late    late
	parts   [][]byte
}

// trace returns a trace as it is stored.
func (r *reading) trace(p place) (t storedTrace) {
	t.record, t.updated = r.record(p)
	l, ok := r.late(p)
	if !ok {
		return t
	}
	t.late = l
	for _, key := range r.partKeys(p) {
		if part := updateValue(r.tx.Bucket(bucketUpdates), key); len(part) > 0 {
			t.parts = append(t.parts, part)
		}
	}
	return t
}

// clone returns a trace that outlives the transaction.
func (t storedTrace) clone() storedTrace {
	t.record = slices.Clone(t.record)
	t.parts = slices.Clone(t.parts)
	for i := range t.parts {
		t.parts[i] = slices.Clone(t.parts[i])
	}
	return t
}

// decode returns the spans of a trace and what is known of it: where late spans are beside it, as they are put together.
func (t *storedTrace) decode() (digest.Meta, []byte, error) {
	h, spans, err := record.Decode(t.record)
	if err != nil || len(t.parts) == 0 {
		return h.Meta, spans, err
	}
	all, corrupt := t.appendParts(spans)
	if corrupt > 0 {
		return h.Meta, nil, fmt.Errorf("%w: %d parts of late spans", record.ErrCorrupt, corrupt)
	}
	was := &t.late.header.Meta
	d, merged, cannot := merge(all, was.Updated)
	if cannot != nil { // it can be shown as it came
		d.Meta, merged = *was, all
	}
	d.Meta.Version, d.Meta.Stored, d.Meta.Updated = was.Version, was.Stored, was.Updated
	return d.Meta, merged, nil
}

// appendParts appends the late spans that are beside a trace, but for damaged parts, which it counts.
func (t *storedTrace) appendParts(spans []byte) (all []byte, corrupt int) {
	for _, part := range t.parts {
		_, late, err := record.Decode(part)
		if err != nil {
			corrupt++
			continue
		}
		spans = append(spans, late...)
	}
	return spans, corrupt
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
