// Package items counts spans that pass a component as bytes. The Collector's own counting sees only the empty ptrace.Traces
// beside them. Processor adds them to the metrics of the Collector's processorhelper, Exporter to those of its exporterhelper:
// instruments with the same name, unit and description are one.
//
// All of it may be used concurrently. There are no locks.
package items

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/slowburn/slowburn/internal/wire"
)

// AsBytes returns the number of spans in the context of a ConsumeTraces as bytes: 0 if it was called with decoded spans, or
// with none.
func AsBytes(ctx context.Context, td ptrace.Traces) int {
	if td.ResourceSpans().Len() > 0 {
		return 0
	}
	if k := wire.KeptOf(ctx); k != nil {
		return Waiting(k)
	}
	if r, ok := wire.FromContext(ctx); ok {
		return len(r.Spans)
	}
	return 0
}

// Waiting returns the number of spans of k that were not sent.
func Waiting(k *wire.Kept) (n int) {
	for i := range k.Spans {
		if s := &k.Spans[i]; !s.Omitted && !s.Sent {
			n++
		}
	}
	return n
}

// Processor counts the spans that pass a processor.
type Processor struct {
	incoming, outgoing metric.Int64Counter
	attributes         []metric.AddOption // a slice, so that a call allocates none
}

const processorScope = "go.opentelemetry.io/collector/processor/processorhelper"

// NewProcessor returns the Processor for a component's traces.
func NewProcessor(set component.TelemetrySettings, id component.ID) (*Processor, error) {
	meter := set.MeterProvider.Meter(processorScope)
	incoming, inErr := meter.Int64Counter("otelcol_processor_incoming_items",
		metric.WithDescription("Number of items passed to the processor. [Alpha]"), metric.WithUnit("{item}"))
	outgoing, outErr := meter.Int64Counter("otelcol_processor_outgoing_items",
		metric.WithDescription("Number of items emitted from the processor. [Alpha]"), metric.WithUnit("{item}"))
	return &Processor{incoming: incoming, outgoing: outgoing, attributes: []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(
		attribute.String("processor", id.String()), attribute.String("otel.signal", "traces")))}}, errors.Join(inErr, outErr)
}

// Passed counts incoming and outgoing spans.
func (p *Processor) Passed(ctx context.Context, in, out int) {
	p.incoming.Add(ctx, int64(in), p.attributes...)
	p.outgoing.Add(ctx, int64(out), p.attributes...)
}
