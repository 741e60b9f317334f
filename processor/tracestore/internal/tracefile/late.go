package tracefile

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
	"github.com/slowburn/slowburn/processor/tracestore/internal/safely"
)

// putLate adds spans to a trace that is stored. Spans that it has already, as a retried export brings them, change
// nothing.
func (w *writing) putLate(item *Item, at place) error {
	stored, updated := w.record(at)
	old, spans, err := record.Decode(stored)
	if err != nil { // damaged: what came now takes its place
		w.Corrupt++
		item.Meta.Version, item.Meta.Stored, item.Meta.Updated = 1, w.storedAt(at), w.now
		return w.putUpdate(at, &item.Digest, item.ID, item.Packed)
	}
	if len(spans)+item.Size > record.MaxTraceBytes {
		w.TooLarge++
		return nil
	}
	late, err := record.Unpack(item.Packed)
	if err != nil {
		return err
	}
	d, merged, err := merge(append(spans, late...), w.now)
	if err != nil {
		w.Failed++
		w.opts.Logger.Error("Late spans were not added to their trace.", zap.Stringer("trace_id", pcommon.TraceID(item.ID)), zap.Error(err))
		return nil
	}
	if d.Distinct == old.Distinct {
		return nil
	}
	d.Meta.Version, d.Meta.Stored, d.Meta.Updated = old.Meta.Version+1, old.Meta.Stored, w.now
	if updated {
		err = w.removeUpdate(at, &old)
	} else {
		err = w.removeSlot(at, &old)
	}
	if err != nil {
		return err
	}
	w.Updated++
	return w.putUpdate(at, &d, item.ID, record.Pack(merged))
}

// storedAt is when the trace was stored, now where nobody knows.
func (w *writing) storedAt(p place) time.Time {
	if c, ok := w.head(p.chunk()); ok {
		return time.Unix(0, int64(c.stored())).UTC()
	}
	return w.now
}

// putUpdate stores a trace beside its chunk, and its entries in the index.
func (w *writing) putUpdate(p place, d *digest.Digest, id pcommon.TraceID, packed []byte) error {
	if err := w.tx.Bucket(bucketUpdates).Put(p[:], record.Append(nil, &d.Header, packed)); err != nil {
		return err
	}
	at := positionOf(d.Start, id)
	for _, term := range d.Terms {
		if err := w.tx.Bucket(bucketIndex).Put(updateKey(term, grainOf(d.Start), p), at[:]); err != nil {
			return err
		}
	}
	w.name(d.Operations)
	return nil
}

// removeUpdate takes a trace out of the index that is stored beside its chunk.
func (r *reading) removeUpdate(p place, h *digest.Header) error {
	var errs []error
	for _, term := range h.Terms {
		errs = append(errs, r.tx.Bucket(bucketIndex).Delete(updateKey(term, grainOf(h.Start), p)))
	}
	return errors.Join(errs...)
}

// removeSlot takes a trace out of the index that is stored in its chunk.
func (r *reading) removeSlot(p place, h *digest.Header) error {
	index := r.tx.Bucket(bucketIndex)
	for _, term := range h.Terms {
		key := slotsKey(term, grainOf(h.Start), p.chunk())
		err := error(nil)
		if left := slotsWithout(index.Get(key), p.slot()); len(left) == 0 {
			err = index.Delete(key)
		} else {
			err = index.Put(key, left)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// merge sums a trace up whose spans came in parts, and leaves out identical copies. A trace that trips a defect here costs
// only itself, not the batch that it is in.
func merge(parts []byte, now time.Time) (d digest.Digest, spans []byte, err error) {
	err = safely.Run(func() error {
		var r wire.Request
		if err := r.Scan(parts); err != nil {
			return err
		}
		var k wire.Kept
		if _, err := k.Fill(&r); err != nil {
			return err
		}
		if len(k.Traces) != 1 {
			return fmt.Errorf("%d traces in place of one", len(k.Traces))
		}
		for i := range k.Spans {
			k.Spans[i].Left = false // that a span came twice is a part of the trace
		}
		t := assemble.One(&k, assemble.Options{})
		for _, i := range t.Identical {
			k.Spans[i].Left = true
		}
		d, spans = digest.Of(t, now), k.AppendRequest(nil, 0, len(k.Spans))
		return nil
	})
	return d, spans, err
}
