package tracefile

import (
	"encoding/binary"
	"errors"

	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
)

const (
	// evictBatch is how many traces one transaction deletes: few, so that new traces do not wait for long.
	evictBatch = 1024
	// evictShare is the share of the file that is freed at once when it is full: so that not every transaction that stores
	// is followed by one that deletes, with a sync and the same pages written anew.
	evictShare = 1.0 / 64
)

// Evicted says what a call of Evict found and did.
type Evicted struct {
	// Used is how many bytes of the file were in use before; 0 where that is not known.
	Used int64
	// Age and Bytes count the traces that were deleted: as they were too old, or the file too full.
	Age, Bytes int
	// Corrupt counts those of them whose records were damaged.
	Corrupt int
}

// More reports whether there may be more to delete.
func (n Evicted) More() bool { return n.Age+n.Bytes > 0 }

// Evict deletes a batch of the oldest traces, where they are too old or the file is too full.
func (f *File) Evict() (Evicted, error) {
	used, err := f.usedBytes()
	if err != nil {
		return Evicted{}, err
	}
	if due, err := f.evictionDue(used); err != nil || !due {
		return Evicted{Used: used}, err
	}
	var n Evicted
	err = f.update(func(tx *bbolt.Tx) error {
		n = Evicted{Used: used}
		return f.deleteOldest(tx, used-int64((1-evictShare)*float64(f.opts.MaxBytes)), &n)
	})
	if err != nil {
		return Evicted{Used: used}, err
	}
	return n, nil
}

// evictionDue looks at the oldest trace only, so that a round with nothing to do writes nothing.
func (f *File) evictionDue(used int64) (due bool, err error) {
	err = f.view(func(tx *bbolt.Tx) error {
		k, _ := tx.Bucket(bucketTraces).Cursor().First()
		due = k != nil && (used > f.opts.MaxBytes || f.tooOld(k))
		return nil
	})
	return due, err
}

func (f *File) tooOld(key []byte) bool {
	return len(key) < 8 || binary.BigEndian.Uint64(key) < uint64(f.opts.Now().Add(-f.opts.Retention).UnixNano())
}

// deleteOldest deletes up to evictBatch of the oldest traces: those that are too old, and others until their records add
// up to the bytes to free.
func (f *File) deleteOldest(tx *bbolt.Tx, free int64, n *Evicted) error {
	var keys [][]byte
	c := tx.Bucket(bucketTraces).Cursor()
	for k, v := c.First(); k != nil && len(keys) < evictBatch; k, v = c.Next() {
		switch {
		case f.tooOld(k):
			n.Age++
		case free > 0:
			n.Bytes++
		default:
			return f.deleteTraces(tx, keys, n)
		}
		free -= int64(len(v))
		keys = append(keys, k)
	}
	return f.deleteTraces(tx, keys, n)
}

func (f *File) deleteTraces(tx *bbolt.Tx, keys [][]byte, n *Evicted) error {
	traces, ids := tx.Bucket(bucketTraces), tx.Bucket(bucketIDs)
	for _, key := range keys {
		h, err := record.Header(traces.Get(key))
		if err != nil {
			n.Corrupt++ // its entries in the index lead nowhere; searches pass over them
		}
		err = nil
		if len(key) == 8+16 {
			id := pcommon.TraceID(key[8:])
			err = errors.Join(removeTerms(tx, h, id), ids.Delete(id[:]))
		}
		if err := errors.Join(err, traces.Delete(key)); err != nil {
			return err
		}
	}
	return nil
}
