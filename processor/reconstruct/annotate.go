package reconstruct

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/attr"
	"github.com/slowburn/slowburn/processor/reconstruct/internal/metadata"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
	"github.com/slowburn/slowburn/processor/trace/handover"
)

// annotator is the processor. It has no state of its own, so calls may be concurrent.
type annotator struct {
	maxSpans    int
	reconstruct func(trace.Spans, assemble.Options) *trace.Trace // assemble.Trace, but for tests
	logger      *zap.Logger
	telemetry   *metadata.TelemetryBuilder
}

// process annotates the traces in td. It never fails: what it cannot do it leaves undone.
func (a *annotator) process(ctx context.Context, td ptrace.Traces) (ptrace.Traces, error) {
	copies := make(map[ptrace.Span]struct{})
	found := make(map[*trace.Trace]trace.Spans)
	for _, spans := range trace.Group(td) {
		a.telemetry.ProcessorReconstructTraces.Add(ctx, 1)
		a.telemetry.ProcessorReconstructSpans.Add(ctx, int64(len(spans.Inputs)))
		if len(spans.Inputs) > a.maxSpans {
			a.skipped(ctx, tooLarge)
			continue
		}
		t, err := a.annotate(ctx, spans, copies)
		switch {
		case err != nil:
			a.skipped(ctx, failed)
			a.logger.Error("The trace was passed on as it came.",
				zap.Stringer("trace_id", spans.ID), zap.Int("spans", len(spans.Inputs)), zap.Error(err))
		case t != nil:
			found[t] = spans
		}
	}
	handover.FromContext(ctx).Put(found)
	if len(copies) > 0 {
		a.telemetry.ProcessorReconstructDuplicates.Add(ctx, int64(len(copies)))
		remove(td, copies)
	}
	return td, nil
}

// Why a trace is passed on as it came.
var (
	tooLarge = metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", "too_large")))
	failed   = metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", "failed")))
)

func (a *annotator) skipped(ctx context.Context, reason metric.MeasurementOption) {
	a.telemetry.ProcessorReconstructSkippedTraces.Add(ctx, 1, reason)
}

// annotate writes on the spans of one trace what was found, and adds those that are copies to copies. It returns the
// trace unless that is a fragment. A bug in the reconstruction must not cost anybody their spans, so a panic becomes an
// error.
func (a *annotator) annotate(
	ctx context.Context, spans trace.Spans, copies map[ptrace.Span]struct{},
) (t *trace.Trace, err error) {
	defer func() {
		if p := recover(); p != nil {
			t, err = nil, fmt.Errorf("reconstruction panicked: %v", p)
		}
	}()
	fragment := isFragment(spans)
	t = a.reconstruct(spans, assemble.Options{Open: fragment})
	ignored := trace.FlagLate // the sampler wrote that on the span already
	if fragment {
		ignored |= trace.FlagOrphan
	} else {
		a.countOrphans(ctx, t)
	}
	corrected := false
	for i := range t.Spans {
		s := &t.Spans[i]
		if s.Synthetic {
			continue
		}
		offset := s.Offset()
		corrected = corrected || offset != 0
		names := (s.Flags &^ ignored).Names()
		if offset == 0 && names == nil {
			continue
		}
		for _, source := range append([]int{s.Source}, s.Others...) {
			data := spans.Inputs[source].Span
			writeFlags(data, names)
			if offset != 0 {
				writeClock(data, t, s)
			}
		}
	}
	if corrected {
		a.telemetry.ProcessorReconstructCorrectedTraces.Add(ctx, 1)
	}
	for _, i := range t.Identical {
		copies[spans.Inputs[i].Span] = struct{}{}
	}
	if fragment {
		return nil, nil
	}
	return t, nil
}

// isFragment says that all spans came after their trace was decided, so the rest of it is elsewhere.
func isFragment(spans trace.Spans) bool {
	for i := range spans.Inputs {
		late, ok := spans.Inputs[i].Span.Attributes().Get(attr.CachedDecision)
		if !ok || !late.Bool() {
			return false
		}
	}
	return true
}

func writeFlags(data ptrace.Span, names []string) {
	if names == nil {
		return
	}
	flags := data.Attributes().PutEmptySlice(attr.SpanFlags)
	flags.EnsureCapacity(len(names))
	for _, name := range names {
		flags.AppendEmpty().SetStr(name)
	}
}

func writeClock(data ptrace.Span, t *trace.Trace, s *trace.Span) {
	attrs := data.Attributes()
	attrs.PutInt(attr.ClockOffset, s.Offset())
	if u, ok := t.Uncertainty(s); ok {
		attrs.PutInt(attr.ClockUncertainty, int64(u))
	}
	status := t.Clocks[s.Clock].Status
	if s.Residual != 0 {
		status = trace.ClockResidual
	}
	attrs.PutStr(attr.ClockStatus, status.String())
}

// countOrphans counts the spans whose parent is missing by why it is.
func (a *annotator) countOrphans(ctx context.Context, t *trace.Trace) {
	for i := range t.Spans {
		s := &t.Spans[i]
		if s.Cause == trace.CauseNone {
			continue
		}
		orphans := 0
		for _, c := range s.Children {
			if t.Spans[c].Flags&trace.FlagOrphan != 0 {
				orphans++
			}
		}
		a.telemetry.ProcessorReconstructOrphans.Add(ctx, int64(orphans),
			metric.WithAttributes(attribute.String("cause", s.Cause.String())))
	}
}
