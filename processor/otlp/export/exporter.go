package export

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.opentelemetry.io/otel/attribute"
	"go.uber.org/zap"

	"github.com/slowburn/slowburn/internal/answer"
	"github.com/slowburn/slowburn/internal/units"
	"github.com/slowburn/slowburn/internal/wire"
)

// client sends an ExportTraceServiceRequest and returns the destination's answer. It does not keep the body. It may be used
// concurrently.
type client interface {
	start(context.Context, component.Host) error
	shutdown(context.Context) error
	send(context.Context, body) (ptraceotlp.ExportPartialSuccess, *answer.Error)
	attributes() []attribute.KeyValue
}

// exporter exports traces, kept ones as bytes and others decoded.
type tracesExporter struct {
	exporter.Traces // for decoded traces, with the Collector's helper
	id              string
	client          client
	timeout         time.Duration // of a request; 0 is the client's own
	limit           *sizeLimit
	telemetry       *telemetry
}

// newTraces creates an exporter of traces. Options are the helper's, for decoded traces.
func newTraces(ctx context.Context, set exporter.Settings, cfg component.Config, c client, maxSize units.Size, timeout time.Duration, opts ...exporterhelper.Option) (exporter.Traces, error) {
	t, err := newTelemetry(set, c.attributes())
	if err != nil {
		return nil, err
	}
	e := &tracesExporter{id: set.ID.String(), client: c, timeout: timeout, telemetry: t, limit: newSizeLimit(int(maxSize), t.limited)}
	e.Traces, err = exporterhelper.NewTraces(ctx, set, cfg, e.push, append(opts,
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: timeout}),
		exporterhelper.WithStart(c.start),
		exporterhelper.WithShutdown(c.shutdown),
		exporterhelper.WithAttrs(c.attributes()...))...)
	return e, err
}

// ConsumeTraces implements consumer.Traces.
func (e *tracesExporter) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	k := wire.KeptOf(ctx)
	switch {
	case !k.For(e.id):
		return nil
	case k == nil || td.ResourceSpans().Len() > 0:
		return e.Traces.ConsumeTraces(ctx, td)
	}
	k.Take()
	if err := e.sendKept(ctx, k); err != nil {
		return err
	}
	return nil
}

// push sends decoded traces. Its errors are for the helper, which retries those that are not permanent.
func (e *tracesExporter) push(ctx context.Context, td ptrace.Traces) error {
	content, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	if err != nil {
		return consumererror.NewPermanent(err)
	}
	b := newBody(func(dst []byte) []byte { return append(dst, content...) })
	defer b.Free()
	partial, refused := e.client.send(ctx, b)
	switch {
	case refused == nil:
		e.partial(ctx, partial)
		return nil
	case refused.Class != answer.Retry:
		return consumererror.NewPermanent(refused)
	case refused.Delay > 0:
		return exporterhelper.NewThrottleRetry(refused, refused.Delay)
	}
	return refused
}

// partial logs and counts the spans that the destination rejected from a request that it accepted. It returns their
// number.
func (e *tracesExporter) partial(ctx context.Context, p ptraceotlp.ExportPartialSuccess) int64 {
	if p.RejectedSpans() == 0 && p.ErrorMessage() == "" {
		return 0
	}
	e.telemetry.seldom.Warn("partial success response", zap.String("message", p.ErrorMessage()), zap.Int64("dropped_spans", p.RejectedSpans()))
	rejected := max(0, p.RejectedSpans())
	e.telemetry.ExporterOtlpRejectedSpans.Add(ctx, rejected, e.telemetry.exporter)
	return rejected
}
