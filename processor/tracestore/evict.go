package tracestore

import (
	"context"
	"encoding/binary"
	"errors"

	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/slowburn/slowburn/internal/state"
)

const (
	// evictBatch is how many traces one transaction deletes: few, so that new traces do not wait for long.
	evictBatch = 1024
	// evictShare is the share of the file that is freed at once when it is full: so that not every transaction that stores
	// is followed by one that deletes, with a sync and the same pages written anew.
	evictShare = 1.0 / 64
	// maxEvictBatches is how many such transactions run before new traces are looked at again.
	maxEvictBatches = 64
)

// evicted counts what a transaction deleted.
type evicted struct {
	age, bytes, corrupt int
}

// evict deletes the oldest traces, while they are too old or the file is too full.
func (s *store) evict() {
	db := s.db.Load()
	if db == nil {
		return
	}
	for range maxEvictBatches {
		more, err := s.evictSome(db)
		if err != nil {
			s.failed("The trace store cannot delete old traces from "+s.path, err)
			return
		}
		if !more {
			return
		}
	}
}

// evictSome deletes a batch, and says whether there may be more to delete.
func (s *store) evictSome(db *state.DB) (more bool, err error) {
	used, err := usedBytes(db)
	if err != nil {
		return false, err
	}
	s.used.Store(used)
	if due, err := s.evictionDue(db, used); err != nil || !due {
		return false, err
	}
	var n evicted
	err = update(db, func(tx *bbolt.Tx) error {
		n = evicted{}
		return s.deleteOldest(tx, used-int64((1-evictShare)*float64(s.cfg.MaxBytes)), &n)
	})
	if err != nil {
		return false, err
	}
	ctx := context.Background()
	for reason, count := range map[string]int{"age": n.age, "bytes": n.bytes} {
		if count > 0 {
			s.telemetry.ExporterTraceStoreEvictedTraces.Add(ctx, int64(count),
				metric.WithAttributes(attribute.String("reason", reason)))
		}
	}
	s.telemetry.ExporterTraceStoreCorruptRecords.Add(ctx, int64(n.corrupt))
	return n.age+n.bytes > 0, nil
}

// evictionDue looks at the oldest trace only, so that a round with nothing to do writes nothing.
func (s *store) evictionDue(db *state.DB, used int64) (due bool, err error) {
	err = view(db, func(tx *bbolt.Tx) error {
		k, _ := tx.Bucket(bucketTraces).Cursor().First()
		due = k != nil && (used > int64(s.cfg.MaxBytes) || s.tooOld(k))
		return nil
	})
	return due, err
}

func (s *store) tooOld(key []byte) bool {
	return len(key) < 8 || binary.BigEndian.Uint64(key) < uint64(s.now().Add(-s.cfg.Retention).UnixNano())
}

// deleteOldest deletes up to evictBatch of the oldest traces: those that are too old, and others until their records add
// up to the bytes to free.
func (s *store) deleteOldest(tx *bbolt.Tx, free int64, n *evicted) error {
	var keys [][]byte
	c := tx.Bucket(bucketTraces).Cursor()
	for k, v := c.First(); k != nil && len(keys) < evictBatch; k, v = c.Next() {
		switch {
		case s.tooOld(k):
			n.age++
		case free > 0:
			n.bytes++
		default:
			return s.deleteTraces(tx, keys, n)
		}
		free -= int64(len(v))
		keys = append(keys, k)
	}
	return s.deleteTraces(tx, keys, n)
}

func (s *store) deleteTraces(tx *bbolt.Tx, keys [][]byte, n *evicted) error {
	traces, ids := tx.Bucket(bucketTraces), tx.Bucket(bucketIDs)
	for _, key := range keys {
		h, err := s.codec.header(traces.Get(key))
		if err != nil {
			n.corrupt++ // its entries in the index lead nowhere; searches pass over them
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
