package tracefile

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/tracestore/internal/digest"
	"github.com/slowburn/slowburn/processor/tracestore/internal/record"
	"github.com/slowburn/slowburn/processor/tracestore/internal/safely"
)

const (
	// partsFrom is the size of a trace's spans in bytes from which on late spans are stored beside it. A smaller trace is
	// rewritten with them.
	partsFrom = 128 << 10
	// partsShare limits a trace's late spans to 1/partsShare of it; then it is rewritten with them. So it grows by that share each
	// time, and all writing together is a few times the spans, in however many parts they came.
	partsShare = 2
)

// putLate adds spans to a stored trace. Spans that it already has, as after a retried export, change nothing.
func (w *writing) putLate(item *Item, at place) error {
	if done, err := w.putPart(item, at); done || err != nil {
		return err
	}
	return w.putMerged(item, at)
}

// putPart stores late spans beside a large trace. It reports false if they must be merged with it. Its cost is in
// proportion to the part: the trace is not read, except for the first part, when its header is copied.
func (w *writing) putPart(item *Item, at place) (done bool, err error) {
	stored, _ := w.record(at)
	size, ok := record.Size(stored)
	if !ok || size < partsFrom {
		return false, nil
	}
	b, key := w.tx.Bucket(bucketUpdates), partKey(at, item.Packed)
	if updateValue(b, key) != nil {
		return true, nil // it was sent again
	}
	l, ok := w.known(at, stored)
	if !ok { // it is damaged; putMerged handles that
		return false, nil
	}
	if l.bytes+item.Size > size/partsShare || size+l.bytes+item.Size > record.MaxTraceBytes {
		return false, nil
	}
	l.bytes += item.Size
	added := l.header.Add(&item.Header)
	l.header.Meta.Version, l.header.Meta.Updated = l.header.Meta.Version+1, w.now
	w.Updated++
	w.name(item.Operations)
	return true, errors.Join(
		w.putTerms(at, added, l.header.Start, item.ID),
		putUpdateValue(b, key, record.Append(nil, &digest.Header{}, item.Packed)),
		putUpdateValue(b, lateKey(at), l.append(nil)))
}

// putMerged rewrites a trace with late spans.
func (w *writing) putMerged(item *Item, at place) error {
	t := w.trace(at)
	old, spans, err := record.Decode(t.record)
	switch {
	case err != nil && len(t.parts) == 0: // damaged: the new spans replace it
		w.Corrupt++
		item.Meta.Version, item.Meta.Stored, item.Meta.Updated = 1, w.storedAt(at), w.now
		return w.putUpdate(at, &item.Digest, item.ID, item.Packed)
	case err != nil: // the earlier parts replace it as well
		w.Corrupt++
		old.Meta.Stored = w.storedAt(at)
	}
	spans, corrupt := t.appendParts(spans)
	w.Corrupt += corrupt
	if len(spans)+item.Size > record.MaxTraceBytes {
		if len(t.parts) == 0 {
			w.TooLarge++
			return nil
		}
		// Without the repeated spans there may be room.
		return errors.Join(w.putSpans(item.ID, at, &t, &old, spans), w.putMerged(item, at))
	}
	late, err := record.Unpack(item.Packed)
	if err != nil {
		return err
	}
	err = w.putSpans(item.ID, at, &t, &old, append(spans, late...))
	if err != nil || len(spans) < partsFrom {
		return err
	}
	return putUpdateValue(w.tx.Bucket(bucketUpdates), partKey(at, item.Packed), []byte{}) // the trace has it now
}

