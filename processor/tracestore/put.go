package tracestore

import (
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
)

// written counts what a transaction did.
type written struct {
	stored, updated, corrupt, tooLarge, failed, operations int

	named []operation // operations of the traces, each once
	names map[operation]bool
}

// name notes the operations of a trace.
func (w *written) name(operations []operation) {
	for _, op := range operations {
		if !w.names[op] {
			w.names[op] = true
			w.named = append(w.named, op)
		}
	}
}

// put stores the traces of a batch.
func (s *store) put(tx *bbolt.Tx, batch []queued, done *written) error {
	done.names = make(map[operation]bool)
	tx.Bucket(bucketTraces).FillPercent = 0.95 // keys ascend
	for i := range batch {
		item := &batch[i]
		stored := tx.Bucket(bucketIDs).Get(item.id[:])
		var err error
		if stored == nil {
			err = s.putNew(tx, item, done)
		} else {
			err = s.putLate(tx, item, binary.BigEndian.Uint64(stored), done)
		}
		if err != nil {
			return fmt.Errorf("store trace %s: %w", pcommon.TraceID(item.id), err)
		}
	}
	return s.putOperations(tx, done)
}

func (s *store) putNew(tx *bbolt.Tx, item *queued, done *written) error {
	now := s.now().UTC()
	item.Meta.Version, item.Meta.Stored, item.Meta.Updated = 1, now, now
	stored := binary.BigEndian.AppendUint64(nil, uint64(now.UnixNano()))
	if err := tx.Bucket(bucketIDs).Put(item.id[:], stored); err != nil {
		return err
	}
	done.stored++
	return s.putRecord(tx, append(stored, item.id[:]...), &item.digest, item.id, item.packed, done)
}

// putLate adds spans to a trace that is stored. Spans that it has already, as a retried export brings them, change
// nothing.
func (s *store) putLate(tx *bbolt.Tx, item *queued, stored uint64, done *written) error {
	key := append(binary.BigEndian.AppendUint64(nil, stored), item.id[:]...)
	old, spans, err := s.codec.decode(tx.Bucket(bucketTraces).Get(key))
	if err != nil { // damaged: what came now takes its place
		done.corrupt++
		item.Meta.Version, item.Meta.Stored, item.Meta.Updated = 1, time.Unix(0, int64(stored)).UTC(), s.now().UTC()
		return s.putRecord(tx, key, &item.digest, item.id, item.packed, done)
	}
	if len(spans)+item.size > maxTraceBytes {
		done.tooLarge++
		return nil
	}
	late, err := s.codec.unpack(item.packed)
	if err != nil {
		return err
	}
	d, merged, err := s.merge(append(spans, late...))
	if err != nil {
		done.failed++
		s.logger.Error("Late spans were not added to their trace.", zap.Stringer("trace_id", pcommon.TraceID(item.id)), zap.Error(err))
		return nil
	}
	if d.Distinct == old.Distinct {
		return nil
	}
	d.Meta.Version, d.Meta.Stored, d.Meta.Updated = old.Meta.Version+1, old.Meta.Stored, s.now().UTC()
	if err := removeTerms(tx, old, item.id); err != nil {
		return err
	}
	done.updated++
	return s.putRecord(tx, key, &d, item.id, s.codec.pack(merged), done)
}

// recovered runs f and makes an error of a panic: a defect here costs the trace that trips it, not the gateway.
func recovered(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}

// merge sums a trace up whose spans came in parts, and leaves out identical copies. A trace that trips a bug here costs
// only itself, not the batch that it is in.
func (s *store) merge(parts []byte) (d digest, spans []byte, err error) {
	err = recovered(func() error {
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(parts)
		if err != nil {
			return err
		}
		for _, group := range trace.Group(td) {
			d = summarize(group, assemble.Trace(group, assemble.Options{}), s.now())
			spans, err = marshalSpans(group, d.identical)
		}
		return err
	})
	return d, spans, err
}

func (s *store) putRecord(tx *bbolt.Tx, key []byte, d *digest, id pcommon.TraceID, packed []byte, done *written) error {
	record, err := s.codec.encode(d.header, packed)
	if err != nil {
		return err
	}
	if err := tx.Bucket(bucketTraces).Put(key, record); err != nil {
		return err
	}
	at := positionOf(d.Start, id)
	for _, term := range d.Terms {
		if err := tx.Bucket(bucketIndex).Put(indexKey(term, at), nil); err != nil {
			return err
		}
	}
	done.name(d.operations)
	return nil
}

// removeTerms takes a trace out of the index.
func removeTerms(tx *bbolt.Tx, h header, id pcommon.TraceID) error {
	at := positionOf(h.Start, id)
	for _, term := range h.Terms {
		if err := tx.Bucket(bucketIndex).Delete(indexKey(term, at)); err != nil {
			return err
		}
	}
	return nil
}
