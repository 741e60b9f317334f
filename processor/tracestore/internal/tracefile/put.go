package tracefile

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
)

// Item is a trace, or late spans of one, to be stored.
type Item struct {
	digest.Digest
	ID     [16]byte
	Packed []byte // OTLP, compressed
	Size   int    // of the OTLP message, in bytes
}

func (i *Item) at() position { return positionOf(i.Start, i.ID) }

// Written counts the traces of a call of Put.
type Written struct {
	Stored, Updated, Corrupt, TooLarge, Failed int
}

// writing is a transaction that stores items, with its results so far.
type writing struct {
	Written
	reading
	opts *Options
	now  time.Time

	chunk *builder           // new traces that are not in the file yet
	fresh map[[16]byte]place // new traces; the zero place while they are in the builder

	listed     int // number of operations in their bucket before
	operations int // number added since

	named []digest.Operation // operations of the traces, without repetitions
	names map[digest.Operation]bool
}

// name records the operations of a trace.
func (w *writing) name(operations []digest.Operation) {
	for _, op := range operations {
		if !w.names[op] {
			w.names[op] = true
			w.named = append(w.named, op)
		}
	}
}

// Put stores the items of a batch in one transaction. On an error nothing is stored; the error is ErrFull if the file must not
// grow.
func (f *File) Put(batch []Item) (Written, error) {
	bytes := 0
	for i := range batch {
		bytes += len(batch[i].Packed)
	}
	if room, err := f.hasRoom(bytes); err != nil || !room {
		return Written{}, cmp.Or(err, ErrFull)
	}
	var done writing
	err := f.update(func(tx *bbolt.Tx) error {
		f.chunk.begin()
		done = writing{
			chunk:   &f.chunk,
			reading: newReading(tx), opts: &f.opts, now: f.opts.Now().UTC(), listed: f.operations,
			names: make(map[digest.Operation]bool), fresh: make(map[[16]byte]place, len(batch)),
		}
		return done.put(batch)
	})
	if err != nil {
		return Written{}, err
	}
	f.operations += done.operations
	return done.Written, nil
}

func (w *writing) put(batch []Item) error {
	w.tx.Bucket(bucketChunks).FillPercent = 0.95 // keys ascend
	for i := range batch {
		if err := w.putItem(&batch[i]); err != nil {
			return fmt.Errorf("store trace %s: %w", pcommon.TraceID(batch[i].ID), err)
		}
	}
	if err := errors.Join(w.flush(), w.locate()); err != nil {
		return err
	}
	return w.putOperations()
}

func (w *writing) putItem(item *Item) error {
	at, here := w.fresh[item.ID]
	if w.chunk.full() || here && at == (place{}) {
		if err := w.flush(); err != nil {
			return err
		}
		at = w.fresh[item.ID]
	}
	if !here {
		at, here = w.find(item.ID)
	}
	if here {
		return w.putLate(item, at)
	}
	item.Meta.Version, item.Meta.Stored, item.Meta.Updated = 1, w.now, w.now
	w.chunk.add(item)
	w.fresh[item.ID] = place{}
	w.name(item.Operations)
	w.Stored++
	return nil
}

// locate stores the places of the new traces.
func (w *writing) locate() error {
	if len(w.fresh) == 0 {
		return nil
	}
	of, last := make([]located, 0, len(w.fresh)), uint64(0)
	for id, at := range w.fresh {
		of = append(of, located{hashOf(id), at})
		last = max(last, at.chunk())
	}
	return putRun(w.tx, of, last)
}

// flush stores the chunk and its index entries.
func (w *writing) flush() error {
	if len(w.chunk.items) == 0 {
		return nil
	}
	defer w.chunk.reset()
	chunks, index := w.tx.Bucket(bucketChunks), w.tx.Bucket(bucketIndex)
	n, err := chunks.NextSequence()
	if err != nil {
		return err
	}
	if err := putBlob(chunks, chunkKey(n), w.chunk.build(uint64(w.now.UnixNano()))); err != nil {
		return err
	}
	for slot, item := range w.chunk.items {
		w.fresh[item.ID] = placeOf(n, slot)
	}
	slots := make([]byte, 0, 2*len(w.chunk.entries))
	for run := range w.chunk.runs {
		from := len(slots)
		for _, e := range run {
			slots = binary.BigEndian.AppendUint16(slots, e.slot)
		}
		if err := index.Put(slotsKey(run[0].term, run[0].grain, n), slots[from:]); err != nil {
			return err
		}
	}
	return nil
}
