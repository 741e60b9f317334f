package tracefile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"

	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
)

// Trace returns the OTLP request of a trace with all its spans, as they arrived. It returns false if the trace is not here.
// The error record.ErrCorrupt says that it is here, but damaged.
func (f *File) Trace(id pcommon.TraceID) (spans []byte, meta digest.Meta, here bool, err error) {
	var stored storedTrace
	err = f.view(func(tx *bbolt.Tx) error {
		r := newReading(tx)
		at, found := r.find(id)
		if found {
			stored, here = r.trace(at).clone(), true
		}
		return nil
	})
	if err != nil || !here {
		return nil, meta, false, err
	}
	meta, spans, err = stored.decode()
	if err != nil {
		return nil, digest.Meta{}, false, err
	}
	r := wire.Get()
	defer wire.Put(r)
	if err := r.Scan(spans); err != nil {
		return nil, meta, false, fmt.Errorf("%w: %w", record.ErrCorrupt, err)
	}
	return spans, meta, true, nil
}

// Size is the size of a trace.
type Size struct {
	// Bytes is the size of its OTLP request, late spans included.
	Bytes, Spans int
	// Late reports whether late spans are stored beside it, so that reading merges them.
	Late bool
}

// Size returns the size of a trace without decoding it. It returns false if the trace is not here, and a zero size if
// it is damaged.
func (f *File) Size(id pcommon.TraceID) (size Size, here bool, err error) {
	err = f.view(func(tx *bbolt.Tx) error {
		r := newReading(tx)
		at, found := r.find(id)
		if !found {
			return nil
		}
		here = true
		stored, _ := r.record(at)
		n, whole := record.Size(stored)
		if l, ok := r.known(at, stored); ok && whole {
			size = Size{n + l.bytes, l.header.Meta.Summary.SpanCount, l.bytes > 0}
		}
		return nil
	})
	return size, here, err
}

// Requests iterates over the OTLP requests of all traces, each with all its spans, in the order in which they were stored. After
// the error record.ErrCorrupt, about one trace or the traces of a chunk, it continues; any other error ends it.
func (f *File) Requests() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for number, more := uint64(0), true; more; number++ {
			var stored []storedTrace // copies, so that no transaction stays open while they are used
			var err error
			if stored, number, more, err = f.recordsFrom(number); err != nil && !yield(nil, err) {
				return
			}
			for i := range stored {
				if _, spans, err := stored[i].decode(); !yield(spans, err) {
					return
				}
			}
			if err != nil && !errors.Is(err, record.ErrCorrupt) {
				return
			}
		}
	}
}

// recordsFrom returns the traces of the first chunk from a number on, and the chunk's number. It returns false if
// there is none.
func (f *File) recordsFrom(number uint64) (traces []storedTrace, chunk uint64, more bool, err error) {
	err = f.view(func(tx *bbolt.Tx) error {
		k, _ := tx.Bucket(bucketChunks).Cursor().Seek(chunkKey(number))
		if len(k) != len(chunkKey(0)) {
			return nil
		}
		chunk, more = binary.BigEndian.Uint64(k), true
		r := newReading(tx)
		c, ok := r.head(chunk)
		if !ok {
			return fmt.Errorf("%w: chunk %d", record.ErrCorrupt, chunk)
		}
		for slot := range c.traces {
			traces = append(traces, r.trace(placeOf(chunk, slot)).clone())
		}
		return nil
	})
	return traces, chunk, more, err
}

// Has reports which of the traces are here.
func (f *File) Has(ids []pcommon.TraceID) (map[pcommon.TraceID]bool, error) {
	has := make(map[pcommon.TraceID]bool, len(ids))
	err := f.view(func(tx *bbolt.Tx) error {
		r := newReading(tx)
		for _, id := range ids {
			if _, here := r.find(id); here {
				has[id] = true
			}
		}
		return nil
	})
	return has, err
}

// Services returns the operations of each service, sorted, of which traces are probably still here.
func (f *File) Services() (map[string][]string, error) {
	services := make(map[string][]string)
	err := f.view(func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketOperations).Cursor()
		for k, _ := c.First(); k != nil; k, _ = c.Next() {
			if op, ok := operationOf(k); ok {
				services[op.Service] = append(services[op.Service], op.Name)
			}
		}
		return nil
	})
	return services, err // the order of the bucket sorts a service's operations
}
