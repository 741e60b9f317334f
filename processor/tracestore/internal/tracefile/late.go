package tracefile

import (
	"encoding/binary"
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
func (w *writing) putLate(item *Item, stored uint64) error {
	key := append(binary.BigEndian.AppendUint64(nil, stored), item.ID[:]...)
	old, spans, err := record.Decode(w.tx.Bucket(bucketTraces).Get(key))
	if err != nil { // damaged: what came now takes its place
		w.Corrupt++
		item.Meta.Version, item.Meta.Stored, item.Meta.Updated = 1, time.Unix(0, int64(stored)).UTC(), w.opts.Now().UTC()
		return w.putRecord(key, &item.Digest, item.ID, item.Packed)
	}
	if len(spans)+item.Size > record.MaxTraceBytes {
		w.TooLarge++
		return nil
	}
	late, err := record.Unpack(item.Packed)
	if err != nil {
		return err
	}
	d, merged, err := merge(append(spans, late...), w.opts.Now())
	if err != nil {
		w.Failed++
		w.opts.Logger.Error("Late spans were not added to their trace.", zap.Stringer("trace_id", pcommon.TraceID(item.ID)), zap.Error(err))
		return nil
	}
	if d.Distinct == old.Distinct {
		return nil
	}
	d.Meta.Version, d.Meta.Stored, d.Meta.Updated = old.Meta.Version+1, old.Meta.Stored, w.opts.Now().UTC()
	if err := removeTerms(w.tx, old, item.ID); err != nil {
		return err
	}
	w.Updated++
	return w.putRecord(key, &d, item.ID, record.Pack(merged))
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
		t := assemble.One(&k, assemble.Options{})
		for _, i := range t.Identical {
			k.Spans[i].Left = true
		}
		d, spans = digest.Of(t, now), k.AppendRequest(nil, 0, len(k.Spans))
		return nil
	})
	return d, spans, err
}
