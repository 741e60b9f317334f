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

// reading is a transaction that reads, with the heads that it has read.
type reading struct {
	tx      *bbolt.Tx
	oldest  uint64 // number of the oldest chunk
	runs    []run
	heads   map[uint64]head
	steps   int // index entries read so far
	damaged int // number of damaged heads
}

// head is a chunk that was read; ok is false if it is gone or damaged.
type head struct {
	chunk
	ok bool
}

func newReading(tx *bbolt.Tx) reading {
	return reading{tx: tx, oldest: oldestChunk(tx), runs: runsOf(tx), heads: make(map[uint64]head)}
}

// oldestChunk returns the number of the oldest chunk or, if there is none, of the next.
func oldestChunk(tx *bbolt.Tx) uint64 {
	b := tx.Bucket(bucketChunks)
	if k, _ := b.Cursor().First(); len(k) == 8 {
		return binary.BigEndian.Uint64(k)
	}
	return b.Sequence() + 1
}

// find returns the place of a trace, false if it is not here. It ignores entries of runs for chunks that are gone.
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

// holds reports whether the trace is stored at a place, which is assumed if a damaged head does not tell.
func (r *reading) holds(p place, id pcommon.TraceID) bool {
	c, ok := r.head(p.chunk())
	return !ok || p.slot() < c.traces && c.at(p.slot()).id() == id
}

// head returns a chunk, false if it is gone or damaged.
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

// record returns the record of a trace. updated reports that it is in the bucket of updates. The record is nil if the chunk
// is gone or damaged.
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

// header returns the header of a trace, late spans included.
func (r *reading) header(p place) (digest.Header, error) {
	if l, ok := r.late(p); ok {
		return l.header, nil
	}
	stored, _ := r.record(p)
	return record.Header(stored)
}

// late is the header of a large trace with the late spans stored beside it, and the size of these.
type late struct {
	bytes  int
	header digest.Header
}

// append appends the encoded value.
func (l *late) append(dst []byte) []byte {
	return record.Append(binary.BigEndian.AppendUint64(dst, uint64(l.bytes)), &l.header, nil)
}

// late returns the header of a trace with late spans beside it, false if there are none.
func (r *reading) late(p place) (late, bool) {
	v := updateValue(r.tx.Bucket(bucketUpdates), lateKey(p))
	if len(v) < 8 {
		return late{}, false
	}
	h, err := record.Header(v[8:])
	return late{int(binary.BigEndian.Uint64(v)), h}, err == nil
}

// known returns the result of late or, if a trace has no late spans beside it yet, its record's header. It returns false if
// that is damaged.
func (r *reading) known(p place, stored []byte) (late, bool) {
	if l, ok := r.late(p); ok {
		return l, true
	}
	h, err := record.Header(stored)
	return late{header: h}, err == nil
}

// lateKey is the key of late, and partKey the key of a part of late spans: a part that is sent again has the same key.
func lateKey(p place) []byte { return append(p[:len(p):len(p)], 0) }

func partKey(p place, packed []byte) []byte {
	return binary.BigEndian.AppendUint64(p[:len(p):len(p)], xxhash.Sum64(packed))
}

// partKeys returns the keys of a trace's parts.
func (r *reading) partKeys(p place) (keys [][]byte) {
	c := r.tx.Bucket(bucketUpdates).Cursor()
	for k, _ := c.Seek(p[:]); bytes.HasPrefix(k, p[:]); k, _ = c.Next() {
		if len(k) == len(p)+8 {
			keys = append(keys, bytes.Clone(k))
		}
	}
	return keys
}

// storedTrace is a trace as it is stored: its record, from its chunk or from updates, and its late spans beside it.
type storedTrace struct {
	record  []byte
	updated bool
	late    late
	parts   [][]byte
}

// trace returns a stored trace.
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

// clone returns a copy that outlives the transaction.
func (t storedTrace) clone() storedTrace {
	t.record = slices.Clone(t.record)
	t.parts = slices.Clone(t.parts)
	for i := range t.parts {
		t.parts[i] = slices.Clone(t.parts[i])
	}
	return t
}

// decode returns the spans of a trace and its header, merging late spans beside it.
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
	if cannot != nil { // it can be shown unmerged
		d.Meta, merged = *was, all
	}
	d.Meta.Version, d.Meta.Stored, d.Meta.Updated = was.Version, was.Stored, was.Updated
	return d.Meta, merged, nil
}

// appendParts appends the late spans beside a trace, skipping and counting damaged parts.
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

// slotsWithout returns an index value without a slot.
func slotsWithout(slots []byte, slot int) []byte {
	for i := 0; i+2 <= len(slots); i += 2 {
		if int(binary.BigEndian.Uint16(slots[i:])) == slot {
			return slices.Concat(slots[:i], slots[i+2:])
		}
	}
	return slots
}
