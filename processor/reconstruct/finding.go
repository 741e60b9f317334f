package reconstruct

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/trace"
)

// findings are the findings about one trace.
type findings struct {
	trace   *trace.Trace
	ignored trace.Flags // not written on spans
}

// finding is the finding about one span.
type finding struct {
	flags []string // names of trace.Flags
	// offset is to be added to the span's times, in nanoseconds; uncertainty is the largest error of the offset, -1 if
	// unbounded. These and the status are written if the offset is not 0.
	offset, uncertainty int64
	status              trace.ClockStatus
}

// write calls write for each span that has a finding, by its index in Kept.Spans, where the trace begins at first. It reports
// whether any span's times were corrected.
func (f *findings) write(first int, write func(span int, f *finding)) (corrected bool) {
	t := f.trace
	for i := range t.Spans {
		s := &t.Spans[i]
		if s.Synthetic {
			continue
		}
		offset, flags := s.Offset(), s.Flags&^f.ignored
		if offset == 0 && flags == 0 {
			continue
		}
		corrected = corrected || offset != 0
		found := finding{flags: flags.Names(), offset: offset, uncertainty: -1}
		if offset != 0 {
			found.status = t.Clocks[s.Clock].Status
			if s.Residual != 0 {
				found.status = trace.ClockResidual
			}
			if u, ok := t.Uncertainty(s); ok {
				found.uncertainty = int64(u)
			}
		}
		write(first+s.Source, &found)
		for _, other := range s.Others {
			write(first+other, &found)
		}
	}
	return corrected
}

// onBytes writes the finding on a span of k.
func (f *finding) onBytes(k *wire.Kept, span int) {
	if f.flags != nil {
		k.SetAttribute(span, wire.StringsAttribute(attr.SpanFlags, f.flags))
	}
	if f.offset == 0 {
		return
	}
	k.SetAttribute(span, wire.IntAttribute(attr.ClockOffset, f.offset))
	if f.uncertainty >= 0 {
		k.SetAttribute(span, wire.IntAttribute(attr.ClockUncertainty, f.uncertainty))
	}
	k.SetAttribute(span, wire.StringAttribute(attr.ClockStatus, f.status.String()))
}

// onMap writes the finding on the attributes of a span.
func (f *finding) onMap(attrs pcommon.Map) {
	put := func(key string) pcommon.Value {
		attrs.RemoveIf(func(k string, _ pcommon.Value) bool { return k == key }) // there may be several
		return attrs.PutEmpty(key)
	}
	if f.flags != nil {
		list := put(attr.SpanFlags).SetEmptySlice()
		list.EnsureCapacity(len(f.flags))
		for _, name := range f.flags {
			list.AppendEmpty().SetStr(name)
		}
	}
	if f.offset == 0 {
		return
	}
	put(attr.ClockOffset).SetInt(f.offset)
	if f.uncertainty >= 0 {
		put(attr.ClockUncertainty).SetInt(f.uncertainty)
	}
	put(attr.ClockStatus).SetStr(f.status.String())
}
