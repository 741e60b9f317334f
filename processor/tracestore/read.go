package tracestore

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
	"github.com/slowburn/slowburn/processor/tracestore/internal/tracefile"
)

// opened returns the file, or an error if it is not open.
func (s *store) opened() (*tracefile.File, error) {
	file := s.writer.file.Load()
	if file == nil {
		return nil, fmt.Errorf("the trace store is not open: %s", s.health.found.Load().Message)
	}
	return file, nil
}

// Search implements Reader.
func (s *store) Search(ctx context.Context, q Query) (Result, error) {
	if possible, err := q.Possible(); err != nil || !possible {
		return Result{Traces: []Summary{}}, err
	}
	file, err := s.opened()
	if err != nil {
		return Result{Traces: []Summary{}}, err
	}
	result, corrupt, err := file.Search(ctx, q)
	s.telemetry.ExporterTraceStoreCorruptRecords.Add(ctx, int64(corrupt))
	return result, err
}

// Trace implements Reader.
func (s *store) Trace(ctx context.Context, id pcommon.TraceID) ([]byte, Meta, bool, error) {
	file, err := s.opened()
	if err != nil {
		return nil, Meta{}, false, err
	}
	spans, meta, here, err := file.Trace(id)
	if errors.Is(err, record.ErrCorrupt) {
		s.telemetry.ExporterTraceStoreCorruptRecords.Add(ctx, 1)
		s.logger.Error("reading a stored trace failed", zap.Stringer("trace_id", id), zap.Error(err))
		return nil, meta, false, nil
	}
	return spans, meta, here, err
}

// Size implements Reader. It is zero for a damaged trace: Trace returns the error.
func (s *store) Size(_ context.Context, id pcommon.TraceID) (Size, bool, error) {
	file, err := s.opened()
	if err != nil {
		return Size{}, false, err
	}
	return file.Size(id)
}

// Has implements Reader.
func (s *store) Has(_ context.Context, ids []pcommon.TraceID) (map[pcommon.TraceID]bool, error) {
	file, err := s.opened()
	if err != nil {
		return map[pcommon.TraceID]bool{}, err
	}
	return file.Has(ids)
}

// Services implements Reader.
func (s *store) Services(context.Context) (map[string][]string, error) {
	file, err := s.opened()
	if err != nil {
		return map[string][]string{}, err
	}
	return file.Services()
}
