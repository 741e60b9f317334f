package tracestore

import (
	"context"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"
)

// view runs f in a read transaction, and makes an error of all that can go wrong with the file.
func (s *store) view(f func(*bbolt.Tx) error) error {
	db := s.db.Load()
	if db == nil {
		return fmt.Errorf("the trace store is not open: %s", s.health.Load().Message)
	}
	return view(db, f)
}

// Trace implements Reader.
func (s *store) Trace(ctx context.Context, id pcommon.TraceID) (ptrace.Traces, Meta, bool, error) {
	var record []byte
	err := s.view(func(tx *bbolt.Tx) error {
		if stored := tx.Bucket(bucketIDs).Get(id[:]); stored != nil {
			record = slices.Clone(tx.Bucket(bucketTraces).Get(slices.Concat(stored, id[:])))
		}
		return nil
	})
	if err != nil || record == nil {
		return ptrace.NewTraces(), Meta{}, false, err
	}
	h, spans, err := s.codec.decode(record)
	var td ptrace.Traces
	if err == nil {
		td, err = (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(spans)
	}
	if err != nil {
		s.telemetry.ExporterTraceStoreCorruptRecords.Add(ctx, 1)
		s.logger.Error("A stored trace cannot be read.", zap.Stringer("trace_id", id), zap.Error(err))
		return ptrace.NewTraces(), Meta{}, false, nil
	}
	return td, h.Meta, true, nil
}

// Has implements Reader.
func (s *store) Has(_ context.Context, ids []pcommon.TraceID) (map[pcommon.TraceID]bool, error) {
	has := make(map[pcommon.TraceID]bool, len(ids))
	err := s.view(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketIDs)
		for _, id := range ids {
			if b.Get(id[:]) != nil {
				has[id] = true
			}
		}
		return nil
	})
	return has, err
}

// Services implements Reader.
func (s *store) Services(context.Context) (map[string][]string, error) {
	services := make(map[string][]string)
	err := s.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketOperations).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			if op, ok := operationOf(k); ok {
				services[op.service] = append(services[op.service], op.name)
			}
		}
		return nil
	})
	return services, err // the bucket's order sorts the names of a service
}
