package tracefile

import (
	"fmt"
	"slices"

	"go.etcd.io/bbolt"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
)

// Trace returns the OTLP request of a trace with all its spans, as they arrived, and false where it is not here. An error that
// is record.ErrCorrupt says that it is here, and damaged.
func (f *File) Trace(id pcommon.TraceID) (spans []byte, meta digest.Meta, here bool, err error) {
	var stored []byte
	err = f.view(func(tx *bbolt.Tx) error {
		r := newReading(tx)
		at, found := r.find(id)
		if found {
			inFile, _ := r.record(at)
			stored, here = slices.Clone(inFile), true
		}
		return nil
	})
	if err != nil || !here {
		return nil, meta, false, err
	}
	h, spans, err := record.Decode(stored)
	if err != nil {
		return nil, meta, false, err
	}
	r := wire.Get()
	defer wire.Put(r)
	if err := r.Scan(spans); err != nil {
		return nil, meta, false, fmt.Errorf("%w: %w", record.ErrCorrupt, err)
	}
	return spans, h.Meta, true, nil
}

// Has says which of the traces are here.
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

// Services returns the operations of each service, sorted, as far as traces of them are likely still here.
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
	return services, err // the bucket's order sorts the names of a service
}
