// Package items counts spans that pass a component as bytes, where the Collector's own counting, which looks into the empty
// ptrace.Traces beside them, sees none. Processor adds them to the metrics of the Collector's processorhelper, Exporter to those
// of its exporterhelper: an instrument with the same name, unit and description there is the same.
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

// AsBytes returns how many spans a ConsumeTraces was called with as bytes in the context: 0 where it was called with decoded
// spans, or with none.
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

// Waiting returns how many spans of k are still to be sent.
func Waiting(k *wire.Kept) (n int) {
	for i := range k.Spans {
		if s := &k.Spans[i]; !s.Left && !s.Sent {
			n++
		}
	}
	return n
}

// Processor counts what passes a processor.
type Processor struct {
	incoming, outgoing metric.Int64Counter
	attributes         []metric.AddOption // a slice, so that a call makes none
}

const processorScope = "go.opentelemetry.io/collector/processor/processorhelper"

// NewProcessor makes the Processor of the traces of a component.
func NewProcessor(set component.TelemetrySettings, id component.ID) (*Processor, error) {
	meter := set.MeterProvider.Meter(processorScope)
	incoming, inErr := meter.Int64Counter("otelcol_processor_incoming_items",
		metric.WithDescription("Number of items passed to the processor. [Alpha]"), metric.WithUnit("{item}"))
	outgoing, outErr := meter.Int64Counter("otelcol_processor_outgoing_items",
		metric.WithDescription("Number of items emitted from the processor. [Alpha]"), metric.WithUnit("{item}"))
	return &Processor{incoming: incoming, outgoing: outgoing, attributes: []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(
		attribute.String("processor", id.String()), attribute.String("otel.signal", "traces")))}}, errors.Join(inErr, outErr)
}

// Passed adds spans that came in, and those that went on.
func (p *Processor) Passed(ctx context.Context, in, out int) {
	p.incoming.Add(ctx, int64(in), p.attributes...)
	p.outgoing.Add(ctx, int64(out), p.attributes...)
}
