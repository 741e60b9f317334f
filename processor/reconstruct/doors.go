package reconstruct

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/items"
	"github.com/slowburn/slowburn/internal/wire"
)

// doors is the processor. It annotates traces in a wire.Kept in the context in place. Decoded traces are converted to
// a wire.Kept, and the findings are written on the decoded spans.
type doors struct {
	processor.Traces // for decoded traces
	annotator        *annotator
	next             consumer.Traces
	items            *items.Processor // counts spans that come as bytes
}

func (d doors) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	k := wire.KeptOf(ctx)
	if k == nil || len(k.Traces) == 0 || td.ResourceSpans().Len() > 0 {
		return d.Traces.ConsumeTraces(ctx, td)
	}
	in := items.Waiting(k)
	d.annotator.annotate(ctx, k, func(span int, f *finding) { f.onBytes(k, span) })
	d.items.Passed(ctx, in, items.Waiting(k))
	return d.next.ConsumeTraces(ctx, td)
}

var keptPool = sync.Pool{New: func() any { return new(wire.Kept) }}

// maxPooledBytes is the most memory that a Kept keeps for the next call.
const maxPooledBytes = 8 << 20

// decoded returns a copy of the traces in td with annotations. td stays unchanged: if the processor wrote to it, the Collector
// would copy all spans in front of tail_sampling, of which few come here. It never fails: what it cannot reconstruct stays
// unchanged.
func (a *annotator) decoded(ctx context.Context, td ptrace.Traces) (ptrace.Traces, error) {
	if td.SpanCount() == 0 {
		return td, nil
	}
	own := ptrace.NewTraces()
	td.CopyTo(own)
	return a.annotateOwn(ctx, own), nil
}

// annotateOwn writes what was found on the spans of td, and returns it.
func (a *annotator) annotateOwn(ctx context.Context, td ptrace.Traces) ptrace.Traces {
	k := keptPool.Get().(*wire.Kept)
	defer func() {
		if cap(k.Bytes) <= maxPooledBytes {
			k.Reset()
			keptPool.Put(k)
		}
	}()
	if err := fill(ctx, k, td); err != nil {
		a.skipped(ctx, failed)
		a.logger.Error("traces passed on without annotations", zap.Int("spans", td.SpanCount()), zap.Error(err))
		return td
	}
	spans := spansOf(k, td)
	if a.annotate(ctx, k, func(span int, f *finding) { f.onMap(spans[span].Attributes()) }) > 0 {
		copies := make(map[ptrace.Span]struct{})
		for i := range k.Spans {
			if k.Spans[i].Omitted {
				copies[spans[i]] = struct{}{}
			}
		}
		remove(td, copies)
	}
	return td
}

// fill fills k with the traces of td, copies included, as td still has these.
func fill(ctx context.Context, k *wire.Kept, td ptrace.Traces) error {
	r, release, err := wire.Of(ctx, td)
	if err != nil {
		return err
	}
	defer release()
	_, err = k.Fill(r)
	for i := range k.Spans {
		k.Spans[i].Omitted = false
	}
	return err
}

// spansOf returns the spans of td in the order of Kept.Spans: Fill copies the bodies trace by trace, and within a trace in
// their order in td.
func spansOf(k *wire.Kept, td ptrace.Traces) []ptrace.Span {
	came := make(map[pcommon.TraceID][]ptrace.Span, len(k.Traces))
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				came[s.TraceID()] = append(came[s.TraceID()], s)
			}
		}
	}
	spans := make([]ptrace.Span, len(k.Spans))
	var order []int
	for t := range k.Traces {
		kept := &k.Traces[t]
		order = order[:0]
		for i := kept.From; i < kept.To; i++ {
			order = append(order, i)
		}
		slices.SortStableFunc(order, func(i, j int) int {
			x, y := k.Spans[i].Body, k.Spans[j].Body
			return cmp.Or(cmp.Compare(x.Off, y.Off), cmp.Compare(x.End, y.End))
		})
		for n, i := range order {
			spans[i] = came[pcommon.TraceID(kept.ID)][n]
		}
	}
	return spans
}
