package tracefile

import (
	"bytes"
	"errors"

	"go.etcd.io/bbolt"

	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
)

const (
	// evictBatch is the approximate number of traces that one transaction deletes: few, so that new traces do
	// not wait for long.
	evictBatch = 1024
	// evictShare is the share of a full file that is freed at once, so that not every transaction that stores is followed
	// by one that deletes, with a sync and the same pages.
	evictShare = 1.0 / 64
)

// Evicted reports a call of Evict.
type Evicted struct {
	// Used is the number of used bytes of the file before; 0 if unknown.
	Used int64
	// Age and Bytes count the traces that were deleted because they were too old, or the file too full.
	Age, Bytes int
	// Corrupt counts deleted chunks with a damaged head. Age and Bytes count one trace for each, as the number is unknown.
	Corrupt int
}

// More reports whether there may be more to delete.
func (n Evicted) More() bool { return n.Age+n.Bytes > 0 }

// Evict deletes the oldest traces, chunk by chunk, if they are too old or the file is too full.
func (f *File) Evict() (Evicted, error) {
	used, size, err := f.usedBytes()
	if err != nil {
		return Evicted{}, err
	}
	limit := f.limit(size)
	if due, err := f.evictionDue(used, limit); err != nil || !due {
		return Evicted{Used: used}, err
	}
	var n Evicted
	err = f.update(func(tx *bbolt.Tx) error {
		n = Evicted{Used: used}
		return f.deleteOldest(tx, used-int64((1-evictShare)*float64(limit)), &n)
	})
	if err != nil {
		return Evicted{Used: used}, err
	}
	return n, nil
}

// evictionDue reports whether the oldest chunk must be deleted. A round without evictions writes nothing.
func (f *File) evictionDue(used, limit int64) (due bool, err error) {
	err = f.view(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketChunks)
		k, _ := b.Cursor().First()
		due = k != nil && (used > limit || f.tooOld(blob(b, k)))
		return nil
	})
	return due, err
}

// tooOld reports whether a chunk must be deleted for its age, or because its head is damaged: then none of its traces
// can be read.
func (f *File) tooOld(data []byte) bool {
	c, err := readChunk(data)
	return err != nil || c.stored() < uint64(f.opts.Now().Add(-f.opts.Retention).UnixNano()) && (f.opts.ClockStable == nil || f.opts.ClockStable())
}

// oldChunk is a chunk to delete. If its head is damaged, it has only a key.
type oldChunk struct {
	key []byte
	chunk
}

// deleteOldest deletes the oldest chunks, with evictBatch traces or a few more: those that are too old, and others until
// the bytes to free are reached.
func (f *File) deleteOldest(tx *bbolt.Tx, free int64, n *Evicted) error {
	var gone []oldChunk
	b := tx.Bucket(bucketChunks)
	c := b.Cursor()
	for k, _ := c.First(); k != nil && n.Age+n.Bytes < evictBatch; k, _ = c.Next() {
		v := blob(b, k)
		head, err := readChunk(v)
		if err != nil {
			n.Corrupt++
		}
		switch traces := max(1, head.traces); {
		case f.tooOld(v):
			n.Age += traces
		case free > 0:
			n.Bytes += traces
		default:
			return deleteChunks(tx, gone)
		}
		free -= int64(len(v))
		gone = append(gone, oldChunk{bytes.Clone(k), head})
	}
	return deleteChunks(tx, gone)
}

func deleteChunks(tx *bbolt.Tx, gone []oldChunk) error {
	chunks, index := tx.Bucket(bucketChunks), tx.Bucket(bucketIndex)
	for _, c := range gone {
		for i := range c.entries {
			term, grain := c.entry(i)
			if err := index.Delete(append(indexPrefix(term, grain), c.key...)); err != nil {
				return err
			}
		}
		if err := errors.Join(deleteUpdates(tx, c.key), deleteBlob(chunks, c.key)); err != nil {
			return err
		}
	}
	return deleteRuns(tx)
}

// deleteUpdates deletes the updated records of a chunk's traces. If such a record is damaged, its index entries stay and lead
// nowhere; searches skip them.
func deleteUpdates(tx *bbolt.Tx, chunk []byte) error {
	b := tx.Bucket(bucketUpdates)
	var gone [][]byte
	c := b.Cursor()
	for k, _ := c.Seek(chunk); bytes.HasPrefix(k, chunk) && len(k) >= len(place{}); k, _ = c.Next() {
		gone = append(gone, bytes.Clone(k))
	}
	r := reading{tx: tx}
	for _, k := range gone {
		var h digest.Header
		switch {
		case len(k) == len(place{}):
			h, _ = record.Header(updateValue(b, k))
		case bytes.Equal(k, lateKey(place(k[:len(place{})]))):
			l, _ := r.late(place(k[:len(place{})]))
			h = l.header
		}
		if err := errors.Join(r.removeUpdate(place(k[:len(place{})]), &h), deleteUpdateValue(b, k)); err != nil {
			return err
		}
	}
	return nil
}
