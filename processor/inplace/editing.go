package inplace

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"

	"github.com/slowburn/slowburn/internal/items"
	"github.com/slowburn/slowburn/internal/wire"
	"github.com/slowburn/slowburn/internal/wire/edit"
)

// editing is the processor of one pipeline.
type editing struct {
	processor.Traces // contrib's, for decoded spans
	next             consumer.Traces
	edits            *edits // nil where nothing is done on bytes
	items            *items.Processor
}

// ConsumeTraces passes on what is left of the spans. Those of a request in ctx go on as another request, in a context of its own.
func (p *editing) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	r, carried := wire.FromContext(ctx)
	if !carried || td.ResourceSpans().Len() > 0 {
		return p.Traces.ConsumeTraces(ctx, td)
	}
	if p.edits == nil {
		return nil // no component took them: the sender sends them again, decoded
	}
	e := p.edits.of(r)
	if err := wire.Hold(ctx, e.Size(r)); err != nil {
		return err
	}
	w := edit.Get()
	defer edit.Put(w)
	edited, err := w.Write(r, &e)
	if err != nil {
		return err
	}
	p.edits.dropped(ctx, len(r.Spans)-len(edited.Spans))
	p.items.Passed(ctx, len(r.Spans), len(edited.Spans))
	if len(edited.Spans) == 0 {
		wire.Take(ctx) // this is the answer for its spans
		return nil
	}
	inner := wire.NewContext(ctx, edited)
	if err := p.next.ConsumeTraces(inner, td); err != nil {
		return err
	}
	if wire.Taken(inner) {
		wire.Take(ctx)
	}
	return nil
}
