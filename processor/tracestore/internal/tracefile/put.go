package tracefile

import (
	"encoding/binary"
	"fmt"

	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
)

// Item is a trace, or late spans of one, on its way to the file.
type Item struct {
	digest.Digest
	ID     [16]byte
	Packed []byte // OTLP, compressed
	Size   int    // of the OTLP message, in bytes
}

// Written counts what a call of Put did, in traces.
type Written struct {
	Stored, Updated, Corrupt, TooLarge, Failed int
}

// writing is a transaction that stores items, and what it did so far.
type writing struct {
	Written
	opts *Options
	tx   *bbolt.Tx

	listed     int // operations that the bucket of that name had before
	operations int // added to it

	named []digest.Operation // operations of the traces, each once
	names map[digest.Operation]bool
}

// name notes the operations of a trace.
func (w *writing) name(operations []digest.Operation) {
	for _, op := range operations {
		if !w.names[op] {
			w.names[op] = true
			w.named = append(w.named, op)
		}
	}
}

// Put stores the items of a batch in one transaction. Where it returns an error nothing was stored.
func (f *File) Put(batch []Item) (Written, error) {
	var done writing
	err := f.update(func(tx *bbolt.Tx) error {
		done = writing{opts: &f.opts, tx: tx, listed: f.operations, names: make(map[digest.Operation]bool)}
		return done.put(batch)
	})
	if err != nil {
		return Written{}, err
	}
	f.operations += done.operations
	return done.Written, nil
}

func (w *writing) put(batch []Item) error {
	w.tx.Bucket(bucketTraces).FillPercent = 0.95 // keys ascend
	for i := range batch {
		item := &batch[i]
		stored := w.tx.Bucket(bucketIDs).Get(item.ID[:])
		var err error
		if stored == nil {
			err = w.putNew(item)
		} else {
			err = w.putLate(item, binary.BigEndian.Uint64(stored))
		}
		if err != nil {
			return fmt.Errorf("store trace %s: %w", pcommon.TraceID(item.ID), err)
		}
	}
	return w.putOperations()
}

func (w *writing) putNew(item *Item) error {
	now := w.opts.Now().UTC()
	item.Meta.Version, item.Meta.Stored, item.Meta.Updated = 1, now, now
	stored := binary.BigEndian.AppendUint64(nil, uint64(now.UnixNano()))
	if err := w.tx.Bucket(bucketIDs).Put(item.ID[:], stored); err != nil {
		return err
	}
	w.Stored++
	return w.putRecord(append(stored, item.ID[:]...), &item.Digest, item.ID, item.Packed)
}

// putRecord stores a trace under its key, and its entries in the index.
func (w *writing) putRecord(key []byte, d *digest.Digest, id pcommon.TraceID, packed []byte) error {
	encoded := record.Append(nil, &d.Header, packed)
	if err := w.tx.Bucket(bucketTraces).Put(key, encoded); err != nil {
		return err
	}
	at := positionOf(d.Start, id)
	for _, term := range d.Terms {
		if err := w.tx.Bucket(bucketIndex).Put(indexKey(term, at), nil); err != nil {
			return err
		}
	}
	w.name(d.Operations)
	return nil
}

// removeTerms takes a trace out of the index.
func removeTerms(tx *bbolt.Tx, h digest.Header, id pcommon.TraceID) error {
	at := positionOf(h.Start, id)
	for _, term := range h.Terms {
		if err := tx.Bucket(bucketIndex).Delete(indexKey(term, at)); err != nil {
			return err
		}
	}
	return nil
}
