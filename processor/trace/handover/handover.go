// Package handover passes reconstructed traces to components further down a pipeline, so that nobody reconstructs a trace
// anew. Found is what is passed on, in the context of the call that passes the spans; it is goroutine-safe and has no lock.
package handover

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/slowburn/slowburn/processor/trace"
)

// Found holds the traces that were reconstructed from the spans of one call. Its methods may be called concurrently, and on
// nil.
type Found struct {
	traces atomic.Pointer[map[pcommon.TraceID]found]
}

// found is a trace, and the spans that it was made of.
type found struct {
	trace *trace.Trace
	spans trace.Spans
}

type foundKey struct{}

// NewContext returns a context in which components further down see what is put into the Found. Forget it when their
// call has returned: whoever still holds the context then, as a queue does, must not hold the traces as well.
func NewContext(ctx context.Context) (context.Context, *Found) {
	f := new(Found)
	return context.WithValue(ctx, foundKey{}, f), f
}

// FromContext returns the Found in the context, and nil where there is none.
func FromContext(ctx context.Context) *Found {
	f, _ := ctx.Value(foundKey{}).(*Found)
	return f
}

// Put makes a batch of traces known, each by the spans that assemble.Trace made it of with the zero Options. Left out are
// those of which spans were merged or left out, as the spans that go on are not those that the trace tells of.
func (f *Found) Put(traces map[*trace.Trace]trace.Spans) {
	if f == nil {
		return
	}
	known := make(map[pcommon.TraceID]found, len(traces))
	for t, spans := range traces {
		if whole(t) {
			known[t.ID] = found{t, spans}
		}
	}
	f.traces.Store(&known)
}

// Forget drops all traces.
func (f *Found) Forget() { f.traces.Store(nil) }

// Of returns the trace that assemble.Trace would make of the spans, and nil where nobody has made it yet, or something on
// the way changed the spans. Their attributes and flags are not compared: they tell only of how sure the times are, and
// that is as true as it was.
func (f *Found) Of(spans trace.Spans) *trace.Trace {
	if f == nil {
		return nil
	}
	known := f.traces.Load()
	if known == nil {
		return nil
	}
	if of, ok := (*known)[spans.ID]; ok && of.still(spans) {
		return of.trace
	}
	return nil
}

// whole reports whether each input is a span of the trace, and as it came.
func whole(t *trace.Trace) bool {
	if len(t.Identical) > 0 {
		return false
	}
	for i := range t.Spans {
		if len(t.Spans[i].Others) > 0 {
			return false
		}
	}
	return true
}

// still reports whether the spans are those that the trace was made of, unchanged.
func (f *found) still(spans trace.Spans) bool {
	if len(spans.Inputs) != len(f.spans.Inputs) {
		return false
	}
	for i := range spans.Inputs {
		now, then := &spans.Inputs[i], &f.spans.Inputs[i]
		if now.Span != then.Span || now.Scope != then.Scope || now.Described == nil || now.Described.Text != then.Described.Text {
			return false
		}
	}
	for i := range f.trace.Spans {
		if s := &f.trace.Spans[i]; !s.Synthetic && !unchanged(s) {
			return false
		}
	}
	return true
}

// unchanged reports whether the span's data is what it was when the trace was made.
func unchanged(s *trace.Span) bool {
	d := s.Data
	return d.SpanID() == s.ID && d.ParentSpanID() == s.ParentID && d.Kind() == s.Kind &&
		uint64(d.StartTimestamp()) == s.Start && uint64(d.EndTimestamp()) == s.End && d.Links().Len() == len(s.Links)
}
