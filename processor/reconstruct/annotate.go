package reconstruct

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/processor/reconstruct/internal/metadata"
	"github.com/slowburn/slowburn/processor/trace"
	"github.com/slowburn/slowburn/processor/trace/assemble"
)

// annotator reconstructs traces and writes its findings on their spans. It has no state, so calls may be concurrent.
type annotator struct {
	maxSpans    int
	reconstruct func(b *assemble.Batch, t int, opts assemble.Options) *trace.Trace // (*assemble.Batch).Trace, except in tests
	logger      *zap.Logger
	telemetry   *metadata.TelemetryBuilder
}

// annotate reconstructs the traces of k that are not reconstructed yet, and calls write for each span with a finding, by its
// index in Kept.Spans. It leaves a trace that it cannot reconstruct as it is. It returns the number of copies of spans, which
// it leaves out.
func (a *annotator) annotate(ctx context.Context, k *wire.Kept, write func(span int, f *finding)) (copies int) {
	if !slices.ContainsFunc(k.Traces, func(t wire.KeptTrace) bool { return !t.Reconstructed }) {
		return 0
	}
	batch := assemble.New(k)
	defer batch.Release()
	traces, all, corrected := 0, 0, 0
	for t := range k.Traces {
		kept := &k.Traces[t]
		if kept.Reconstructed {
			continue
		}
		kept.Reconstructed = true
		spans := kept.To - kept.From
		traces, all = traces+1, all+spans
		if spans > a.maxSpans {
			a.skipped(ctx, tooLarge)
			continue
		}
		found, err := a.one(ctx, batch, t)
		if err != nil {
			a.skipped(ctx, failed)
			a.logger.Error("trace passed on without annotations",
				zap.Stringer("trace_id", kept.ID), zap.Int("spans", spans), zap.Error(err))
			continue
		}
		kept.Found = found.trace
		if found.write(kept.From, write) {
			corrected++
		}
		for _, i := range found.trace.Identical {
			k.Spans[kept.From+i].Omitted = true
		}
		copies += len(found.trace.Identical)
	}
	a.telemetry.ProcessorReconstructTraces.Add(ctx, int64(traces))
	a.telemetry.ProcessorReconstructSpans.Add(ctx, int64(all))
	if corrected > 0 {
		a.telemetry.ProcessorReconstructCorrectedTraces.Add(ctx, int64(corrected))
	}
	if copies > 0 {
		a.telemetry.ProcessorReconstructDuplicateSpans.Add(ctx, int64(copies))
	}
	return copies
}

// Reasons why a trace is passed on without findings.
var (
	tooLarge = metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", "too_large")))
	failed   = metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", "failed")))
)

func (a *annotator) skipped(ctx context.Context, reason metric.MeasurementOption) {
	a.telemetry.ProcessorReconstructSkippedTraces.Add(ctx, 1, reason)
}

// one reconstructs one trace. It turns a panic into an error, since a bug in the reconstruction must not cost spans.
func (a *annotator) one(ctx context.Context, batch *assemble.Batch, t int) (found findings, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("reconstruction panicked: %v", p)
		}
	}()
	part := batch.IsPart(t)
	found.trace = a.reconstruct(batch, t, assemble.Options{Open: part})
	found.ignored = trace.FlagLate // the sampler has written it already
	if part {
		found.ignored |= trace.FlagOrphan
	} else {
		a.countOrphans(ctx, found.trace)
	}
	return found, nil
}

// countOrphans counts the spans whose parent is missing, by cause.
func (a *annotator) countOrphans(ctx context.Context, t *trace.Trace) {
	if t.Orphans == 0 {
		return
	}
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
		a.telemetry.ProcessorReconstructOrphanSpans.Add(ctx, int64(orphans),
			metric.WithAttributes(attribute.String("cause", s.Cause.String())))
	}
}