// putSpans rewrites a trace with all its spans. old is its header so far.
func (w *writing) putSpans(id pcommon.TraceID, at place, t *storedTrace, old *digest.Header, spans []byte) error {
	d, merged, err := merge(spans, w.now)
	if err != nil {
		w.Failed++
		w.opts.Logger.Error("late spans not added to their trace", zap.Stringer("trace_id", id), zap.Error(err))
		return nil
	}
	if d.Distinct == old.Distinct && len(t.parts) == 0 {
		return nil
	}
	d.Meta.Version, d.Meta.Stored, d.Meta.Updated = max(old.Meta.Version, t.late.header.Meta.Version)+1, old.Meta.Stored, w.now
	if t.updated {
		err = w.removeUpdate(at, old)
	} else {
		err = w.removeSlot(at, old)
	}
	if err := errors.Join(err, w.removeParts(at)); err != nil {
		return err
	}
	w.Updated++
	return w.putUpdate(at, &d, id, record.Pack(merged))
}

// removeParts removes the late spans beside a trace that has them now. It remembers that they came, in case they come again.
func (r *reading) removeParts(at place) error {
	l, ok := r.late(at)
	if !ok {
		return nil
	}
	b := r.tx.Bucket(bucketUpdates)
	errs := []error{r.removeUpdate(at, &l.header), deleteUpdateValue(b, lateKey(at))}
	for _, key := range r.partKeys(at) {
		errs = append(errs, putUpdateValue(b, key, []byte{}))
	}
	return errors.Join(errs...)
}

// storedAt returns when the trace was stored, or now if that is unknown.
func (w *writing) storedAt(p place) time.Time {
	if c, ok := w.head(p.chunk()); ok {
		return time.Unix(0, int64(c.stored())).UTC()
	}
	return w.now
}

// putUpdate stores a trace's record in the bucket of updates, and its index entries.
func (w *writing) putUpdate(p place, d *digest.Digest, id pcommon.TraceID, packed []byte) error {
	if err := putUpdateValue(w.tx.Bucket(bucketUpdates), p[:], record.Append(nil, &d.Header, packed)); err != nil {
		return err
	}
	w.name(d.Operations)
	return w.putTerms(p, d.Terms, d.Start, id)
}

// putTerms adds index entries for a trace with an update or with late spans beside it.
func (w *writing) putTerms(p place, terms []uint64, start uint64, id pcommon.TraceID) error {
	at := positionOf(start, id)
	for _, term := range terms {
		if err := w.tx.Bucket(bucketIndex).Put(updateKey(term, grainOf(start), p), at[:]); err != nil {
			return err
		}
	}
	return nil
}

// removeUpdate removes the index entries of a trace with an update.
func (r *reading) removeUpdate(p place, h *digest.Header) error {
	var errs []error
	for _, term := range h.Terms {
		errs = append(errs, r.tx.Bucket(bucketIndex).Delete(updateKey(term, grainOf(h.Start), p)))
	}
	return errors.Join(errs...)
}

// removeSlot removes the index entries of a trace that is stored in its chunk.
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

// merge summarises a trace whose spans came in parts, and leaves out identical copies.
func merge(parts []byte, now time.Time) (d digest.Digest, spans []byte, err error) {
	err = assembled(parts, func(k *wire.Kept, t *trace.Trace) {
		for _, i := range t.Identical {
			k.Spans[i].Omitted = true
		}
		d, spans = digest.Of(t, now), k.AppendRequest(nil, 0, len(k.Spans))
	})
	return d, spans, err
}

// assembled calls use with the trace whose spans came in parts. A trace that trips a defect here costs only itself, not its batch.
func assembled(parts []byte, use func(*wire.Kept, *trace.Trace)) error {
	return safely.Run(func() error {
		var r wire.Request
		if err := r.Scan(parts); err != nil {
			return err
		}
		var k wire.Kept
		if _, err := k.Fill(&r); err != nil {
			return err
		}
		if len(k.Traces) != 1 {
			return fmt.Errorf("%d traces instead of one", len(k.Traces))
		}
		for i := range k.Spans {
			k.Spans[i].Omitted = false // repeated spans belong to the trace
		}
		use(&k, assemble.One(&k, assemble.Options{}))
		return nil
	})
}
